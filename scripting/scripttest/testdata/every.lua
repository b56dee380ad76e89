-- Has every hook, and answers with what it was asked.
hooks = {}
local function deciding(name, f)
  hooks[name], hooks[name .. "_m5"] = f, f
end
deciding("auth_on_register", function(m)
  assert(m.password ~= "secret", "the password is in clear text")
  assert(m.addr == "10.0.0.1" and m.port == 77 and obf.decrypt(m.password) == "secret")
  return { max_message_size = 10, subscriber_id = { mountpoint = "m", client_id = m.client_id .. "!" }, max_connection_lifetime = 60 }
end)
deciding("auth_on_publish", function(m)
  if m.properties then
    return { properties = { p_user_property = { { a = "2" } }, p_content_type = "t" }, throttle = 1500, retain = true }
  end
  return { payload = m.payload:upper() }
end)
deciding("auth_on_subscribe", function(m)
  local t = { { m.topics[1][1] .. "/x", 1 }, { "no", 128 } }
  return m.properties and { topics = t } or t
end)
deciding("on_unsubscribe", function(m) return m.properties and { topics = { "u" } } or { "u" } end)
deciding("on_deliver", function(m) return { topic = "d/" .. m.topic } end)
hooks.on_auth_m5 = function(m)
  return { reason_code = 24, properties = { p_authentication_method = m.properties.p_authentication_method, p_authentication_data = "more" } }
end
for _, name in ipairs { "on_register", "on_publish", "on_subscribe", "on_offline_message", "on_client_wakeup", "on_client_offline",
  "on_client_gone", "on_session_expired", "on_register_m5", "on_publish_m5", "on_subscribe_m5" } do
  hooks[name] = function(m) log.info(name .. " " .. m.client_id) end
end
