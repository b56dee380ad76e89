-- Lets clients in whom a table of CockroachDB knows (script.auth_cockroachdb.enabled):
--
--   CREATE TABLE vmq_auth_acl (
--     mountpoint    character varying(10)  NOT NULL,
--     client_id     character varying(128) NOT NULL,
--     username      character varying(128) NOT NULL,
--     password      character varying(128),
--     publish_acl   json,
--     subscribe_acl json,
--     PRIMARY KEY (mountpoint, client_id, username)
--   );
--   INSERT INTO vmq_auth_acl VALUES
--     ('', 'client', 'user', sha256('password'), '[{"pattern": "a/b/c"}]', '[{"pattern": "c/b/#"}]');
--
-- Server and hash method are those of script.cockroachdb.*; with the method
-- bcrypt the column password holds hashes made elsewhere.

local auth = require "auth/auth_commons"
local pool = "auth_cockroachdb"

local columns = [[
  SELECT mountpoint, client_id, username, publish_acl::TEXT AS publish_acl, subscribe_acl::TEXT AS subscribe_acl, ]]
local from = [[
  FROM vmq_auth_acl WHERE mountpoint = $1 AND (client_id = $2 OR client_id = '*') AND username = $3]]

local function auth_on_register(reg)
  if not auth.given(reg) then
    return false
  end
  if cockroachdb.hash_method() == "bcrypt" then
    local rows = cockroachdb.execute(pool, columns .. "password" .. from, reg.mountpoint, reg.client_id, reg.username)
    return auth.by_hash(rows, reg, "password")
  end
  local rows = cockroachdb.execute(pool, columns .. "password = sha256($4::TEXT) AS matches" .. from,
    reg.mountpoint, reg.client_id, reg.username, obf.decrypt(reg.password))
  return auth.by_database(rows, reg)
end

cockroachdb.ensure_pool({pool_id = pool})

hooks = auth.hooks(auth_on_register)
