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
require "auth/postgres_cockroach_commons"

pool = "auth_cockroachdb"
cockroachdb.ensure_pool({pool_id = pool})

hooks = auth.hooks(function(reg)
  return auth_on_register_common(cockroachdb, reg)
end)
