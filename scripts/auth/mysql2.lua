-- Lets clients in whom a table of MySQL or MariaDB knows (script.auth_mysql2.enabled):
--
--   CREATE TABLE vmq_auth_acl (
--     mountpoint    VARCHAR(10)  NOT NULL,
--     client_id     VARCHAR(128) NOT NULL,
--     username      VARCHAR(128) NOT NULL,
--     password      VARCHAR(128),
--     publish_acl   TEXT,
--     subscribe_acl TEXT,
--     CONSTRAINT vmq_auth_acl_primary_key PRIMARY KEY (mountpoint, client_id, username)
--   );
--   INSERT INTO vmq_auth_acl VALUES
--     ('', 'client', 'user', SHA2('password', 256), '[{"pattern": "a/b/c"}]', '[{"pattern": "c/b/#"}]');
--
-- Server and hash function are those of script.mysql2.*.

local auth = require "auth/auth_commons"
local pool = "auth_mysql2"

local query = [[
  SELECT mountpoint, client_id, username, publish_acl, subscribe_acl, password = ]] .. mysql2.hash_method() .. [[ AS matches
  FROM vmq_auth_acl WHERE mountpoint = ? AND (client_id = ? OR client_id = '*') AND username = ?]]

local function auth_on_register(reg)
  if not auth.given(reg) then
    return false
  end
  local rows = mysql2.execute(pool, query, obf.decrypt(reg.password), reg.mountpoint, reg.client_id, reg.username)
  return auth.by_database(rows, reg)
end

mysql2.ensure_pool({pool_id = pool})

hooks = auth.hooks(auth_on_register)
