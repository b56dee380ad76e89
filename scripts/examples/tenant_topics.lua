-- Gives each tenant a topic tree of its own. The user name is TENANT:USER; a
-- client of tenant "acme" that publishes to or subscribes to sensors/1 really
-- uses acme/sensors/1, and sees sensors/1.

local function tenant(m)
  return m.username and m.username:match("^([%w_-]+):.")
end

-- inside puts a prefix before a filter, behind the name of a share.
local function inside(prefix, filter)
  local share, rest = filter:match("^($share/[^/]+/)(.*)$")
  if share then
    return share .. prefix .. "/" .. rest
  end
  return prefix .. "/" .. filter
end

local function publish(m)
  local t = tenant(m)
  if not t then
    return false
  end
  return {topic = t .. "/" .. m.topic}
end

local function topics(m)
  local t, list = tenant(m), {}
  for i, entry in ipairs(m.topics) do
    list[i] = {inside(t, entry[1]), entry[2]}
  end
  return list
end

local function unsubscribed(m)
  local t, list = tenant(m), {}
  for i, filter in ipairs(m.topics) do
    list[i] = inside(t, filter)
  end
  return list
end

local function deliver(m)
  local t = tenant(m)
  if t and m.topic:sub(1, #t + 1) == t .. "/" and #m.topic > #t + 1 then
    return {topic = m.topic:sub(#t + 2)}
  end
end

hooks = {
  auth_on_publish = publish,
  auth_on_publish_m5 = publish,
  auth_on_subscribe = function(m) return tenant(m) and topics(m) or false end,
  auth_on_subscribe_m5 = function(m) return tenant(m) and {topics = topics(m)} or false end,
  on_unsubscribe = function(m) if tenant(m) then return unsubscribed(m) end end,
  on_unsubscribe_m5 = function(m) if tenant(m) then return {topics = unsubscribed(m)} end end,
  on_deliver = deliver,
  on_deliver_m5 = deliver,
}
