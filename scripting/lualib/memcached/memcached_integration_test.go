//go:build integration

package memcached

import (
	"testing"

	"github.com/lunemq/lunemq/scripting/lualib/dbtest"
)

func TestIntegrationMemcached(t *testing.T) {
	server := dbtest.Memcached(t)
	d := New(&Config{Host: "127.0.0.1", Port: server.Port, PoolSize: 2})
	r := dbtest.NewRig(t, "memcached", d)
	prefix := `assert(memcached.ensure_pool({pool_id = "p"}) == true) `
	r.Passes(prefix + `
		assert(memcached.flush_all("p") == true and memcached.get("p", "k") == false)
		assert(memcached.set("p", "k", "a b\r\nc") == "a b\r\nc" and memcached.get("p", "k") == "a b\r\nc")
		assert(memcached.add("p", "k", "x") == false and memcached.add("p", "new", "x") == "x")
		assert(memcached.replace("p", "k", "y") == "y" and memcached.replace("p", "none", "y") == false)
		assert(memcached.delete("p", "k") == true and memcached.delete("p", "k") == false)
		assert(memcached.set("p", "short", "x", 100) == "x" and memcached.get("p", "short") == "x")
		memcached.set("p", "gone", "x", -1)
		assert(memcached.get("p", "gone") == false)`)
	r.Passes(prefix + `assert(memcached.get("p", "key with blanks") == false and memcached.delete("p", "x\r\nflush_all") == false)`)
	r.Fails(prefix+`memcached.set("p", "key with blanks", "x")`, "malformed")
	r.Fails(prefix+`memcached.set("p", "k\r\nflush_all", "x")`, "malformed")
	r.Fails(prefix+`memcached.set("p", "k", string.rep("x", 2 * 1024 * 1024))`, "too large")
	r.Fails(`memcached.get("none", "x")`, `there is no pool "none"`)
	r.Fails(`memcached.ensure_pool({pool_id = "dead", port = 1})`, "memcached.ensure_pool")
	r.Survives(server, prefix+`memcached.set("p", "k", "v")`)
}
