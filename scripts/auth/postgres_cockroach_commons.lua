-- What the authenticators for PostgreSQL and CockroachDB share. The global pool
-- names the pool.

local auth = require "auth/auth_commons"

local columns = [[
  SELECT mountpoint, client_id, username, publish_acl::TEXT AS publish_acl, subscribe_acl::TEXT AS subscribe_acl, ]]
local from = [[
  FROM vmq_auth_acl WHERE mountpoint = $1 AND (client_id = $2 OR client_id = '*') AND username = $3]]

-- in_database are the comparisons that the database makes, by hash method.
local in_database = {
  crypt = "password = crypt($4, password)",
  sha256 = "password = sha256($4::TEXT)",
}

function auth_on_register_common(db, reg)
  if not auth.given(reg) then
    return false
  end
  local method = db.hash_method()
  if method == "bcrypt" then
    local rows = db.execute(pool, columns .. "password" .. from, reg.mountpoint, reg.client_id, reg.username)
    return auth.by_hash(rows, reg, "password")
  end
  local rows = db.execute(pool, columns .. in_database[method] .. " AS matches" .. from,
    reg.mountpoint, reg.client_id, reg.username, obf.decrypt(reg.password))
  return auth.by_database(rows, reg)
end
