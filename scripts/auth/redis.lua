-- Lets clients in whom Redis knows (script.auth_redis.enabled). The key is a
-- JSON array without blanks, the value a JSON object with a bcrypt hash:
--
--   SET ["","client","user"] {"passhash":"$2a$12$...","publish_acl":[{"pattern":"a/b/c"}],"subscribe_acl":[{"pattern":"c/b/#"}]}
--
-- The server is that of script.redis.*.

local auth = require "auth/auth_commons"
local pool = "auth_redis"

local function auth_on_register(reg)
  if not auth.given(reg) then
    return false
  end
  for _, client_id in ipairs({reg.client_id, "*"}) do
    local value = redis.cmd(pool, "get", json.encode({reg.mountpoint, client_id, reg.username}))
    if value then
      local row = json.decode(value)
      if row == nil or not auth.hash_matches(reg, row.passhash) then
        return false
      end
      return auth.accept(reg, row)
    end
  end
  return false
end

redis.ensure_pool({pool_id = pool})

hooks = auth.hooks(auth_on_register)
