-- Subscribers whose user name ends in @us get temperatures in Fahrenheit. The
-- message itself, and what others get, stays as it is.

local function deliver(m)
  if not m.username or not m.username:find("@us$") or not m.topic:find("/temperature$") then
    return
  end
  local celsius = tonumber(m.payload)
  if celsius then
    return {payload = string.format("%.1f", celsius * 9 / 5 + 32)}
  end
end

hooks = {on_deliver = deliver, on_deliver_m5 = deliver}
