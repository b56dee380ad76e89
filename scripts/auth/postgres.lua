-- Lets clients in whom a table of PostgreSQL knows (script.auth_postgres.enabled):
--
--   CREATE EXTENSION pgcrypto;  -- for the method crypt
--   CREATE TABLE vmq_auth_acl (
--     mountpoint    character varying(10)  NOT NULL,
--     client_id     character varying(128) NOT NULL,
--     username      character varying(128) NOT NULL,
--     password      character varying(128),
--     publish_acl   json,
--     subscribe_acl json,
--     CONSTRAINT vmq_auth_acl_primary_key PRIMARY KEY (mountpoint, client_id, username)
--   );
--   INSERT INTO vmq_auth_acl VALUES
--     ('', 'client', 'user', crypt('password', gen_salt('bf')), '[{"pattern": "a/b/c"}]', '[{"pattern": "c/b/#"}]');
--
-- Server and hash method are those of script.postgres.*.

local auth = require "auth/auth_commons"
require "auth/postgres_cockroach_commons"

pool = "auth_postgres"
postgres.ensure_pool({pool_id = pool})

hooks = auth.hooks(function(reg)
  return auth_on_register_common(postgres, reg)
end)
