-- Messages below json/ must hold a JSON object or array. Others go to
-- quarantine/ in place of where they were meant to go, so that somebody can
-- look at them and no subscriber trips over them.

local function check(m)
  if m.topic:sub(1, 5) ~= "json/" then
    return
  end
  if json.decode(m.payload) == nil then
    return {topic = "quarantine/" .. m.topic, retain = false}
  end
  return true
end

hooks = {auth_on_publish = check, auth_on_publish_m5 = check}
