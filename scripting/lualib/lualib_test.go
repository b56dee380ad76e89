package lualib

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/scripting/authcache"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// rig is a host with a log that can be read.
type rig struct {
	*Host
	t   *testing.T
	log bytes.Buffer
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t}
	r.Host = &Host{Cache: authcache.New(), Secrets: luaconv.NewObfuscation(""), Log: slog.New(slog.NewTextHandler(&r.log, nil))}
	t.Cleanup(r.Close)
	return r
}

var limits = sandbox.Limits{Time: 5 * time.Second, Instructions: 10_000_000, Memory: 8 << 20}

// run runs a chunk in a state of its own.
func (r *rig) run(chunk string) error {
	r.t.Helper()
	p, err := sandbox.Compile("chunk", chunk)
	if err != nil {
		r.t.Fatal(err)
	}
	s := sandbox.New(sandbox.Options{})
	defer s.Close()
	r.Open(s, "chunk")
	return s.Load(context.Background(), limits, p)
}

// passes demands that a chunk runs to its end.
func (r *rig) passes(chunk string) {
	r.t.Helper()
	if err := r.run(chunk); err != nil {
		r.t.Errorf("%v\n%s", err, chunk)
	}
}

// fails demands that each line fails with the text behind its "--".
func (r *rig) fails(lines string) {
	r.t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		_, want, _ := strings.Cut(line, "-- ")
		if err := r.run(line); err == nil || !strings.Contains(err.Error(), want) {
			r.t.Errorf("%s\ngot  %v\nwant %s", line, err, want)
		}
	}
}

// Each function of the catalogue exists, is documented, and checks its
// arguments.
func TestModules(t *testing.T) {
	r := newRig(t)
	for i := range Modules {
		m := &Modules[i]
		if m.Name == "" || m.Doc == "" {
			t.Errorf("module %q: name or document is missing", m.Name)
		}
		made := m.open(&binding{Host: r.Host})
		for _, f := range m.Functions {
			if made[f.Name] == nil {
				t.Errorf("%s.%s is in the catalogue and does not exist", m.Name, f.Name)
			}
			if f.Doc == "" {
				t.Errorf("%s.%s has no document", m.Name, f.Name)
			}
			if len(f.Params) > 0 && f.Params[0].Type == "string" {
				if err := r.run(m.Name + "." + f.Name + "()"); err == nil || !strings.Contains(err.Error(), "bad argument #1 ("+f.Params[0].Name+") to "+m.Name+"."+f.Name) {
					t.Errorf("%s.%s(): got %v", m.Name, f.Name, err)
				}
			}
		}
		for name := range made {
			if !slices.ContainsFunc(m.Functions, func(f Function) bool { return f.Name == name }) {
				t.Errorf("%s.%s is not in the catalogue", m.Name, name)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	schema, err := conf.New(&Config{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := schema.Load(conf.Sources{Set: []string{"vmq_bcrypt.default_log_rounds=5", "vmq_bcrypt.pool_size=auto", "script.kv_max_memory=1MB"}})
	if err != nil || res.Failed() {
		t.Fatal(err, res.Problems)
	}
	c := conf.Section[Config](res)
	if c.BcryptRounds != 5 || c.kvMaxMemory() != 1<<20 || c.httpRedirects() != 5 {
		t.Errorf("got %+v", c)
	}
}

func TestJSON(t *testing.T) {
	r := newRig(t)
	r.passes(`
		assert(json.encode({}) == "{}", "empty")
		assert(json.encode({1, 2.5, "x", true, {a = {}}}) == '[1,2.5,"x",true,{"a":{}}]')
		assert(json.encode({"", "a b", 'q"\\\n\1é'}) == '["","a b","q\\"\\\\\\n\\u0001é"]', json.encode({"", "a b", 'q"\\\n\1é'}))
		assert(json.encode({b = 1, a = 1e15, [3] = 1e300}) == '{"3":1e+300,"a":1000000000000000,"b":1}', json.encode({b = 1, a = 1e15, [3] = 1e300}))
		assert(json.encode({[1] = 1, [3] = 3}) == "[1,null,3]")
		assert(json.decode(nil) == nil and json.decode({}) == nil and json.decode(1) == nil)
		assert(json.encode("x") == nil and json.encode(nil) == nil and json.encode(1) == nil)
		assert(json.encode({"\255"}) == '["\239\191\189"]')
		local t = json.decode(' {"a": [1, -2.5e2, null, "x"], "n": null, "o": {"k": false}, "u": "\\u00e9\\ud83d\\ude00\\ud800x"} ')
		assert(t.a[1] == 1 and t.a[2] == -250 and t.a[3] == nil and t.a[4] == "x" and t.n == nil and t.o.k == false)
		assert(t.u == "é😀\239\191\189x", t.u)
		assert(next(json.decode("[]")) == nil and next(json.decode("{}")) == nil)
		for _, bad in ipairs{"", "x", "{", "[1,]", "{\"a\" 1}", "{a:1}", "[01]", "[1.]", "[+1]", "[1e]", "nul", "[nul]", "[1] x", '["\n"]', '["\\x"]', '["\\u12"]', "5", '"s"', "null", "[\"\255\"]", "[1e999]"} do
			assert(json.decode(bad) == nil, bad)
		end
		assert(json.decode(string.rep("[", 65) .. string.rep("]", 65)) == nil)
		assert(json.decode(string.rep("[", 64) .. string.rep("]", 64)) ~= nil)
		local deep = {} ; for i = 1, 200 do deep = {deep} end
		assert(not pcall(json.encode, deep))
	`)
	r.fails(`
json.encode({print}) -- a function has no form
json.encode({0/0}) -- has no form
local t = {} ; t.t = t ; json.encode(t) -- inside themselves
local s = "[" .. string.rep('"aaaaaaaaaaaa",', 100000) .. "1]" ; json.decode(s) -- bytes
local t = {} ; for i = 1, 50000 do t[i] = "aaaaaaaaaaaaaaaaa" end ; for i = 1, 100 do json.encode(t) end -- bytes
`)
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,null,"x\u00e9"]}`, `[]`, `[{"b":-1e3}]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := sandbox.New(sandbox.Options{})
		defer s.Close()
		s.Begin(context.Background(), sandbox.Limits{})
		v := decodeJSON(s.L, s, text)
		if v.String() == "nil" {
			return
		}
		c := Copy(s.L, s, "x", v)
		w := jsonWriter{buffer{L: s.L, s: s}}
		w.value(v, 0)
		again := decodeJSON(s.L, s, string(w.b))
		if !reflect.DeepEqual(Copy(s.L, s, "x", again), c) && !strings.Contains(text, "null") {
			t.Errorf("%q becomes %q", text, w.b)
		}
	})
}

func TestKV(t *testing.T) {
	r := newRig(t)
	r.Config.KVMaxMemory = 1 << 20
	r.passes(`
		for _, kind in ipairs{"set", "ordered_set", "bag", "duplicate_bag"} do
			assert(kv.ensure_table({name = kind, type = kind}) == true)
			assert(kv.ensure_table({name = kind, type = kind}) == true)
			assert(#kv.lookup(kind, "k") == 0)
			assert(kv.insert(kind, {k = "v", n = {a = {1, 2}}, [7] = true}) == true)
			assert(kv.insert_new(kind, {k = "w"}) == false and kv.insert_new(kind, {z = 1, k = 2}) == false)
			assert(#kv.lookup(kind, "z") == 0)
			assert(kv.insert_new(kind, {new = "w"}) == true)
			assert(kv.lookup(kind, "k")[1] == "v" and kv.lookup(kind, "n")[1].a[2] == 2 and kv.lookup(kind, 7)[1] == true)
			kv.insert(kind, {k = "v"}) kv.insert(kind, {k = "x"})
			local want = ({set = 1, ordered_set = 1, bag = 2, duplicate_bag = 3})[kind]
			assert(#kv.lookup(kind, "k") == want, kind)
			assert(kv.delete(kind, "k") == true and #kv.lookup(kind, "k") == 0 and kv.delete(kind, "k") == true)
			assert(kv.delete_all(kind) == true and #kv.lookup(kind, 7) == 0)
		end
		local mine = {inner = {1}}
		kv.insert("set", {copy = mine})
		mine.inner[1] = 2
		kv.lookup("set", "copy")[1].inner[1] = 3
		assert(kv.lookup("set", "copy")[1].inner[1] == 1)
		assert(kv.incr("set", "n") == 1 and kv.incr("set", "n", 4) == 5 and kv.lookup("set", "n")[1] == 5)
	`)
	r.passes(`assert(kv.lookup("set", "n")[1] == 5)`)
	r.fails(`
kv.insert("none", {}) -- there is no table "none"
kv.ensure_table({}) -- name is missing
kv.ensure_table({name = "x", type = "list"}) -- want set, ordered_set
kv.insert("set", {f = print}) -- a function cannot be handed over
kv.lookup("set", {}) -- bad argument #2 (key) to kv.lookup: want string|number|boolean, got table
kv.incr("bag", "x") -- want a set
kv.incr("set", "copy") -- no number
for i = 1, 1e6 do kv.insert("set", {["k" .. i] = "0123456789"}) end -- the tables are full
`)
	r.passes(`kv.delete_all("set")  kv.insert("set", {room = "again"})`)
	if used := r.kv.used.Load(); used > 10_000 {
		t.Errorf("%d bytes are accounted for after everything was deleted", used)
	}
}

func TestCrypto(t *testing.T) {
	r := newRig(t)
	r.passes(`
		for name, want in pairs{
			md5 = "5d41402abc4b2a76b9719d911017c592", sha = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
			sha224 = "ea09ae9cc6768c50fcee903ed054556e5bfc8347907f12598aa24193",
			sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
			sha3_256 = "3338be694f50c5f338814986cdf0686453a888b84f424d792af4b9202398f392",
		} do assert(crypto.hex(crypto.hash(name, "hello")) == want, name) end
		assert(#crypto.hash("sha512", "hello") == 64 and #crypto.hash("sha3_512", "") == 64 and #crypto.hash("sha384", "") == 48)
		assert(crypto.hex(crypto.hmac("sha256", "key", "The quick brown fox jumps over the lazy dog")) == "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8")
		assert(crypto.base64_encode("a?>") == "YT8+" and crypto.base64url_encode("a?>") == "YT8-")
		assert(crypto.base64_decode("YQ==") == "a" and crypto.base64_decode("YQ") == "a" and crypto.base64_decode("?") == nil)
		assert(crypto.base64url_decode("YT8-") == "a?>" and crypto.base64url_decode("YT8+") == nil)
		assert(crypto.equal("a", "a") and not crypto.equal("a", "b") and not crypto.equal("a", "ab"))
		assert(#crypto.random(16) == 16 and crypto.random(16) ~= crypto.random(16))`)
	r.fails(`
crypto.hash("rot13", "x") -- there is no algorithm "rot13"
crypto.hash("md5", {}) -- bad argument #2 (data)
crypto.random(1e6) -- want 1 to 1024
crypto.random(1.5) -- bad argument #1 (n) to crypto.random: want integer
local s = string.rep("x", 1e6) for i = 1, 1e4 do crypto.base64_encode(s) end -- bytes
`)
}

func TestBcrypt(t *testing.T) {
	r := newRig(t)
	r.Config.BcryptRounds, r.Config.BcryptPool = 4, 1
	r.passes(`
		local salt = bcrypt.gen_salt()
		assert(salt:match("^%$2a%$04%$......................$"), salt)
		local h = bcrypt.hashpw("secret", salt)
		assert(h == bcrypt.hashpw("secret", h) and h ~= bcrypt.hashpw("Secret", h))
		assert(#h == 60)
		local b = "$2b" .. h:sub(4)
		assert(b == bcrypt.hashpw("secret", b))
		local y = "$2y" .. h:sub(4)
		assert(y == bcrypt.hashpw("secret", y))`)
	r.fails(`
bcrypt.hashpw("x", "plain") -- the salt is none
bcrypt.hashpw("x", "$2a$03$1234567890123456789012") -- 2^03
bcrypt.hashpw("x", "$1a$04$1234567890123456789012") -- the salt is none
bcrypt.hashpw("x", "$2a$04$123456789012345678901!") -- the salt is none
`)
	for _, password := range []string{"", "a", "päss wörd", strings.Repeat("x", 72), "with\x00nul"} {
		theirs, err := bcrypt.GenerateFromPassword([]byte(password), 4)
		if err != nil {
			t.Fatal(err)
		}
		if ours, err := r.hasher.hash(context.Background(), password, string(theirs)); ours != string(theirs) {
			t.Errorf("%q: got %s %v, want %s", password, ours, err, theirs)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := r.hasher.hash(ctx, "x", "$2a$31$1234567890123456789012"); err == nil || time.Since(began) > time.Second {
		t.Errorf("got %v after %v", err, time.Since(began))
	}
	r.hasher.slots <- struct{}{}
	if _, err := r.hasher.hash(ctx, "x", "$2a$04$1234567890123456789012"); err == nil || !strings.Contains(err.Error(), "one of 1 workers") {
		t.Errorf("got %v", err)
	}
}

func TestAuthCache(t *testing.T) {
	r := newRig(t)
	r.passes(`
		assert(auth_cache.match_publish("", "c", "a", 0, "", false) == false)
		assert(auth_cache.insert("", "c", "user",
			{ {pattern = "a/+"}, {pattern = "q/%m/%c/%u", max_qos = 1, max_payload_size = 3, allowed_retain = false, colour = "red"},
			  {pattern = "mod/#", modifiers = {topic = "new", qos = 2, payload = "p", retain = true, mountpoint = "m",
			    properties = {p_user_property = {{k = "new"}}, p_content_type = "x", p_message_expiry_interval = 7}}},
			  {pattern = "bad/#/x"}, {pattern = 5} },
			{ {pattern = "s/+"}, {pattern = "r", modifiers = { {"other/#", 1}, {"refused", 135} }} }) == true)
		local p = function(topic, qos, payload, retain) return auth_cache.match_publish("", "c", topic, qos or 0, payload or "", retain or false) end
		assert(p("a/b") == true and p("a/b/c") == false)
		assert(p("q//c/user", 1, "123") == true and p("q//c/user", 2) == false and p("q//c/user", 1, "1234") == false and p("q//c/user", 1, "", true) == false)
		assert(p("bad/x/x") == false)
		local m = p("mod/1")
		assert(m.topic == "new" and m.qos == 2 and m.payload == "p" and m.retain == true and m.mountpoint == "m")
		assert(m.properties.p_user_property[1].k == "new" and m.properties.p_content_type == "x" and m.properties.p_message_expiry_interval == 7)
		local s = function(filter, qos) return auth_cache.match_subscribe("", "c", filter, qos or 0) end
		assert(s("s/+") == true and s("s/#") == false and s("s/1", 2) == true)
		assert(s("r")[1][1] == "other/#" and s("r")[1][2] == 1 and s("r")[2][2] == 135)
		assert(auth_cache.insert("", "c2", nil, nil, nil) == true and auth_cache.match_publish("", "c2", "a", 0, "", false) == false)`)
	if text := r.log.String(); !strings.Contains(text, "key=colour") || strings.Count(text, "bad pattern") != 2 {
		t.Errorf("log: %s", text)
	}
	r.fails(`
auth_cache.insert("", "c", "u", {{pattern = "a", modifiers = {topic = "a/#"}}}) -- rule 1: luaconv: modifier topic
auth_cache.insert("", "c", "u", {{pattern = "a", modifiers = {colour = 1}}}) -- colour
auth_cache.insert("", "c", "u", {{pattern = "a", max_qos = 3}}) -- max_qos: want a whole number from 0 to 2
auth_cache.insert("", "c", "u", {{pattern = "a", max_payload_size = 268435457}}) -- max_payload_size
auth_cache.insert("", "c", "u", {{pattern = "a", allowed_retain = 1}}) -- allowed_retain
auth_cache.insert("", "c", "u", nil, {{pattern = "a", modifiers = {"x"}}}) -- subscribe_acl: rule 1
auth_cache.insert("", "c", "u", {"a"}) -- want a table
auth_cache.insert("", "c", "u", "a") -- bad argument #4 (publish_acl)
`)

	// Properties are merged into each message.
	old := packet.MessageProperties{ContentType: "old", HasContentType: true, ResponseTopic: "r", HasResponseTopic: true, UserProperties: []mqtt.UserProperty{{Key: "k", Value: "old"}, {Key: "other", Value: "1"}}}
	rule, _ := r.Cache.Publish(mqtt.SessionKey{ClientID: "c"}, nil, &mqtt.Message{Topic: "mod/x"})
	for range 2 {
		out := rule.Modify(&mqtt.Message{Topic: "mod/x", Properties: old.Append(nil)})
		got, err := packet.DecodeProperties(*out.Properties)
		want := []mqtt.UserProperty{{Key: "other", Value: "1"}, {Key: "k", Value: "new"}}
		if err != nil || !slices.Equal(got.UserProperties, want) || got.ContentType != "x" || got.ResponseTopic != "r" {
			t.Errorf("got %+v %v", got, err)
		}
	}
}

// fakeBroker records what it is asked.
type fakeBroker struct{ did []string }

func (f *fakeBroker) Disconnect(key mqtt.SessionKey, cleanup bool) bool {
	f.did = append(f.did, fmt.Sprint("disconnect ", key, " ", cleanup))
	return key.ClientID == "here"
}
func (f *fakeBroker) Reauthorize(username string, key mqtt.SessionKey) {
	f.did = append(f.did, fmt.Sprint("reauthorize ", username, " ", key))
}
func (f *fakeBroker) Subscriptions(key mqtt.SessionKey) ([]mqtt.Subscription, bool) {
	return []mqtt.Subscription{{Filter: "a/#", QoS: 1}, {Filter: "b", ShareName: "g"}}, key.ClientID == "here"
}
func (f *fakeBroker) Publish(_ time.Time, m *mqtt.Message) {
	f.did = append(f.did, fmt.Sprint("publish ", m.Mountpoint, m.Topic, string(m.Payload), m.QoS, m.Retain, len(m.Properties), !m.Expires.IsZero()))
}

func TestAPI(t *testing.T) {
	r := newRig(t)
	r.fails(`lunemq.publish({topic = "a", payload = "b"}) -- there is no broker here`)
	f := &fakeBroker{}
	r.Broker = f
	r.passes(`
		assert(vmq_api.disconnect_by_subscriber_id({mountpoint = "", client_id = "gone"}, {do_cleanup = false}) == "not_found")
		assert(vmq_api.disconnect_by_subscriber_id({mountpoint = "m", client_id = "here"}, {do_cleanup = true}) == "ok")
		assert(vmq_api.reauthorize_subscriptions("user", {mountpoint = "", client_id = "here"}, {}) == "ok")
		assert(lunemq.publish({topic = "a/b", payload = "p", qos = 1, retain = true, properties = {p_message_expiry_interval = 5, p_content_type = "x"}}) == true)
		assert(lunemq.subscriptions({client_id = "gone"}) == false)
		local s = lunemq.subscriptions({client_id = "here"})
		assert(s[1][1] == "a/#" and s[1][2] == 1 and s[2][1] == "$share/g/b")`)
	if got, want := strings.Join(f.did, "\n"), "disconnect { gone} false\ndisconnect {m here} true\nreauthorize user { here}\npublish a/bp1 true 4 true"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r.fails(`
vmq_api.disconnect_by_subscriber_id({mountpoint = ""}) -- client_id is missing
vmq_api.reauthorize_subscriptions("u", {}, {}) -- client_id is missing
lunemq.publish({topic = "a/#", payload = "x"}) -- vmq_api.publish: topic:
lunemq.publish({payload = "x"}) -- topic or payload is missing
lunemq.publish({topic = "a", payload = "x", colour = 1}) -- colour
`)
}

func TestHTTP(t *testing.T) {
	r := newRig(t)
	r.Config.HTTPMaxResponse = 1 << 10
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, q *http.Request) {
		body := make([]byte, 1000)
		n, _ := q.Body.Read(body)
		w.Header().Set("X-Seen", q.Header.Get("my_header"))
		w.WriteHeader(201)
		fmt.Fprintf(w, "%s %s %s", q.Method, q.Header.Get("Content-Type"), body[:n])
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, "/loop", http.StatusFound) })
	mux.HandleFunc("/big", func(w http.ResponseWriter, q *http.Request) {
		for range 10 {
			fmt.Fprint(w, strings.Repeat("x", 1000))
			w.(http.Flusher).Flush()
		}
	})
	release := make(chan bool)
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { <-release })
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(release)
	secure := httptest.NewTLSServer(mux)
	defer secure.Close()
	prefix := `assert(http.ensure_pool({pool_id = "p", size = 2}) == true) local url, secure = "` + server.URL + `", "` + secure.URL + `" `
	r.passes(prefix + `
		local a = http.post("p", url .. "/echo", "body", {my_header = "value"})
		assert(a.status == 201 and http.body(a.ref) == "POST application/octet-stream body" and a.ref == http.body(a.ref), a.ref)
		assert(a.headers["X-Seen"] == "value")
		assert(http.put("p", url .. "/echo", {a = 1, b = "x y"}).ref == "PUT application/x-www-form-urlencoded a=1&b=x+y")
		assert(http.get("p", url .. "/echo").ref == "GET  ")
		assert(http.delete("p", url .. "/echo", "{}", {["Content-Type"] = "application/json"}).ref == "DELETE application/json {}")
		assert(http.get("p", url .. "/nowhere").status == 404)
		assert(http.get("p", url .. "/loop") == false)
		assert(http.get("p", secure .. "/echo?token=SECRET") == false)
		assert(http.get("p", "http://127.0.0.1:1/x") == false)`)
	if text := r.log.String(); strings.Contains(text, "SECRET") || !strings.Contains(text, "certificate") || !strings.Contains(text, "5 redirects") {
		t.Errorf("log: %s", text)
	}
	var b strings.Builder
	for line := range strings.SplitSeq(`http.get("p", url .. "/big") -- http_max_response
http.get("p", "file:///etc/passwd") -- want http://
http.get("none", url) -- there is no pool "none"
http.ensure_pool({size = "x"}) -- http.ensure_pool: size: want a whole number`, "\n") {
		b.WriteString(prefix + line + "\n")
	}
	r.fails(b.String())

	// A slow server ends the call at its deadline.
	p, _ := sandbox.Compile("slow", prefix+`assert(http.get("p", url .. "/slow") == false)`)
	s := sandbox.New(sandbox.Options{})
	defer s.Close()
	waited := 0
	s.OnWait(func() { waited++ })
	r.Open(s, "slow")
	began := time.Now()
	if err := s.Load(context.Background(), sandbox.Limits{Time: 100 * time.Millisecond}, p); err != nil || waited != 1 || time.Since(began) > 2*time.Second {
		t.Errorf("got %v after %v, waited %d times", err, time.Since(began), waited)
	}
}

// closer counts what Pools do with it.
type closer struct{ closed chan bool }

func (c *closer) Close() { c.closed <- true }

func TestPools(t *testing.T) {
	var p Pools[int, *closer]
	opened := 0
	open := func(int) (*closer, error) { opened++; return &closer{make(chan bool, 1)}, nil }
	for range 3 {
		if err := p.Ensure("a", 1, open); err != nil {
			t.Fatal(err)
		}
	}
	c, release, err := p.Use("a")
	if err != nil || opened != 1 {
		t.Fatal(err, opened)
	}
	if err := p.Ensure("a", 2, open); err != nil || opened != 2 {
		t.Fatal(err, opened)
	}
	select {
	case <-c.closed:
		t.Error("a pool was closed while a call used it")
	default:
	}
	release()
	<-c.closed
	p.Close()
	if err := p.Ensure("b", 1, open); err == nil {
		t.Error("a pool was made after Close")
	}
}

func TestDialer_PausesAfterFailure(t *testing.T) {
	var d Dialers
	_, first := d.DialContext(context.Background(), "tcp", "127.0.0.1:1")
	_, second := d.DialContext(context.Background(), "tcp", "127.0.0.1:1")
	if first == nil || second != first {
		t.Errorf("got %v, then %v: the server was tried again at once", first, second)
	}
}
