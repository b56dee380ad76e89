-- Refuses messages that are too large for their topic. Topics not listed here
-- are for other scripts and plugins to decide.

local limits = {
  {"^firmware/", 1024 * 1024},
  {"^sensors/", 256},
}

local function check(m)
  for _, limit in ipairs(limits) do
    if m.topic:find(limit[1]) and #m.payload > limit[2] then
      log.warning("refused " .. #m.payload .. " bytes to " .. m.topic .. " from " .. m.client_id)
      return false
    end
  end
end

hooks = {auth_on_publish = check, auth_on_publish_m5 = check}
