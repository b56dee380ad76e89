test.script("rate_limit.lua")
local function publish(client)
  return test.call("auth_on_publish", { client_id = client }).verdict
end
for _ = 1, 100 do
  test.equal(publish("busy"), "next")
end
test.equal(publish("busy"), "deny")
test.equal(publish("quiet"), "next", "others are not held up")
test.advance(60)
test.equal(publish("busy"), "next", "a minute later")
test.call("on_client_gone", { client_id = "busy" })
test.equal(publish("busy"), "next")
