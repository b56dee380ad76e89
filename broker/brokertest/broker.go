package brokertest

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/pressure"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// Options of a broker under test. The zero value is a broker that lets
// everybody do everything, on a port of its own.
type Options struct {
	Set   []string    // KEY=VALUE of configuration keys
	ACL   string      // content of the ACL file; "topic #" unless given
	Store store.Store // a new memstore unless given
	Log   *slog.Logger
	// Pressure may be nil.
	Pressure *pressure.Watch
	// Alarms are what the broker raises to, a new list unless given.
	Alarms *alarm.List
	// Extensions are plugins that plugins.NAME=on switches on.
	Extensions []broker.Extension
	// Loading leaves the broker at its start: the test calls Load.
	Loading bool
}

// Broker is a broker under test; the test's end stops it.
type Broker struct {
	*broker.Broker
	Addr      string            // of listener.tcp.default
	Listeners map[string]string // "tcp.default" -> address
	t         testing.TB
}

// Config fills a configuration as --set does.
func Config(t testing.TB, set ...string) *broker.Config {
	t.Helper()
	return config(t, nil, set)
}

func config(t testing.TB, plugins []broker.Extension, set []string) *broker.Config {
	t.Helper()
	names := conf.MoreNames{"plugins.NAME": nil}
	for _, x := range plugins {
		names["plugins.NAME"] = append(names["plugins.NAME"], x.Name())
	}
	schema, err := conf.New(&broker.Config{}, names)
	if err != nil {
		t.Fatal(err)
	}
	res, err := schema.Load(conf.Sources{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Err(); err != nil {
		t.Fatal(err)
	}
	return conf.Section[broker.Config](res)
}

// Start starts a broker.
func Start(t testing.TB, o Options) *Broker {
	t.Helper()
	if o.ACL == "" {
		o.ACL = "topic #\n"
	}
	acl := filepath.Join(t.TempDir(), "acl")
	if err := os.WriteFile(acl, []byte(o.ACL), 0o600); err != nil {
		t.Fatal(err)
	}
	set := append([]string{"listener.tcp.default=127.0.0.1:0", "allow_anonymous=on", "plugins.passwd=off", "acl.acl_file=" + acl}, o.Set...)
	if o.Store == nil {
		o.Store = memstore.New()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(writer{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	sockets := broker.NewEngine(time.Second, func(err error, stack []byte) { t.Errorf("%v\n%s", err, stack) })
	b, err := broker.New(config(t, o.Extensions, set), broker.Parts{Log: o.Log, Store: o.Store, Engine: sockets, Pressure: o.Pressure, Alarms: o.Alarms, Extensions: o.Extensions})
	if err != nil {
		t.Fatal(err)
	}
	ready, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	if !o.Loading {
		if err := b.Load(context.Background()); err != nil {
			t.Fatal(err)
		}
		b.SetReady()
	}
	x := &Broker{Broker: b, Listeners: map[string]string{}, t: t}
	for _, part := range ready {
		name, addr, _ := strings.Cut(part, "=")
		x.Listeners[name] = addr
	}
	x.Addr = x.Listeners["tcp.default"]
	t.Cleanup(x.Stop)
	return x
}

// Stop stops the broker; further calls do nothing.
func (b *Broker) Stop() {
	if b.Broker == nil {
		return
	}
	if err := b.Broker.Stop(10 * time.Second); err != nil {
		b.t.Errorf("stop: %v", err)
	}
	b.Broker = nil
}

// Dial opens a network connection to the broker.
func (b *Broker) Dial() net.Conn {
	b.t.Helper()
	c, err := net.Dial("tcp", b.Addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return c
}

// writer logs to the test.
type writer struct{ t testing.TB }

// Write implements io.Writer. After the test's end it is silent.
func (w writer) Write(p []byte) (int, error) {
	defer func() { _ = recover() }()
	w.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// Balanced waits until every copy is accounted for, and fails the test when
// that does not come to be.
func (b *Broker) Balanced() {
	b.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	diff := ""
	for range 400 {
		if diff = b.Imbalance(); diff == "" {
			return
		}
		<-tick.C
	}
	b.t.Error(diff)
}

// Inject routes a message of the broker's own.
func (b *Broker) Inject(m *mqtt.Message) int { return b.Server.Inject(time.Now(), nil, m, false) }
