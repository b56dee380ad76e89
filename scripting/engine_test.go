package scripting

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/scripting/authcache"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/telemetry/alarm"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// rig is an engine over a folder of its own.
type rig struct {
	*Engine
	t       *testing.T
	dir     string
	log     brokertest.Output
	metrics *metric.Broker
	alarms  *alarm.List
	changed chan struct{}
}

func defaults(dir string) *Config {
	return &Config{Dir: dir, BundledDir: filepath.Join(dir, "bundled"), States: 1, MaxStates: 64, Timeout: 5 * time.Second,
		MaxSteps: 10_000_000, MaxMemory: 16 << 20, TotalMemory: 256 << 20, OnError: "refuse", MaxWaiting: 1000}
}

func start(t *testing.T, files map[string]string, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), metrics: metric.NewBroker(), alarms: &alarm.List{}, changed: make(chan struct{}, 1000)}
	for name, text := range files {
		r.write(name, text)
	}
	cfg := defaults(r.dir)
	for _, f := range change {
		f(cfg)
	}
	log := slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	host := &lualib.Host{Log: log, Cache: authcache.New(), Secrets: luaconv.NewObfuscation("")}
	e, err := Start(cfg, Deps{Log: log, Metrics: r.metrics, Alarms: r.alarms, Host: host, Changed: func() { r.changed <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	r.Engine = e
	t.Cleanup(e.Close)
	return r
}

// write writes a file by renaming a new one over it.
func (r *rig) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path+"~", []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		r.t.Fatal(err)
	}
}

// logged waits until the log contains each of the texts.
func (r *rig) logged(want ...string) {
	r.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		text, missing := r.log.String(), ""
		for _, w := range want {
			if !strings.Contains(text, w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the log lacks %q:\n%s", missing, text)
		}
		<-time.After(5 * time.Millisecond)
	}
}

var (
	alice  = &hook.Client{Key: mqtt.SessionKey{ClientID: "alice"}, Username: "al", HasUser: true, Version: mqtt.V311}
	alice5 = &hook.Client{Key: mqtt.SessionKey{ClientID: "alice"}, Username: "al", HasUser: true, Version: mqtt.V5}
)

// publish asks about one message and says what came of it.
func (r *rig) publish(c *hook.Client, topic string) string {
	v, mod := (*Hooks)(r.Engine).AuthOnPublish(context.Background(), &hook.Publish{Client: c, Message: &mqtt.Message{Topic: topic, Payload: []byte("p"), QoS: 1}})
	out := [...]string{"next", "ok", "deny"}[v.Decision]
	if mod != nil && mod.Topic != nil {
		out += " topic=" + *mod.Topic
	}
	if mod != nil && mod.Payload != nil {
		out += " payload=" + string(*mod.Payload)
	}
	if strings.Contains(v.Reason, "failed") {
		out += " error"
	}
	return out
}

func (r *rig) expect(c *hook.Client, topic, want string) {
	r.t.Helper()
	if got := r.publish(c, topic); got != want {
		r.t.Errorf("publish to %q: got %s, want %s\n%s", topic, got, want, r.log.String())
	}
}

func hooked(body string) string {
	return "hooks = { auth_on_publish = function(m)\n" + body + "\nend }"
}

func TestAnswers(t *testing.T) {
	r := start(t, map[string]string{"a.lua": hooked(`
		local answers = {
			yes = true, no = false, number = 7, str = "x",
			rewrite = {topic = "new/topic", payload = m.payload .. "!"},
			empty = {}, unknown = {colour = "red"}, wrong = {qos = 5}, bad = {topic = "a/#"},
		}
		if m.topic == "error" then error("on purpose") end
		if m.topic == "who" then return m.username == "al" and m.client_id == "alice" and m.mountpoint == "" and m.qos == 1 and m.retain == false end
		return answers[m.topic]`)})
	for topic, want := range map[string]string{
		"yes": "ok", "no": "deny", "number": "next", "str": "next", "nothing": "next", "who": "ok",
		"rewrite": "ok topic=new/topic payload=p!",
		"empty":   "deny error", "unknown": "deny error", "wrong": "deny error", "bad": "deny error", "error": "deny error",
	} {
		r.expect(alice, topic, want)
	}
	r.expect(alice5, "yes", "next") // there is no auth_on_publish_m5
	r.logged("on purpose", "a.lua:", "colour", "stack=")

	lax := start(t, map[string]string{"a.lua": hooked(`error("x")`), "b.lua": hooked(`return true`)}, func(c *Config) { c.OnError = "next" })
	lax.expect(alice, "t", "ok")
}

func TestOrder(t *testing.T) {
	r := start(t, map[string]string{
		"b.lua": hooked(`if m.topic == "b" then return false end`), "a.lua": hooked(`if m.topic == "a" then return {topic = "from a"} end`),
		"more/c.lua": hooked(`return {topic = "from c"}`), "sub/ignored.lua": hooked(`return false`),
	}, func(c *Config) { c.Files = map[string]FileConfig{"x": {File: filepath.Join(c.Dir, "more/c.lua")}} })
	r.expect(alice, "a", "ok topic=from a")
	r.expect(alice, "b", "deny")
	r.expect(alice, "c", "ok topic=from c")
}

func TestReload(t *testing.T) {
	r := start(t, map[string]string{"a.lua": hooked(`return true`)}, func(c *Config) { c.MaxSteps = 10_000 })
	r.expect(alice, "t", "ok")
	r.write("a.lua", hooked(`return false`))
	r.logged("script loaded", `script=a.lua`)
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "deny" })

	r.write("a.lua", hooked(`return true`)+"\nx = = 1")
	r.logged("a.lua:4", "the version before stays in force")
	r.expect(alice, "t", "deny")

	r.write("a.lua", "local function broken()\n  error('at load')\nend\nbroken()")
	r.logged("at load", "a.lua:4")
	r.expect(alice, "t", "deny")

	r.write("a.lua", "while true do end")
	r.logged("more than 100000 instructions")
	r.expect(alice, "t", "deny")

	// The set of hooks may change.
	r.write("a.lua", "hooks = { auth_on_publish_m5 = function(m) return true end }")
	brokertest.Eventually(t, func() bool { return r.publish(alice5, "t") == "ok" })
	r.expect(alice, "t", "next")

	// In place, and by a symbolic link that is swapped.
	if err := os.WriteFile(filepath.Join(r.dir, "a.lua"), []byte(hooked(`return false`)), 0o644); err != nil {
		t.Fatal(err)
	}
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "deny" })
	r.write("v1/real.lua", hooked(`return {topic = "one"}`))
	r.write("v2/real.lua", hooked(`return {topic = "two"}`))
	link := func(target, name string) {
		tmp := filepath.Join(r.dir, "tmplink")
		if err := os.Symlink(target, tmp); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(r.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("v1", "current")
	link("current/real.lua", "a.lua")
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "ok topic=one" })
	link("v2", "current")
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "ok topic=two" })

	if err := os.Remove(filepath.Join(r.dir, "a.lua")); err != nil {
		t.Fatal(err)
	}
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "next" })
	if n := r.metrics.ScriptReloads.Count(); n < 4 {
		t.Errorf("got %d reloads counted", n)
	}
	if n := r.metrics.ScriptLoadErrors.Count(); n < 3 {
		t.Errorf("got %d failed loads counted", n)
	}
}

func TestRequire(t *testing.T) {
	r := start(t, map[string]string{
		"a.lua": `local m = require "lib/answers"
			hooks = { auth_on_publish = function(x) return m.answer end }`,
		"lib/answers.lua":         `return {answer = true}`,
		"bundled/lib/answers.lua": `return {answer = false}`,
		"b.lua":                   `require "../../etc/passwd"`,
		"c.lua":                   `require "lib/none"`,
		"d.lua":                   `require "bundle"`,
		"bundled/bundle.lua":      `return 1`,
		"e.lua":                   `require "lib/loop"`,
		"lib/loop.lua":            `require "lib/loop"`,
	})
	r.expect(alice, "t", "ok")
	r.write("lib/answers.lua", `return {answer = false}`)
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "deny" })
	r.logged("b.lua", "want the path of a file below", "c.lua", "there is no lib/none.lua below", `script=d.lua`, "requires itself (lib/loop -> lib/loop)")
}

func TestStates(t *testing.T) {
	const counter = `
		n = 0
		hooks = { auth_on_publish = function(m) n = n + 1 return {topic = "n" .. n .. "/" .. (m.topic == "id" and __SCRIPT_INSTANCE_ID__ or "")} end }`
	r := start(t, map[string]string{"a.lua": counter})
	for range 3 {
		r.expect(alice, "t", "ok topic=n1/")
	}
	k := start(t, map[string]string{"a.lua": "keep_state = true" + counter})
	for i := range 3 {
		k.expect(alice, "t", fmt.Sprintf("ok topic=n%d/", i+1))
	}
	m := start(t, map[string]string{"a.lua": "keep_state = true num_states = 3" + counter})
	if n := m.Engine.script("a.lua").current.Load().pool.made.Load(); n != 3 {
		t.Errorf("got %d states, want 3", n)
	}
	bad := start(t, map[string]string{"a.lua": "num_states = 0.5" + counter})
	bad.logged("num_states is 0.5, want a whole number")
}

// TestDoor: clients whose registrations hang take no states from those that are
// connected.
func TestDoor(t *testing.T) {
	r := start(t, map[string]string{"a.lua": `local function yes() return true end hooks = { auth_on_register = yes, auth_on_publish = yes }`},
		func(c *Config) { c.MaxStates, c.Timeout = 2, 20*time.Millisecond })
	v := r.script("a.lua").current.Load()
	for range 2 {
		in, err := v.door.take(time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer v.door.put(in)
	}
	r.expect(alice, "t", "ok")
	if got, _ := (*Hooks)(r.Engine).AuthOnRegister(context.Background(), &hook.Register{Client: alice}); got.Decision != hook.Deny || !strings.Contains(got.Reason, errTimeout.Error()) {
		t.Errorf("got %+v", got)
	}
}

// TestBreach shows that a state that broke a limit is replaced.
func TestBreach(t *testing.T) {
	for _, keep := range []string{"true", "false"} {
		r := start(t, map[string]string{"a.lua": "keep_state = " + keep + "\nn = 0\n" + hooked(`
			n = n + 1
			if m.topic == "loop" then while true do pcall(error) end end
			if m.topic == "memory" then local t = {} while true do t[#t + 1] = {} end end
			return {topic = "n" .. n}`)}, func(c *Config) { c.MaxSteps, c.Timeout = 100_000, time.Second })
		r.expect(alice, "t", "ok topic=n1")
		r.expect(alice, "loop", "deny error")
		r.expect(alice, "memory", "deny error")
		r.expect(alice, "t", "ok topic=n1")
		if n := r.metrics.Scripts.Row("a.lua", "auth_on_publish").Breaches.Count(); n != 2 {
			t.Errorf("got %d breaches counted, want 2", n)
		}
	}
}

// TestBreach_Aside: the loop whose call broke a limit does not make the state
// that takes the place of the one thrown away, and a script that takes long to
// load has its states before they are needed.
func TestBreach_Aside(t *testing.T) {
	heavy := "local t = {} for i = 1, 5000 do t[i] = i end\n"
	for head, want := range map[string]int64{heavy: int64(runtime.GOMAXPROCS(0)), "": 1, "keep_state = true\n": 1} {
		r := start(t, map[string]string{"a.lua": head + hooked(`if m.topic == "loop" then while true do end end return true`)}, func(c *Config) { c.MaxSteps = 100_000 })
		v := r.script("a.lua").current.Load()
		made := func() (n int64) {
			for i := range v.pool.free {
				if v.pool.free[i].Load() != nil {
					n++
				}
			}
			return n
		}
		if got := made(); got != want {
			t.Errorf("%q: %d states are free, want %d", head, got, want)
		}
		replace := v.pool.replace
		var later []func()
		v.pool.replace = func(f func()) { later = append(later, f) }
		r.expect(alice, "loop", "deny error")
		if got := made(); got != want-1 || len(later) != 1 || v.pool.made.Load() != want {
			t.Errorf("%q: %d states are free, %d are to be made", head, got, len(later))
		}
		replace(later[0])
		brokertest.Eventually(t, func() bool { return made() == want })
	}
}

// underLoad makes calls from all sides until stop is called; each answer must be
// good.
func (r *rig) underLoad(good func(answer string) bool) (stop func()) {
	end := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				if got := r.publish(alice, "t"); !good(got) {
					r.t.Error(got)
					return
				}
			}
		})
	}
	return func() {
		close(end)
		wg.Wait()
	}
}

// TestReload_UnderLoad reloads all the time while calls come from all sides: no
// call may fail or see anything but one of the versions.
func TestReload_UnderLoad(t *testing.T) {
	for _, head := range []string{"", "keep_state = true num_states = 2\n"} {
		r := start(t, map[string]string{"a.lua": head + hooked(`return {topic = "v0"}`)})
		stop := r.underLoad(func(got string) bool { return strings.HasPrefix(got, "ok topic=v") })
		for i := 1; i <= 20; i++ {
			text := head + hooked(fmt.Sprintf(`return {topic = "v%d"}`, i))
			if i%5 == 0 {
				text += " = broken"
			}
			r.write("a.lua", text)
			r.Engine.changed()
		}
		stop()
		r.expect(alice, "t", "ok topic=v19")
	}
}

func TestEvents(t *testing.T) {
	const text = `
		local function note(name) return function(m) log.info(name .. " " .. m.client_id .. " " .. tostring(m.topic)) end end
		hooks = {}
		for _, n in ipairs({"on_register", "on_publish", "on_subscribe", "on_offline_message", "on_client_wakeup", "on_client_offline", "on_client_gone", "on_session_expired"}) do
			hooks[n] = note(n)
		end`
	r := start(t, map[string]string{"a.lua": text})
	h := (*Hooks)(r.Engine)
	m := &mqtt.Message{Topic: "t/1"}
	h.OnRegister(alice, &hook.Properties{})
	h.OnPublish(&hook.Publish{Client: alice, Message: m})
	h.OnSubscribe(&hook.Subscribe{Client: alice})
	h.OnOfflineMessage(alice.Key, mqtt.Delivery{}, m)
	h.OnClientWakeup(alice.Key)
	h.OnClientOffline(alice.Key)
	h.OnClientGone(alice.Key)
	h.OnSessionExpired(alice.Key)
	for _, want := range []string{"on_register alice nil", "on_publish alice t/1", "on_subscribe alice nil", "on_offline_message alice t/1",
		"on_client_wakeup alice", "on_client_offline alice", "on_client_gone alice", "on_session_expired alice"} {
		r.logged(want)
	}
}

func BenchmarkAuthOnPublish(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.lua"), []byte(hooked(`return m.client_id == "alice" and m.topic ~= "x"`)), 0o644); err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	host := &lualib.Host{Log: log, Cache: authcache.New(), Secrets: luaconv.NewObfuscation("")}
	e, err := Start(defaults(dir), Deps{Log: log, Metrics: metric.NewBroker(), Host: host})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	p := &hook.Publish{Client: alice, Message: &mqtt.Message{Topic: "a/b", Payload: []byte("x")}}
	b.ReportAllocs()
	for b.Loop() {
		if v, _ := (*Hooks)(e).AuthOnPublish(context.Background(), p); v.Decision != hook.OK {
			b.Fatal(v)
		}
	}
}

// TestWorkers: scripts that may wait, or that compute much, are called on
// workers; the chain is told.
func TestWorkers(t *testing.T) {
	blocks := func(r *rig) bool {
		p := r.Plugin()
		return p.Blocks("auth_on_publish")
	}
	r := start(t, map[string]string{"a.lua": hooked(`local n = 0 for i = 1, tonumber(m.payload) or 10 do n = n + 1 end return true`)})
	for range 100 {
		r.expect(alice, "t", "ok")
	}
	if blocks(r) {
		t.Error("a quick script runs on workers")
	}
	slow := start(t, map[string]string{"a.lua": hooked(`local n = 0 for i = 1, 60000 do n = n + 1 end return true`)})
	slow.expect(alice, "t", "ok")
	if blocks(slow) {
		t.Error("one slow call is enough")
	}
	for range 2 * maxSlow {
		slow.expect(alice, "t", "ok")
	}
	slow.logged("called on workers from now on", "calls of auth_on_publish execute")
	brokertest.Eventually(t, func() bool { return blocks(slow) })
	// A new version has another chance.
	slow.write("a.lua", hooked(`return true`))
	brokertest.Eventually(t, func() bool { return !blocks(slow) })
	far := start(t, map[string]string{"a.lua": hooked(`for i = 1, 3e6 do end return true`)})
	far.expect(alice, "t", "ok")
	brokertest.Eventually(t, func() bool { return blocks(far) })
}

// TestUnload_UnderLoad: while a script comes and goes, calls end: with its
// answer or without an opinion.
func TestUnload_UnderLoad(t *testing.T) {
	r := start(t, map[string]string{"a.lua": hooked(`return true`)})
	stop := r.underLoad(func(got string) bool { return got == "ok" || got == "next" })
	for range 200 {
		if err := r.Unload("a.lua"); err != nil {
			t.Error(err)
		}
		if err := r.Load("a.lua"); err != nil {
			t.Error(err)
		}
	}
	stop()
}

// TestKeep_Coroutine: coroutines do not cost a script its state, and a state
// that was thrown away comes back although the first attempt fails.
func TestKeep_Coroutine(t *testing.T) {
	r := start(t, map[string]string{"a.lua": "keep_state = true\nn = 0\n" + hooked(`
		n = n + 1
		if m.topic == "co" then coroutine.wrap(function() return 1 end)() end
		return {topic = "n" .. n}`)})
	for i, topic := range []string{"a", "co", "co", "a"} {
		r.expect(alice, topic, fmt.Sprintf("ok topic=n%d", i+1))
	}
	f := start(t, map[string]string{"a.lua": "keep_state = true\n" + hooked(`
		if m.topic == "bomb" then while true do end end
		return true`)}, func(c *Config) { c.MaxSteps = 100_000 })
	f.expect(alice, "a", "ok")
	grow := f.script("a.lua").current.Load().pool.grow
	f.script("a.lua").current.Load().pool.grow = func() (*instance, error) { return nil, fmt.Errorf("not now") }
	f.expect(alice, "bomb", "deny error")
	f.expect(alice, "a", "deny error")
	f.script("a.lua").current.Load().pool.grow = grow
	f.expect(alice, "a", "ok")
}

// TestStart_Broken: what a script forbids is not open because the broker was
// restarted while its file is broken.
func TestStart_Broken(t *testing.T) {
	r := start(t, map[string]string{"a.lua": hooked("return false") + " = broken", "b.lua": "hooks = { on_publish = = 1 }"})
	r.expect(alice, "t", "deny")
	if p := r.Plugin(); !p.Has("auth_on_publish") || !p.Has("auth_on_register") || p.Has("on_deliver") {
		t.Errorf("the chain is told of %v", p.Points())
	}
	r.write("c.lua", hooked("return true")+" = broken") // not there at the start
	r.logged("c.lua")
	r.write("a.lua", hooked("return {topic = 'mended'}"))
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "ok topic=mended" })
	lax := start(t, map[string]string{"a.lua": hooked("return false") + " = broken"}, func(c *Config) { c.OnError = "next" })
	lax.expect(alice, "t", "next")
}

// TestFolder_Away: while the folder of scripts is away, or cannot be read, its
// scripts stay in force, with an alarm; when it is back it is watched again.
func TestFolder_Away(t *testing.T) {
	r := start(t, map[string]string{"lua/a.lua": hooked(`return true`)}, func(c *Config) { c.Dir = filepath.Join(c.Dir, "lua") })
	dir := filepath.Join(r.dir, "lua")
	r.expect(alice, "t", "ok")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	r.logged("cannot be read, its scripts stay as they are")
	if n := len(r.alarms.Active()); n != 1 {
		t.Errorf("%d alarms", n)
	}
	r.expect(alice, "t", "ok")
	r.write("lua/a.lua", hooked(`return false`))
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "deny" })
	brokertest.Eventually(t, func() bool { return len(r.alarms.Active()) == 0 })
	if err := os.Remove(filepath.Join(dir, "a.lua")); err != nil { // on purpose
		t.Fatal(err)
	}
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "next" })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := *r.cfg.Load()
	if err := r.Configure(&cfg); err == nil || !strings.Contains(err.Error(), "script.script_dir") {
		t.Errorf("a folder that is a file: %v", err)
	}
}

// TestRename_Broken: a script that is saved under another name with an error, and
// one that is barred and only renamed, take no rule away.
func TestRename_Broken(t *testing.T) {
	r := start(t, map[string]string{"a.lua": hooked(`return false`)})
	r.write("b.lua", hooked(`return false`)+" = broken")
	if err := os.Remove(filepath.Join(r.dir, "a.lua")); err != nil {
		t.Fatal(err)
	}
	r.logged("b.lua")
	for range 10 {
		r.Engine.changed()
		<-time.After(grace / 5)
	}
	r.expect(alice, "t", "deny")
	r.write("b.lua", hooked(`return {topic = "mended"}`))
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "ok topic=mended" })

	x := start(t, map[string]string{"a.lua": hooked(`return false`) + " = broken"})
	if err := os.Rename(filepath.Join(x.dir, "a.lua"), filepath.Join(x.dir, "b.lua")); err != nil {
		t.Fatal(err)
	}
	x.logged("b.lua")
	for range 10 {
		x.Engine.changed()
		<-time.After(grace / 5)
	}
	x.expect(alice, "t", "deny")
	if err := os.Remove(filepath.Join(x.dir, "b.lua")); err != nil {
		t.Fatal(err)
	}
	brokertest.Eventually(t, func() bool { return x.publish(alice, "t") == "next" })
}

// TestConfigure_Broken: another folder whose script is broken refuses, as at a
// start, and its alarm stays when the old script of the name goes.
func TestConfigure_Broken(t *testing.T) {
	r := start(t, map[string]string{"one/a.lua": hooked(`return true`), "two/a.lua": hooked(`return true`) + " = broken"}, func(c *Config) { c.Dir = filepath.Join(c.Dir, "one") })
	cfg := *r.cfg.Load()
	cfg.Dir = filepath.Join(r.dir, "two")
	if err := r.Configure(&cfg); err != nil {
		t.Fatal(err)
	}
	r.expect(alice, "t", "deny")
	if n := len(r.alarms.Active()); n != 1 {
		t.Errorf("%d alarms", n)
	}
	lax := cfg
	lax.OnError = "next"
	if err := r.Configure(&lax); err != nil {
		t.Fatal(err)
	}
	r.expect(alice, "t", "next")
	misspelt := cfg
	misspelt.Dir = filepath.Join(r.dir, "tow")
	if err := r.Configure(&misspelt); err == nil || !strings.Contains(err.Error(), "script.script_dir") {
		t.Errorf("a folder that does not exist: %v", err)
	}
	if err := r.Configure(&cfg); err != nil {
		t.Fatal(err)
	}
	r.expect(alice, "t", "deny")
}

// TestEmptied: an empty file, which a full disk leaves, takes no rule away.
func TestEmptied(t *testing.T) {
	r := start(t, map[string]string{"a.lua": hooked(`return false`)})
	r.write("a.lua", "")
	r.logged("a.lua is empty; delete the file")
	r.expect(alice, "t", "deny")
	r.write("a.lua", "hooks = { on_publish = print }")
	r.logged("lost=auth_on_publish")
	brokertest.Eventually(t, func() bool { return r.publish(alice, "t") == "next" })
}

// TestKeep_Bounded: what a script keeps is bounded wherever it keeps it.
func TestKeep_Bounded(t *testing.T) {
	r := start(t, map[string]string{"a.lua": "\ufeffkeep_state = true\nlocal kept = {}\n" + hooked(`
		hooks = nil
		kept[#kept + 1] = ("x"):rep(1000000) .. #kept
		return {topic = "n" .. #kept}`)}, func(c *Config) { c.MaxMemory = 4 << 20 })
	most := 0
	for range 30 {
		var n int
		if _, err := fmt.Sscanf(r.publish(alice, "t"), "ok topic=n%d", &n); err == nil {
			most = max(most, n)
		}
	}
	if most < 2 || most > 10 {
		t.Errorf("a state kept up to %d MB, the limit is 4", most)
	}
}
