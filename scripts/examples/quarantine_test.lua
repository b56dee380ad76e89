test.script("quarantine.lua")
local function publish(topic, payload)
  return test.call("auth_on_publish", { topic = topic, payload = payload })
end
test.equal(publish("json/a", '{"x":1}').verdict, "ok")
test.equal(publish("json/a", '{"x":').modifiers.topic, "quarantine/json/a")
test.equal(publish("other", '{"x":').verdict, "next")
