// Package scripttest_test also runs the scripts that come with the broker, in
// the engine that loads them there.
package scripttest_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/scripting"
	"github.com/lunemq/lunemq/scripting/authcache"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// rig is the engine with one script of this folder.
type rig struct {
	*scripting.Hooks
	t      *testing.T
	host   *lualib.Host
	log    brokertest.Output
	broker fakeBroker
}

// start loads one script, such as auth/redis.lua. edits are texts to replace in
// it, each followed by the new one.
func start(t *testing.T, script string, databases map[string]lualib.Database, edits ...string) *rig {
	t.Helper()
	r := &rig{t: t}
	log := slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.host = &lualib.Host{Log: log, Cache: authcache.New(), Secrets: luaconv.NewObfuscation(""), Broker: &r.broker, Databases: databases, Config: lualib.Config{BcryptRounds: 4}}
	t.Cleanup(r.host.Close)
	here, err := filepath.Abs("../../scripts")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(here, script)
	if len(edits) > 0 {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(edits); i += 2 {
			if strings.Count(string(text), edits[i]) != 1 {
				t.Fatalf("%s does not contain %q once", script, edits[i])
			}
		}
		path = filepath.Join(t.TempDir(), filepath.Base(script))
		if err := os.WriteFile(path, []byte(strings.NewReplacer(edits...).Replace(string(text))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cfg := &scripting.Config{Dir: t.TempDir(), BundledDir: here, States: 1, MaxStates: 8, Timeout: 5 * time.Second, MaxSteps: 10_000_000, MaxMemory: 16 << 20, TotalMemory: 256 << 20, OnError: "refuse", MaxWaiting: 100,
		Files: map[string]scripting.FileConfig{"it": {File: path}}}
	e, err := scripting.Start(cfg, scripting.Deps{Log: log, Metrics: metric.NewBroker(), Host: r.host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	r.Hooks = (*scripting.Hooks)(e)
	if !strings.Contains(r.log.String(), "script loaded") {
		t.Fatalf("not loaded:\n%s", r.log.String())
	}
	return r
}

// fakeBroker records what scripts ask of the broker.
type fakeBroker struct {
	mu        sync.Mutex
	published []*mqtt.Message
}

func (f *fakeBroker) Disconnect(mqtt.SessionKey, bool) bool                     { return true }
func (f *fakeBroker) Reauthorize(string, mqtt.SessionKey)                       {}
func (f *fakeBroker) Subscriptions(mqtt.SessionKey) ([]mqtt.Subscription, bool) { return nil, false }
func (f *fakeBroker) Publish(_ time.Time, m *mqtt.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.published = append(f.published, m)
}

// eventually waits until a condition holds.
func (r *rig) eventually(what string, f func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); {
		if time.Now().After(deadline) {
			r.t.Fatalf("%s does not come true\n%s", what, r.log.String())
		}
		<-time.After(20 * time.Millisecond)
	}
}

func client(id, username string, v mqtt.Version) *hook.Client {
	return &hook.Client{Key: mqtt.SessionKey{ClientID: id}, Username: username, HasUser: username != "", Version: v}
}

var decisions = [...]string{"next", "ok", "deny"}

// register asks whether a client may connect; an empty user name or password is
// none.
func (r *rig) register(c *hook.Client, password string) string {
	q := &hook.Register{Client: c}
	if password != "" {
		q.Password = []byte(password)
	}
	v, mod := r.AuthOnRegister(context.Background(), q)
	out := decisions[v.Decision]
	if mod != nil && mod.Username != nil {
		out += " username=" + *mod.Username
	}
	return out
}

// publish asks about a message and says what came of it.
func (r *rig) publish(c *hook.Client, m *mqtt.Message) string {
	v, mod := r.AuthOnPublish(context.Background(), &hook.Publish{Client: c, Message: m})
	out := decisions[v.Decision]
	if strings.Contains(v.Reason, "failed") {
		return out + " error\n" + r.log.String()
	}
	if mod == nil {
		return out
	}
	if mod.Topic != nil {
		out += " topic=" + *mod.Topic
	}
	if mod.Payload != nil {
		out += " payload=" + string(*mod.Payload)
	}
	if mod.Retain != nil {
		out += fmt.Sprint(" retain=", *mod.Retain)
	}
	if mod.Properties != nil {
		p, err := packet.DecodeProperties(*mod.Properties)
		if err != nil {
			r.t.Error(err)
		}
		out += fmt.Sprint(" user=", p.UserProperties)
	}
	return out
}

func (r *rig) subscribe(c *hook.Client, filters ...string) string {
	q := &hook.Subscribe{Client: c}
	for _, f := range filters {
		q.Topics = append(q.Topics, hook.Topic{Filter: f, Subscription: mqtt.Subscription{Filter: f}})
	}
	v, mod := r.AuthOnSubscribe(context.Background(), q)
	out := decisions[v.Decision]
	if strings.Contains(v.Reason, "failed") {
		return out + " error\n" + r.log.String()
	}
	if mod != nil {
		for _, t := range mod.Topics {
			out += " " + t.Filter
			if t.Code.IsError() {
				out += "=refused"
			}
		}
	}
	return out
}
