-- Nobody listens: the failure is in the log, and the publisher is not told.
test.script("mirror_http.lua")
test.equal(test.call("on_publish", { topic = "other" }).log, {})
local r = test.call("on_publish", { topic = "alarms/fire", payload = "now" })
test.equal(r.verdict, "called")
assert(r.log[#r.log]:find("no copy was made of a message to alarms/fire", 1, true))
