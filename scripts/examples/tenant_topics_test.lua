test.script("tenant_topics.lua")
for _, v5 in ipairs { "", "_m5" } do
  local function call(hook, fields)
    fields.username = fields.username or "acme:bob"
    return test.call(hook .. v5, fields)
  end
  test.equal(call("auth_on_publish", { topic = "sensors/1" }).modifiers, { topic = "acme/sensors/1" })
  test.equal(call("auth_on_publish", { topic = "sensors/1", username = "bob" }).verdict, "deny")
  test.equal(call("auth_on_subscribe", { topics = { { "a/+", 1 }, { "$share/g/b", 0 } } }).modifiers,
    { topics = { { "acme/a/+", 1 }, { "$share/g/acme/b", 0 } } })
  test.equal(call("auth_on_subscribe", { topics = { { "a", 0 } }, username = "bob" }).verdict, "deny")
  test.equal(call("on_unsubscribe", { topics = { "a", "$share/g/b" } }).modifiers, { topics = { "acme/a", "$share/g/acme/b" } })
  test.equal(call("on_deliver", { topic = "acme/sensors/1" }).modifiers, { topic = "sensors/1" })
  test.equal(call("on_deliver", { topic = "other/1" }).verdict, "next")
end
