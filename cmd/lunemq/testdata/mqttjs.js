// Talks to a broker with MQTT.js: node mqttjs.js URL VERSION CAFILE. Prints
// "done" when everything came as it was sent.
'use strict'
const fs = require('node:fs')
const assert = require('node:assert')
const mqtt = require('mqtt')

const [url, version, cafile] = process.argv.slice(2)
const v5 = version === '5'

async function connect(name) {
  return mqtt.connectAsync(url, {
    protocolVersion: Number(version), clientId: 'js-' + name + '-' + version, clean: true,
    reconnectPeriod: 0, connectTimeout: 10000, ca: fs.readFileSync(cafile),
  })
}

// gather returns a promise of the next n messages.
function gather(client, n) {
  return new Promise((resolve) => {
    const list = []
    client.on('message', (topic, payload, packet) => {
      list.push({ topic, payload, packet })
      if (list.length === n) resolve(list)
    })
  })
}

async function main() {
  const sub = await connect('sub')
  const pub = await connect('pub')
  const base = ['js', url.split(':')[0], version].join('/')
  const granted = await sub.subscribeAsync(base + '/#', { qos: 2 })
  assert.strictEqual(granted[0].qos, 2)

  const sizes = [0, 1, 125, 126, 65535, 65536, 300000]
  const came = gather(sub, 3 * sizes.length)
  for (const qos of [0, 1, 2]) {
    for (const size of sizes) {
      const properties = v5 ? { contentType: 'text/plain', userProperties: { size: String(size) } } : undefined
      await pub.publishAsync(`${base}/${qos}/${size}`, Buffer.alloc(size, 'x'), { qos, properties })
    }
  }
  const seen = new Set()
  for (const { topic, payload, packet } of await came) {
    const [, , , qos, size] = topic.split('/')
    assert.strictEqual(payload.length, Number(size), topic)
    assert.strictEqual(packet.qos, Number(qos), topic)
    if (v5) assert.strictEqual(packet.properties.userProperties.size, size)
    seen.add(topic)
  }
  assert.strictEqual(seen.size, 3 * sizes.length)

  await pub.publishAsync(base + '/kept', 'still here', { qos: 1, retain: true })
  const late = await connect('late')
  const kept = gather(late, 1)
  await late.subscribeAsync(base + '/kept', { qos: 1 })
  assert.strictEqual((await kept)[0].packet.retain, true)

  for (const c of [sub, pub, late]) await c.endAsync()
  console.log('done')
}

main().catch((err) => {
  console.error(err)
  process.exit(1)
})
