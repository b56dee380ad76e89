-- A client identifier must begin with the user name and a dash, and nobody may
-- subscribe to everything. Clients without a user name are refused.

local function register(reg)
  local name = reg.username
  if not name or reg.client_id:sub(1, #name + 1) ~= name .. "-" then
    return false
  end
end

-- Entries with the QoS 128 are refused, the others are as they were.
local function narrow(m)
  local list, changed = {}, false
  for i, entry in ipairs(m.topics) do
    local filter = entry[1]:match("^$share/[^/]+/(.*)$") or entry[1]
    if filter == "#" or filter == "+/#" then
      list[i], changed = {entry[1], 128}, true
    else
      list[i] = entry
    end
  end
  return changed and list or nil
end

hooks = {
  auth_on_register = register, auth_on_register_m5 = register,
  auth_on_subscribe = narrow,
  auth_on_subscribe_m5 = function(m)
    local list = narrow(m)
    return list and {topics = list}
  end,
}
