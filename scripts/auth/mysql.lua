-- Lets clients in whom a table of MySQL or MariaDB knows (script.auth_mysql.enabled):
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
-- Server and hash function are those of script.mysql.*.

hooks = require "auth/mysql_commons"(mysql, "auth_mysql")
