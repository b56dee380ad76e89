test.script("no_retain.lua")
local function publish(client, topic, retain)
  return test.call("auth_on_publish", { client_id = client, topic = topic, retain = retain })
end
test.equal(publish("c", "a", false).verdict, "next")
test.equal(publish("c", "a", true).verdict, "ok")
test.equal(publish("c", "status/c/battery", true).verdict, "next")
test.equal(publish("other", "status/c/battery", true).verdict, "deny")
