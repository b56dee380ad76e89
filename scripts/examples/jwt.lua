-- Lets clients in whose password is a JSON Web Token (RFC 7519) signed with
-- HS256. The claim sub must be the user name; the claims pub and sub_to are
-- arrays of topic filters that the client may publish and subscribe to.

local secret = "change me: at least 32 random bytes"

-- claims returns the content of a token, or nil if it is not ours or too old.
local function claims(token)
  local head, body, signature = token:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
  if not head then
    return nil
  end
  local raw = crypto.base64url_decode(signature)
  local header = json.decode(crypto.base64url_decode(head) or "")
  if not raw or not header or header.alg ~= "HS256" then
    return nil
  end
  if not crypto.equal(raw, crypto.hmac("sha256", secret, head .. "." .. body)) then
    return nil
  end
  local c = json.decode(crypto.base64url_decode(body) or "")
  local now = os.time()
  if not c or type(c.exp) ~= "number" or c.exp <= now or (c.nbf and c.nbf > now) then
    return nil
  end
  return c
end

local function rules(filters)
  local list = {}
  for i, filter in ipairs(filters or {}) do
    list[i] = {pattern = filter}
  end
  return list
end

local function register(reg)
  if not reg.username or not reg.password then
    return false
  end
  local c = claims(obf.decrypt(reg.password))
  if not c or c.sub ~= reg.username then
    return false
  end
  auth_cache.insert(reg.mountpoint, reg.client_id, reg.username, rules(c.pub), rules(c.sub_to))
  return true
end

local function refuse() return false end

hooks = {
  auth_on_register = register, auth_on_register_m5 = register,
  auth_on_publish = refuse, auth_on_publish_m5 = refuse,
  auth_on_subscribe = refuse, auth_on_subscribe_m5 = refuse,
}
