-- Shows what it was asked, but for secrets, which recordings do not have.
hooks = {}
local function show(m)
  m.password = nil
  if m.properties then m.properties.p_authentication_data = nil end
  log.info(json.encode(m))
  m.topic, m.payload, m.properties = "changed", "changed", nil -- does not change what is recorded
end
for _, name in ipairs { "auth_on_register", "auth_on_register_m5", "on_register_m5", "on_offline_message", "on_client_gone" } do
  hooks[name] = show
end
hooks.auth_on_publish = function(m) show(m) return true end
hooks.auth_on_publish_m5 = function(m) show(m) error("no") end
hooks.auth_on_subscribe_m5 = function(m) show(m) return false end
hooks.on_unsubscribe = function(m) show(m) return { "other" } end
hooks.on_deliver_m5 = function(m) show(m) return { payload = "x" } end
hooks.on_auth_m5 = function(m) show(m) return { reason_code = 24, properties = { p_authentication_method = "M" } } end
