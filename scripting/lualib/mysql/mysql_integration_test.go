//go:build integration

package mysql

import (
	"testing"

	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/lualib/dbtest"
)

func TestIntegrationMariaDB(t *testing.T) {
	server := dbtest.MariaDB(t)
	d := New(&Config{HashMethod: "password", Server: Server{Host: "127.0.0.1", Port: server.Port, User: server.User, Password: value.NewSecret(server.Password), Database: server.Database, PoolSize: 2}})
	r := dbtest.NewRig(t, "mysql", d)
	prefix := `assert(mysql.ensure_pool({pool_id = "p"}) == true) local function q(...) return mysql.execute("p", ...) end `
	r.Passes(prefix + `
		assert(q("CREATE TABLE t (id int primary key, name varchar(99), ok bool, f double, g float, n decimal(9,2), b blob, big bigint, js json, d datetime)") == true)
		assert(q("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", 1, "Ünï'; DROP TABLE t; --", true, 1.5, 0.1, 2.25, "r\0w", "9007199254740993", '[{"pattern":"a/#"}]', "2026-01-02 03:04:05") == true)
		assert(q("INSERT INTO t (id, name) VALUES (?, ?)", 2, nil) == true)
		local rows = q("SELECT * FROM t ORDER BY id")
		assert(#rows == 2)
		local a = rows[1]
		assert(a.id == 1 and a.name == "Ünï'; DROP TABLE t; --" and a.ok == 1 and a.f == 1.5 and a.g == 0.1 and a.n == 2.25 and a.b == "r\0w")
		assert(a.big == "9007199254740993" and json.decode(a.js)[1].pattern == "a/#" and a.d == "2026-01-02 03:04:05", a.d)
		assert(rows[2].name == nil)
		assert(#q("SELECT * FROM t WHERE id = ?", 99) == 0)
		assert(q("UPDATE t SET name = 'x' WHERE id = 1") == true)
		assert(mysql.hash_method() == "PASSWORD(?)")
		assert(#q("SELECT " .. mysql.hash_method() .. " AS h", "x")[1].h == 41)
		assert(#q("SELECT ? AS a, ? AS b, ? AS c", 1, "two", 3.5) == 1)`)
	r.Fails(prefix+`q("SELECT nonsense")`, "nonsense")
	r.Fails(prefix+`q("SELECT 1; DROP TABLE t")`, "syntax")
	r.Fails(prefix+`q("SELECT ?", {})`, "bad argument #3 to mysql.execute")
	r.Fails(prefix+`q("SELECT ?")`, "syntax")
	r.Fails(prefix+`q("SELECT ?", 1, 2)`, "expected 1 arguments")
	r.Fails(prefix+`q("SELECT repeat('x', 1000) FROM seq_1_to_100000")`, "bytes")
	r.Fails(`mysql.execute("none", "SELECT 1")`, `there is no pool "none"`)
	r.Fails(`mysql.ensure_pool({pool_id = "wrong", password = "wrong"}) mysql.execute("wrong", "SELECT 1")`, "Access denied")
	r.Passes(prefix + `assert(q("SELECT 1 AS one")[1].one == 1)`) // the pool is whole
	r.SpeaksTLS("mysql", server.Certs, `assert(mysql.execute(pool, "SHOW STATUS LIKE 'Ssl_cipher'")[1].Value ~= "")`)
	r.Survives(server, prefix+`assert(q("SELECT 1 AS one")[1].one == 1)`)
}

func TestIntegrationMariaDB_Second(t *testing.T) {
	server := dbtest.MariaDB(t)
	d := New2(&Config2{HashMethod: "sha256", Server: Server{Host: "127.0.0.1", Port: server.Port, User: server.User, Password: value.NewSecret(server.Password), Database: server.Database, PoolSize: 1}})
	r := dbtest.NewRig(t, "mysql2", d)
	r.Passes(`mysql2.ensure_pool({}) assert(mysql2.execute("pool_mysql2", "SELECT 1 AS one")[1].one == 1 and mysql2.hash_method() == "SHA2(?, 256)")`)
}
