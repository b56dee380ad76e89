//go:build integration

package postgres

import (
	"fmt"
	"testing"

	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/lualib/dbtest"
)

func TestIntegrationPostgres(t *testing.T) {
	server := dbtest.Postgres(t)
	d := New(&Config{HashMethod: "crypt", Server: Server{Host: "127.0.0.1", Port: server.Port, User: server.User, Password: value.NewSecret(server.Password), Database: server.Database, PoolSize: 2}})
	r := dbtest.NewRig(t, "postgres", d)
	prefix := `assert(postgres.ensure_pool({pool_id = "p"}) == true) local function q(...) return postgres.execute("p", ...) end `
	r.Passes(prefix + `
		assert(q("CREATE TABLE t (id int primary key, name text, ok bool, f float8, n numeric, b bytea, big bigint, js json)") == true)
		assert(q("INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", 1, "Ünï'; DROP TABLE t; --", true, 1.5, 2.25, "raw", "9007199254740993", '[{"pattern":"a/#"}]') == true)
		assert(q("INSERT INTO t (id, name) VALUES ($1, $2)", 2, nil) == true)
		local rows = q("SELECT * FROM t ORDER BY id")
		assert(#rows == 2)
		local a = rows[1]
		assert(a.id == 1 and a.name == "Ünï'; DROP TABLE t; --" and a.ok == true and a.f == 1.5 and a.n == 2.25 and a.b == "raw", a.b)
		assert(a.big == "9007199254740993" and json.decode(a.js)[1].pattern == "a/#")
		assert(rows[2].name == nil)
		assert(#q("SELECT * FROM t WHERE id = $1", 99) == 0)
		assert(q("UPDATE t SET name = 'x' WHERE id = 99") == false and q("UPDATE t SET name = 'x' WHERE id = 1") == true)
		assert(q("DELETE FROM t WHERE id = 99") == false)
		assert(#q("INSERT INTO t (id) VALUES (3) RETURNING id") == 1)
		assert(postgres.hash_method() == "crypt")
		assert(q("CREATE EXTENSION pgcrypto") == true)
		assert(q("SELECT crypt('x', gen_salt('bf', 4)) AS h")[1].h:sub(1, 4) == "$2a$")`)
	r.Fails(prefix+`q("SELECT nonsense")`, `column "nonsense" does not exist`)
	r.Fails(prefix+`q("SELECT 1; DROP TABLE t")`, "cannot insert multiple commands")
	r.Fails(prefix+`q("SELECT $1::int", "x")`, "invalid input syntax")
	r.Fails(prefix+`q("SELECT $1::int", {})`, "bad argument #3 to postgres.execute")
	r.Fails(prefix+`q("SELECT $1::text", "a\0b")`, "invalid byte sequence")
	r.Fails(prefix+`q("SELECT repeat('x', 1000) FROM generate_series(1, 100000)")`, "bytes")
	r.Fails(`postgres.execute("none", "SELECT 1")`, `there is no pool "none"`)
	r.Fails(`postgres.ensure_pool({pool_id = "wrong", password = "wrong"}) postgres.execute("wrong", "SELECT 1")`, "password authentication failed")
	r.SpeaksTLS("postgres", server.Certs, `assert(postgres.execute(pool, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[1].ssl == true)`)
	r.Passes(fmt.Sprintf(`postgres.ensure_pool({pool_id = "cert", ssl = true, cafile = %q, certfile = %q, keyfile = %q, depth = 3})
		assert(postgres.execute("cert", "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[1].client_dn == "/CN=leaf")`, server.Certs.CA, server.Certs.Cert, server.Certs.Key))
	r.Passes(prefix + `assert(q("SELECT 1 AS one")[1].one == 1)`) // the pool is whole
	r.Passes(fmt.Sprintf(`postgres.ensure_pool({pool_id = "mine", size = 1, host = "127.0.0.1", port = %d, user = %q, password = %q, database = %q})
		for i = 1, 5 do assert(postgres.execute("mine", "SELECT 1 AS one")[1].one == 1) end`, server.Port, server.User, server.Password, server.Database))
	r.Survives(server, prefix+`assert(q("SELECT 1 AS one")[1].one == 1)`)
}

// CockroachDB speaks the same protocol; its name and defaults differ.
func TestIntegrationCockroach(t *testing.T) {
	server := dbtest.Postgres(t)
	d := NewCockroach(&CockroachConfig{HashMethod: "sha256", Server: Server{Host: "127.0.0.1", Port: server.Port, User: server.User, Password: value.NewSecret(server.Password), Database: server.Database, PoolSize: 1}})
	r := dbtest.NewRig(t, "cockroachdb", d)
	r.Passes(`cockroachdb.ensure_pool({}) assert(cockroachdb.execute("pool_cockroachdb", "SELECT 1 AS one")[1].one == 1 and cockroachdb.hash_method() == "sha256")`)
	r.Fails(`postgres.ensure_pool({})`, "no driver for postgres")
}
