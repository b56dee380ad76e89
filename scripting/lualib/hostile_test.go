package lualib

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/quick"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Libraries cannot be made to take more than a call may: each chunk ends by
// itself or at a limit, soon, and with little memory held.
func TestHostile(t *testing.T) {
	r := newRig(t)
	r.Config.KVMaxMemory = 4 << 20
	r.passes(`kv.ensure_table({name = "t", type = "duplicate_bag"}) kv.ensure_table({name = "b", type = "bag"})`)
	for _, chunk := range []string{
		`while true do json.encode({string.rep("x", 1000)}) end`,
		`while true do pcall(json.encode, {string.rep("x", 1000)}) end`,
		`local t = {} for i = 1, 1e5 do t[i] = i end while true do json.encode(t) end`,
		`local s = "[" .. string.rep("1,", 1e5) .. "1]" while true do pcall(json.decode, s) end`,
		`local s = "[" .. string.rep('{"a":1},', 1e5) .. "1]" while true do pcall(json.decode, s) end`,
		`local s = string.rep('{"a":', 1e5) while true do pcall(json.decode, s) end`,
		`local s = "[[" .. string.rep("[],", 1e5) .. "[]]]" while true do pcall(json.decode, s) end`,
		`local s = '["' .. string.rep("\\u0041", 1e5) .. '"]' while true do pcall(json.decode, s) end`,
		`local t = {} t.t = t pcall(json.encode, t) pcall(kv.insert, "t", t) pcall(kv.insert, "t", {k = t})`,
		`local t = {} for i = 1, 20 do t = {t, t} end pcall(json.encode, t)`,
		`local t = {} for i = 1, 20 do t = {t, t} end pcall(kv.insert, "t", {k = t})`,
		`while true do pcall(kv.insert, "t", {k = string.rep("x", 1000)}) end`,
		`local i = 0 while true do i = i + 1 pcall(kv.insert, "b", {k = i}) end`,
		`local i = 0 while true do i = i + 1 pcall(kv.ensure_table, {name = "t" .. i}) end`,
		`while true do pcall(kv.lookup, "t", "k") end`,
		`local s = string.rep("x", 1e6) while true do crypto.hash("sha3_512", s) end`,
		`local s = string.rep("x", 1e6) while true do pcall(crypto.base64_encode, s) end`,
		`while true do crypto.random(1024) end`,
		`while true do pcall(bcrypt.hashpw, "x", "$2a$31$1234567890123456789012") end`,
		`while true do bcrypt.gen_salt() end`,
		`local s = string.rep("x", 1e6) while true do obf.encrypt(s) end`,
		`local i = 0 while true do i = i + 1 pcall(http.ensure_pool, {pool_id = "p" .. i}) end`,
		`local t = {} for i = 1, 1e4 do t[i] = {pattern = "a/" .. i} end local i = 0 while true do i = i + 1 pcall(auth_cache.insert, "", "c", "u", t, t) end`,
		`setmetatable(_G, {__index = function(t, k) return t[k .. "x"] end}) json.encode({_G})`,
		`local t = setmetatable({}, {__index = function() return 1 end, __len = function() return 1e9 end}) json.encode(t) kv.insert("t", t)`,
		`local t = {} t[2^53] = 1 t[-1] = 2 t[0.5] = 3 t[1e300] = 4 json.encode(t) kv.insert("t", t)`,
		`local s = string.rep("\1", 1e6) local t = {} for i = 1, 100 do t[i] = s end json.encode(t)`,
		`local t = {} for i = 1, 1e5 do t[i] = string.rep("\1", 50) end json.encode(t)`,
		`local co = coroutine.wrap(function() while true do json.encode({1}) end end) co()`,
		`while true do pcall(log.info, string.rep("x", 1e5)) end`,
	} {
		p, err := sandbox.Compile("hostile", chunk)
		if err != nil {
			t.Fatal(err)
		}
		s := sandbox.New(sandbox.Options{})
		r.Open(s, "hostile")
		began := time.Now()
		err = s.Load(context.Background(), sandbox.Limits{Time: 300 * time.Millisecond, Instructions: 5_000_000, Memory: 8 << 20}, p)
		took := time.Since(began)
		s.Close()
		var limit *sandbox.LimitError
		if strings.Contains(chunk, "while true") && !errors.As(err, &limit) {
			t.Errorf("%s\nended with %v", chunk, err)
		}
		if took > 3*time.Second {
			t.Errorf("%s\ntook %v", chunk, took)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.HeapAlloc > 64<<20 {
			t.Errorf("%s\n%d MB are held", chunk, m.HeapAlloc>>20)
		}
		r.log.Reset()
	}
}

// What libraries allocate is charged: a call cannot take many times what it may,
// freed or not.
func TestHostile_Allocates(t *testing.T) {
	const limit = 8 << 20
	r := newRig(t)
	r.Log, r.Broker = slog.New(slog.NewTextHandler(io.Discard, nil)), &deafBroker{}
	r.passes(`kv.ensure_table({name = "t"}) http.ensure_pool({pool_id = "p"})`)
	const long = `local s, t = string.rep("\1", 1e6), {} `
	const shared = long + `for i = 1, 100 do t[i] = s end `
	for _, chunk := range []string{
		shared + `json.encode(t)`,
		`local t = {} for i = 1, 3e4 do t[i] = string.rep("\1", 50) end json.encode(t)`,
		`local t, e = {}, {string.rep("\1", 50)} for i = 1, 1e5 do t[i] = e end json.encode(t)`,
		`local t = {} for i = 1, 3e4 do t[i + 0.5] = true end json.encode(t) json.encode(t)`,
		`local s = '["' .. string.rep("xxxxxxx\\n", 3e5) .. '"]' for i = 1, 10 do json.decode(s) end`,
		`local s = '["' .. string.rep("x", 1e6) .. '"]' for i = 1, 100 do json.decode(s) end`,
		long + `for i = 1, 3 do t["f" .. i] = s end http.post("p", "http://127.0.0.1:1/", t)`,
		long + `http.post("p", "http://127.0.0.1:1/", {[s] = s})`,
		long + `for i = 1, 100 do pcall(http.get, "p", "http://127.0.0.1:1/" .. s) end`,
		long + `for i = 1, 20 do t["h" .. i] = s end http.get("p", "http://127.0.0.1:1/", nil, t)`,
		long + `for i = 1, 100 do obf.encrypt(s) end`,
		long + `local o = obf.encrypt(s) for i = 1, 100 do obf.decrypt(o) end`,
		long + `for i = 1, 100 do crypto.hex(s) end`,
		long + `for i = 1, 100 do crypto.equal(s, s) end`,
		long + `for i = 1, 100 do crypto.hmac("md5", s, "") end`,
		long + `for i = 1, 100 do pcall(kv.lookup, s, "k") end`,
		long + `for i = 1, 100 do pcall(kv.ensure_table, {name = "x", type = s}) end`,
		long + `for i = 1, 100 do pcall(bcrypt.hashpw, s, "$2a$04$1234567890123456789012") end`,
		long + `for i = 1, 1e4 do log.info(s) end`,
		long + `for i = 1, 100 do pcall(vmq_api.reauthorize_subscriptions, s, {client_id = "c"}) end`,
		long + `for i = 1, 1e5 do t[i] = {[s] = s} end vmq_api.publish({topic = "t", payload = "", properties = {p_user_property = t}})`,
		`local t, e = {}, {k = string.rep("x", 6e4)} for i = 1, 5e4 do t[i] = e end vmq_api.publish({topic = "t", payload = "", properties = {p_user_property = t}})`,
	} {
		p, err := sandbox.Compile("hostile", chunk)
		if err != nil {
			t.Fatal(err)
		}
		s := sandbox.New(sandbox.Options{})
		r.Open(s, "hostile")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err = s.Load(context.Background(), sandbox.Limits{Time: 10 * time.Second, Instructions: 50_000_000, Memory: limit}, p)
		runtime.ReadMemStats(&after)
		s.Close()
		if got := after.TotalAlloc - before.TotalAlloc; got > 4*limit {
			t.Errorf("%s\nallocated %d MB of %d, and ended with %v", chunk, got>>20, limit>>20, err)
		}
	}
}

// deafBroker does nothing.
type deafBroker struct{ fakeBroker }

func (*deafBroker) Reauthorize(string, mqtt.SessionKey) {}
func (*deafBroker) Publish(time.Time, *mqtt.Message)    {}

// The form of a body is what net/url makes of it.
func TestForm(t *testing.T) {
	s := sandbox.New(sandbox.Options{})
	s.Begin(context.Background(), sandbox.Limits{})
	if err := quick.Check(func(name, v string, raw []byte) bool {
		w := buffer{L: s.L, s: s}
		w.form(&Table{Keys: []Entry{{name, v}, {"~", string(raw)}}})
		return string(w.b) == url.QueryEscape(name)+"="+url.QueryEscape(v)+"&"+url.QueryEscape("~")+"="+url.QueryEscape(string(raw))
	}, nil); err != nil {
		t.Error(err)
	}
}

// States of all scripts share tables and pools.
func TestKV_Concurrent(t *testing.T) {
	r := newRig(t)
	r.passes(`kv.ensure_table({name = "n"}) kv.ensure_table({name = "bag", type = "bag"})`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := r.run(`
				for i = 1, 500 do
					kv.incr("n", "sum")
					kv.insert("bag", {k = i % 10})
					for _, v in ipairs(kv.lookup("bag", "k")) do assert(v < 10) end
					if i % 50 == 0 then kv.delete("bag", "k") end
				end`); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	r.passes(`assert(kv.lookup("n", "sum")[1] == 4000) kv.delete_all("bag") kv.delete_all("n")`)
	if used := r.kv.used.Load(); used > 3000 {
		t.Errorf("%d bytes are accounted for after everything was deleted", used)
	}
}

func BenchmarkCalls(b *testing.B) {
	for name, chunk := range map[string]string{
		"kv.incr":     `kv.incr("t", "k")`,
		"kv.lookup":   `kv.lookup("t", "k")`,
		"json.encode": `json.encode({topic = "a/b", n = 1, list = {1, 2, 3}})`,
		"json.decode": `json.decode('{"topic":"a/b","n":1,"list":[1,2,3]}')`,
		"crypto.hash": `crypto.hash("sha256", "hello")`,
	} {
		b.Run(name, func(b *testing.B) {
			r := &rig{t: &testing.T{}}
			r.Host = &Host{}
			p, err := sandbox.Compile("bench", `kv.ensure_table({name = "t"}) kv.insert("t", {k = 1}) for i = 1, 1000 do `+chunk+` end`)
			if err != nil {
				b.Fatal(err)
			}
			s := sandbox.New(sandbox.Options{})
			r.Open(s, "bench")
			for b.Loop() {
				if err := s.Load(context.Background(), sandbox.Limits{}, p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/call")
		})
	}
}
