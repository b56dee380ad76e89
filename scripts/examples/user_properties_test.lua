test.script("user_properties.lua")
local r = test.call("auth_on_publish_m5", { client_id = "c", username = "bob",
  properties = { p_user_property = { { publisher = "forged" }, { unit = "C" } } } })
test.equal(r.modifiers, { properties = { p_user_property = { { unit = "C" }, { publisher = "c" }, { username = "bob" } } } })
test.equal(test.call("auth_on_publish", { client_id = "c" }).verdict, "next")
