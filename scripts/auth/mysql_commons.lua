-- What the authenticators for MySQL and MariaDB share: their hooks, for a library
-- (mysql or mysql2) and the name of its pool.

local auth = require "auth/auth_commons"

return function(db, pool)
  local query = [[
    SELECT mountpoint, client_id, username, publish_acl, subscribe_acl, password = ]] .. db.hash_method() .. [[ AS matches
    FROM vmq_auth_acl WHERE mountpoint = ? AND (client_id = ? OR client_id = '*') AND username = ?]]
  db.ensure_pool({pool_id = pool})
  return auth.hooks(function(reg)
    if not auth.given(reg) then
      return false
    end
    local rows = db.execute(pool, query, obf.decrypt(reg.password), reg.mountpoint, reg.client_id, reg.username)
    return auth.by_database(rows, reg)
  end)
end
