-- Doors may be opened during working hours only (UTC).

local from, to = 6, 20

local function check(m)
  if not m.topic:find("^doors/[^/]+/open$") then
    return
  end
  local hour = tonumber(os.date("!%H"))
  if hour < from or hour >= to then
    log.warning("outside of working hours: " .. m.client_id .. " wants " .. m.topic)
    return false
  end
end

hooks = {auth_on_publish = check, auth_on_publish_m5 = check}
