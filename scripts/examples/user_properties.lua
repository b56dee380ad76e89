-- Tells subscribers who published a message, in user properties (MQTT 5.0) that
-- clients cannot forge: those of the same names are replaced, others stay.

hooks = {
  auth_on_publish_m5 = function(m)
    return {properties = {p_user_property = {
      {publisher = m.client_id},
      {username = m.username or ""},
    }}}
  end,
}
