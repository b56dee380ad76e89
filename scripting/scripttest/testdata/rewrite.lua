local count = 0
local function check(m)
  log.info("asked " .. m.topic)
  if m.topic == "old" then
    return { topic = "new", qos = 1 }
  end
  if m.topic == "bad" then
    error("broken")
  end
  if os.time() > 1767268900 then return false end
  return true
end
hooks = { auth_on_publish = check, auth_on_subscribe_m5 = function(m) return { topics = { { "x/y", { 1, {} } } } } end }
