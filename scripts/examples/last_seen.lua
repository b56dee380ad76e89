-- Keeps for each client when it was here last, as a retained message on
-- clients/CLIENT_ID/last_seen, and whether it is here now.

local function tell(m, online)
  if m.client_id:find("[+#/]") then
    return -- it would change the topic
  end
  lunemq.publish({
    mountpoint = m.mountpoint, topic = "clients/" .. m.client_id .. "/last_seen", qos = 1, retain = true,
    payload = json.encode({online = online, time = os.time()}),
  })
end

local function here(m) tell(m, true) end
local function away(m) tell(m, false) end

hooks = {
  on_client_wakeup = here,
  on_client_offline = away,
  on_client_gone = away,
}
