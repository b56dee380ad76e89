-- Without a broker nothing is published; what the hook does with names that
-- would change the topic can be seen all the same.
test.script("last_seen.lua")
test.equal(test.call("on_client_gone", { client_id = "a/b" }).verdict, "called")
test.equal(test.call("on_client_wakeup", { client_id = "+" }).verdict, "called")
