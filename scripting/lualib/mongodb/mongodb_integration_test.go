//go:build integration

package mongodb

import (
	"testing"

	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/lualib/dbtest"
)

func TestIntegrationMongoDB(t *testing.T) {
	server := dbtest.NewMongo(t)
	d := New(&Config{Server: Server{Host: "127.0.0.1", Port: server.Port, Login: server.User, Password: value.NewSecret(server.Password), AuthSource: "admin", Database: "db",
		PoolSize: 2, WMode: "safe", ReadPreference: "primaryPreferred"}})
	r := dbtest.NewRig(t, "mongodb", d)
	prefix := `assert(mongodb.ensure_pool({pool_id = "p"}) == true) `
	r.Passes(prefix + `
		local doc = mongodb.insert("p", "c", {name = "x", n = 1, f = 1.5, ok = true, list = {1, {a = "b"}}, empty = {}})
		assert(doc.name == "x" and doc._id:match("^mongodb%-object%-id:%x+$"))
		local again = mongodb.find_one("p", "c", {_id = doc._id})
		assert(again.n == 1 and again.f == 1.5 and again.ok == true and again.list[2].a == "b" and again._id == doc._id and next(again.empty) == nil)
		assert(mongodb.find_one("p", "c", {_id = "other"}) == false)
		local docs = mongodb.insert("p", "c", {{_id = "mine", n = 2}, {n = 3}, {n = 4}})
		assert(#docs == 3 and docs[1]._id == "mine" and docs[2]._id ~= docs[3]._id)
		assert(mongodb.update("p", "c", {n = 3}, {n = 33, more = "m"}) == true)
		assert(mongodb.find_one("p", "c", {n = 33}).more == "m")
		assert(mongodb.find_one("p", "c", {n = {["$in"] = {33, 34}}}, {projector = {n = true}}).more == nil)
		local without = mongodb.find_one("p", "c", {n = 33}, {projector = {more = false}})
		assert(without.n == 33 and without.more == nil)
		assert(mongodb.find_one("p", "c", {}, {skip = 3}).n == 4)

		local cursor = mongodb.find("p", "c", {}, {batchsize = 2})
		assert(type(cursor) == "string" and mongodb.next(cursor).name == "x" and #mongodb.take(cursor, 2) == 2)
		assert(mongodb.next(cursor).n == 4 and mongodb.next(cursor) == false and mongodb.take(cursor, 5) == false)
		cursor = mongodb.find("p", "c", {}, {batchsize = 1, projector = {n = true}})
		assert(#mongodb.take(cursor, 100) == 4)
		cursor = mongodb.find("p", "c", {}, {batchsize = 1})
		assert(mongodb.close(cursor) == true and mongodb.next(cursor) == false and mongodb.close(cursor) == true)
		assert(mongodb.next(mongodb.find("p", "c", {none = 1})) == false)
		assert(mongodb.next("invented") == false)

		assert(mongodb.delete("p", "c", {n = 4}) == true and mongodb.find_one("p", "c", {n = 4}) == false)`)
	if server.Fetched() == 0 {
		t.Error("no cursor was asked for more")
	}
	r.Fails(prefix+`mongodb.insert("p", "c", {f = print})`, "a function cannot be handed over")
	r.Fails(prefix+`mongodb.insert("p", "c", {"x"})`, "documents: want a table with names")
	r.Fails(prefix+`mongodb.find("p", "c", {}, {colour = 1})`, "options: want projector")
	r.Fails(`mongodb.find_one("none", "c", {})`, `there is no pool "none"`)
	r.Fails(`mongodb.ensure_pool({read_preference = "any"})`, "read_preference")
	r.Fails(`mongodb.ensure_pool({pool_id = "wrong", password = "wrong"}) mongodb.find_one("wrong", "c", {})`, "Authentication failed")
	r.Passes(`mongodb.ensure_pool({pool_id = "unsafe", w_mode = "unsafe"}) assert(mongodb.insert("unsafe", "u", {a = 1}).a == 1)`)
	r.Survives(server, prefix+`assert(mongodb.find_one("p", "c", {name = "x"}).n == 1)`)
}

func TestIntegrationMongoDB_TLS(t *testing.T) {
	server := dbtest.NewMongo(t)
	server.Stop()
	server.TLS = dbtest.NewCerts(t, t.TempDir())
	server.Start()
	d := New(&Config{Server: Server{Host: "127.0.0.1", Port: server.Port, Login: server.User, Password: value.NewSecret(server.Password), AuthSource: "admin", Database: "db",
		PoolSize: 1, WMode: "safe", ReadPreference: "primary"}})
	r := dbtest.NewRig(t, "mongodb", d)
	r.SpeaksTLS("mongodb", server.TLS, `assert(mongodb.find_one(pool, "c", {}) == false)`)
	r.Fails(`mongodb.ensure_pool({pool_id = "plain"}) mongodb.find_one("plain", "c", {})`, "mongodb.find_one")
}
