//go:build integration

package redis

import (
	"testing"

	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/lualib/dbtest"
)

func TestIntegrationRedis(t *testing.T) {
	server := dbtest.Redis(t)
	d := New(&Config{Host: "127.0.0.1", Port: server.Port, Password: value.NewSecret(server.Password), PoolSize: 2})
	r := dbtest.NewRig(t, "redis", d)
	prefix := `assert(redis.ensure_pool({pool_id = "p"}) == true) local function cmd(...) return redis.cmd("p", ...) end `
	r.Passes(prefix + `
		assert(cmd("set mykey Hello") == true and cmd("get mykey") == "Hello" and cmd("get nothing") == nil)
		assert(cmd("SET mykey again NX") == nil and cmd("set other x xx") == nil)
		assert(cmd("set n 10") == true and cmd("incr n") == "11" and cmd("incrby", "n", 4) == "15")
		local list = cmd("mget mykey nothing n")
		assert(list[1] == "Hello" and list[2] == nil and list[3] == "15")
		assert(cmd("expire n 100") == "1" and cmd("ttl n") == "100")
		assert(cmd("rpush", "l", {"a", "b c", 3}) == "3" and cmd("lrange l 0 -1")[2] == "b c")
		assert(cmd("hset", "h", {field = "value"}) == "1" and cmd("hget h field") == "value" and cmd("hgetall h")[2] == "value")
		assert(cmd("lpush mykey x") == false, "an error reply")
		assert(cmd("set", "with blanks", "a b\r\nc") == true and cmd("get", "with blanks") == "a b\r\nc")
		local key = "with blanks"
		assert(cmd("get " .. key) == "a b\r\nc", "a key with blanks at run time")
		local client_id = 'x" "y'
		assert(cmd("set", json.encode({"", client_id, "u"}), "v") == true and cmd("get " .. json.encode({"", client_id, "u"})) == "v")`)
	r.Fails(prefix+`local key = "k v EX 1" cmd("set " .. key)`, "put together at run time")
	r.Fails(prefix+`local key = "k x" cmd("set " .. key, "value")`, "put together at run time")
	r.Fails(prefix+`cmd("multi")`, "changes a connection")
	r.Fails(prefix+`cmd("SUBSCRIBE x")`, "changes a connection")
	r.Fails(prefix+`cmd(" ")`, "the command is empty")
	r.Fails(prefix+`cmd("get", print)`, "a function cannot be handed over")
	r.Fails(`redis.cmd("none", "get x")`, `there is no pool "none"`)
	r.Fails(`redis.ensure_pool({pool_id = "wrong", password = "wrong"}) redis.cmd("wrong", "get x")`, "WRONGPASS")
	r.Fails(`redis.ensure_pool({pool_id = "without", password = ""}) redis.cmd("without", "get x")`, "NOAUTH")
	r.Passes(`redis.ensure_pool({pool_id = "one", database = 1}) assert(redis.cmd("one", "get mykey") == nil)`)
	r.Passes(prefix + `assert(cmd("ACL SETUSER worker on >w0rk ~mykey +get +hello +auth") == true)
		redis.ensure_pool({pool_id = "worker", user = "worker", password = "w0rk"})
		assert(redis.cmd("worker", "get mykey") == "Hello")`)
	r.Fails(`redis.ensure_pool({pool_id = "worker", user = "worker", password = "w0rk"}) redis.cmd("worker", "get n")`, "NOPERM")
	r.Survives(server, prefix+`assert(cmd("set mykey Hello") == true)`)
}
