test.script("payload_limit.lua")
local function publish(topic, bytes)
  return test.call("auth_on_publish", { topic = topic, payload = ("x"):rep(bytes) }).verdict
end
test.equal(publish("sensors/1", 256), "next")
test.equal(publish("sensors/1", 257), "deny")
test.equal(publish("firmware/1", 1024 * 1024), "next")
test.equal(publish("other", 2000), "next")
