-- Sends a copy of each message below alarms/ to a web server. Publishers do not
-- wait for it.

local url = "http://127.0.0.1:8080/alarms"
local pool = "mirror"

http.ensure_pool({pool_id = pool, size = 5})

local function mirror(m)
  if m.topic:sub(1, 7) ~= "alarms/" then
    return
  end
  local body = json.encode({topic = m.topic, client_id = m.client_id, payload = crypto.base64_encode(m.payload), time = os.time()})
  local answer = http.post(pool, url, body, {["Content-Type"] = "application/json"})
  if not answer or answer.status >= 300 then
    log.error("no copy was made of a message to " .. m.topic)
  end
end

hooks = {on_publish = mirror, on_publish_m5 = mirror}
