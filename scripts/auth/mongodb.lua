-- Lets clients in whom a collection of MongoDB knows (script.auth_mongodb.enabled):
--
--   db.vmq_acl_auth.insert({
--     mountpoint: "", client_id: "client", username: "user",
--     passhash: "$2a$12$...",  // bcrypt
--     publish_acl: [{pattern: "a/b/c"}], subscribe_acl: [{pattern: "c/b/#"}]
--   })
--   db.vmq_acl_auth.createIndex({mountpoint: 1, client_id: 1, username: 1})
--
-- The server is that of script.mongodb.*.

local auth = require "auth/auth_commons"
local pool = "auth_mongodb"

local function auth_on_register(reg)
  if not auth.given(reg) then
    return false
  end
  local rows = {}
  for _, client_id in ipairs({reg.client_id, "*"}) do
    local row = mongodb.find_one(pool, "vmq_acl_auth",
      {mountpoint = reg.mountpoint, client_id = client_id, username = reg.username})
    if row then
      rows[1] = row
      break
    end
  end
  return auth.by_hash(rows, reg, "passhash")
end

mongodb.ensure_pool({pool_id = pool})

hooks = auth.hooks(auth_on_register)
