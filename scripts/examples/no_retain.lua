-- Retained messages are for status/ only: elsewhere they are delivered, but not
-- kept. Nobody may remove what is retained below status/ but its owner, the
-- client of that name.

local function check(m)
  if not m.retain then
    return
  end
  local owner = m.topic:match("^status/([^/]+)")
  if not owner then
    return {retain = false}
  end
  if owner ~= m.client_id then
    return false
  end
end

hooks = {auth_on_publish = check, auth_on_publish_m5 = check}
