-- Time begins at noon, UTC.
test.script("time_window.lua")
local function open()
  return test.call("auth_on_publish", { topic = "doors/1/open" })
end
test.equal(open().verdict, "next")
test.advance(8 * 3600 - 1)
test.equal(open().verdict, "next")
test.advance(1)
test.equal(open().verdict, "deny")
assert(open().log[1]:find("outside of working hours"))
test.equal(test.call("auth_on_publish", { topic = "doors/1/state" }).verdict, "next")
test.advance(10 * 3600)
test.equal(open().verdict, "next")
