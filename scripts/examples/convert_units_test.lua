test.script("convert_units.lua")
for _, hook in ipairs { "on_deliver", "on_deliver_m5" } do
  local function deliver(user, topic, payload)
    return test.call(hook, { username = user, topic = topic, payload = payload })
  end
  test.equal(deliver("joe@us", "room/temperature", "20.5").modifiers, { payload = "68.9" })
  test.equal(deliver("joe@us", "room/temperature", "warm").verdict, "next")
  test.equal(deliver("joe@us", "room/humidity", "40").verdict, "next")
  test.equal(deliver("ann@de", "room/temperature", "20.5").verdict, "next")
end
