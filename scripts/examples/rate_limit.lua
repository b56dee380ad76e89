-- Refuses messages of a client beyond a number per minute. The counters are in
-- kv, which all Lua states share; a client's counter goes with the client.

local per_minute = 100

kv.ensure_table({name = "rate_limit", type = "set"})

local function key(m)
  return json.encode({m.mountpoint, m.client_id})
end

local function check(m)
  local minute, k = math.floor(os.time() / 60), key(m)
  if kv.lookup("rate_limit", k .. " minute")[1] ~= minute then
    kv.insert("rate_limit", {[k .. " minute"] = minute, [k] = 0})
  end
  if kv.incr("rate_limit", k) > per_minute then
    return false
  end
end

local function forget(m)
  kv.delete("rate_limit", key(m))
  kv.delete("rate_limit", key(m) .. " minute")
end

hooks = {
  auth_on_publish = check, auth_on_publish_m5 = check,
  on_client_offline = forget, on_client_gone = forget,
}
