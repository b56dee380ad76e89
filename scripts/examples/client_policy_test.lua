test.script("client_policy.lua")
for _, v5 in ipairs { "", "_m5" } do
  local function register(id, user)
    return test.call("auth_on_register" .. v5, { client_id = id, username = user }).verdict
  end
  test.equal(register("bob-1", "bob"), "next")
  test.equal(register("eve-1", "bob"), "deny")
  test.equal(register("bob-1"), "deny")
  local r = test.call("auth_on_subscribe" .. v5, { username = "bob", topics = { { "a", 1 }, { "#", 1 }, { "$share/g/#", 0 } } })
  test.equal(r.modifiers, { topics = { { "a", 1 }, { "#", 128 }, { "$share/g/#", 128 } } })
  test.equal(test.call("auth_on_subscribe" .. v5, { topics = { { "b/#", 1 } } }).verdict, "next")
end
