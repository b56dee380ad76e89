package wiretest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store/memstore"
)

// Run runs the script for each of its versions. What a command cannot do, and
// an imbalance at the end, fail the test.
func (s *Script) Run(t *testing.T) map[mqtt.Version]Result {
	t.Helper()
	acl := filepath.Join(t.TempDir(), "acl")
	rules := s.ACL
	if rules == "" {
		rules = "topic #\n"
	}
	if err := os.WriteFile(acl, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	set := append([]string{"listener.tcp.default=127.0.0.1:0", "allow_anonymous=on", "plugins.passwd=off", "acl.acl_file=" + acl,
		"acl.acl_reload_interval=0"}, s.Set...)
	cfg := brokertest.Config(t, set...)
	got := map[mqtt.Version]Result{}
	for _, v := range s.Versions {
		synctest.Test(t, func(t *testing.T) {
			r := &run{t: t, script: s, cfg: cfg, version: v, store: &simStore{Store: memstore.New()}, clients: map[string]*client{}}
			r.start()
			for _, p := range s.parts {
				if p.want != nil {
					got[v] = append(got[v], r.block(s.Path, p))
				}
			}
			r.stop()
		})
	}
	return got
}

// run is one script running for one version. Owned by the bubble's first
// goroutine.
type run struct {
	t       *testing.T
	script  *Script
	cfg     *broker.Config
	version mqtt.Version
	store   *simStore
	engine  *simEngine
	broker  *broker.Broker
	door    *conn.Door
	clients map[string]*client
	order   []*client
	asked   int // snapshots of metrics
	probes  int
}

// start makes a broker over the store.
func (r *run) start() {
	r.engine = &simEngine{}
	b, err := broker.New(r.cfg, broker.Parts{Log: slog.New(slog.DiscardHandler), Store: r.store, Engine: r.engine})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := b.Load(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	b.SetReady()
	c := r.cfg.Listeners.TCP["default"].Client
	r.broker = b
	chain := b.Server.Chain
	if r.script.Hooks {
		plugin := hook.Plugin{Name: "scripted", Hooks: scripted{}, Blocks: func(string) bool { return r.script.Blocking },
			Has: func(point string) bool { return point != "on_deliver" || r.script.Deliver }}
		own := hook.NewChain(append([]hook.Plugin{plugin}, chain().Plugins()...), nil)
		chain = func() *hook.Chain { return own }
	}
	r.door = &conn.Door{Info: hook.ListenerInfo{Name: "tcp.default", Type: "mqtt"}, Mountpoint: string(c.Mountpoint), Versions: c.Versions,
		Anonymous: c.Anonymous, Lifetime: c.Lifetime, Chain: chain}
}

// stop checks the balance and stops the broker, if it still runs.
func (r *run) stop() {
	if r.broker == nil {
		return
	}
	synctest.Wait()
	if bad := r.broker.Imbalance(); bad != "" {
		r.t.Errorf("%s: %s", r.version, bad)
	}
	if err := r.broker.Stop(time.Minute); err != nil {
		r.t.Error(err)
	}
	synctest.Wait()
	r.broker = nil
}

// crash ends the broker without a goodbye: from now on it stores nothing, and
// its clients hear nothing more from it.
func (r *run) crash() {
	synctest.Wait()
	r.store.set(storeDead)
	for _, c := range r.order {
		if c.live() {
			c.pipe.hangUp()
			c.dropped = true
		}
	}
	synctest.Wait()
	if err := r.broker.Stop(time.Minute); err != nil {
		r.t.Error(err)
	}
	synctest.Wait()
	r.store.set(storeWorks)
}

// dial opens a network connection.
func (r *run) dial() *pipe {
	return r.engine.dial(func(ec engine.Conn) engine.Handler {
		return conn.New(r.broker.Server, r.door, ec, &hook.Client{}, time.Now())
	})
}

// block runs the commands of a block and returns its output.
func (r *run) block(path string, p part) string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for i := 0; i < len(p.commands); i++ {
		group := []string{p.commands[i]}
		for ; i+1 < len(p.commands) && strings.HasPrefix(p.commands[i+1], "& "); i++ {
			group = append(group, strings.TrimPrefix(p.commands[i+1], "& "))
		}
		if err := r.group(group, say); err != nil {
			r.t.Fatalf("%s:%d: %s: %v", path, p.line+i, group[0], err)
		}
		r.gather(say)
	}
	if len(out) == 0 {
		return "(nothing)"
	}
	return strings.Join(out, "\n")
}

// group runs commands whose bytes are sent in one piece.
func (r *run) group(lines []string, say func(string, ...any)) error {
	var sent []*client
	for _, l := range lines {
		if name, rest, ok := strings.Cut(l, ": "); ok {
			if v, known := versions[name]; known {
				if v != r.version {
					continue
				}
				l = rest
			}
		}
		c, err := r.command(l, say)
		if err != nil {
			return err
		}
		if c != nil && !slices.Contains(sent, c) {
			sent = append(sent, c)
		}
	}
	for _, c := range sent {
		c.flush()
	}
	return nil
}

// gather waits until the broker rests and prints what came, until clients that
// answer by themselves have nothing to answer.
func (r *run) gather(say func(string, ...any)) {
	for again := true; again; {
		again = false
		synctest.Wait()
		for _, c := range r.order {
			for _, p := range c.received() {
				say("%s <- %s", c.name, p)
			}
			again = c.flush() || again
		}
	}
	for _, c := range r.order {
		if c.closed && !c.told {
			c.told = true
			say("%s closed", c.name)
		}
	}
}

// sleep lets the bubble's time pass.
func (r *run) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
