package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/listener"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/pressure"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/router"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/telemetry/alarm"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// errShutdown is the cause of connections ended by a stop.
var errShutdown = errors.New("broker: shutting down")

// Parts are what a broker is composed with.
type Parts struct {
	Log    *slog.Logger
	Store  store.Store
	Engine engine.Engine
	Keys   *admin.Keys
	// Pressure may be nil: then memory and disk have no limits.
	Pressure *pressure.Watch
	// Alarms is what is wrong; nil for a new list.
	Alarms *alarm.List
	// Extensions are plugins beside those that the broker has itself.
	Extensions []Extension
}

// Broker is a running broker. Safe for concurrent use.
type Broker struct {
	Parts
	Metrics   *metric.Broker
	Catalogue *metric.Catalogue
	Router    *router.Router
	Registry  *registry.Registry
	Server    *conn.Server
	started   time.Time
	stopping  chan struct{}
	renewed   chan struct{} // room for one: a certificate has changed

	settings atomic.Pointer[conn.Settings]
	chain    atomic.Pointer[hook.Chain]
	ready    atomic.Bool
	start    *startup

	mu      sync.Mutex // of reload, stop and listener commands
	cfg     *Config
	plugins plugins
	doors   []*door
	limits  *listener.Limits
	// serveWeb is given the listeners for HTTP, see OpenWeb; nil before that.
	serveWeb func(Web) error
	gate     *listener.Gate

	background sync.WaitGroup
}

// New composes a broker that serves nobody yet: plugins are loaded. Open lets
// clients in, and Load reads their durable sessions back. Errors name what is
// missing.
func New(cfg *Config, p Parts) (*Broker, error) {
	now := time.Now()
	kept := p.Store
	metrics := metric.NewBroker()
	if p.Alarms == nil {
		p.Alarms = new(alarm.List)
	}
	observeAlarms(p.Alarms, p.Log, metrics)
	p.Store = diskGuard{storeTimer{kept, metrics, p.Alarms}, p.Pressure}
	b := &Broker{Parts: p, Metrics: metrics, cfg: cfg, started: now, stopping: make(chan struct{}), renewed: make(chan struct{}, 1)}
	b.Router = router.New(b.Metrics, cfg.Sessions.Overlapping == "each")
	b.Server = &conn.Server{Router: b.Router, Store: p.Store, Kept: p.Store, Metrics: b.Metrics, Log: p.Log, Settings: &b.settings, Chain: b.chain.Load, Pressure: p.Pressure}
	b.Registry = registry.New(registry.Deps{
		Store: p.Store, Metrics: b.Metrics, Chain: b.chain.Load,
		Unsubscribe: func(c *registry.Client, sub mqtt.Subscription) { b.Router.Unsubscribe(c.Key().Mountpoint, sub, c) },
		Publish:     b.Server.PublishWill,
		OnDrop:      newDropLog(p.Log).note,
		HighMemory:  func() bool { return p.Pressure.Level() >= pressure.High },
		Redistribute: func(now time.Time, from *registry.Client, forGood bool, items []mqtt.Queued, sb *store.Batch) ([]mqtt.Queued, func()) {
			left, dirty := b.Router.Redistribute(now, from.Key().Mountpoint, from, forGood, items, sb)
			return left, func() {
				for _, s := range dirty {
					s.Flush(now)
				}
			}
		},
	})
	b.Server.Registry = b.Registry
	b.start = newStartup(b)
	b.Server.Gate, b.Server.Fetch = &b.start.gate, b.start.fetch
	b.Registry.Hold()
	if p.Pressure != nil {
		p.Pressure.OnLevel(func(l pressure.Level) {
			if l >= pressure.High {
				go b.Registry.SpillAll()
			}
		})
		p.Pressure.OnShort(func(x pressure.Shortage) bool { return b.Server.Shed(time.Now(), x) })
	}
	b.Catalogue = metric.NewCatalogue(b.Metrics, b.gauges())
	b.apply(cfg)
	b.mu.Lock() // plugins may say already that they have changed
	defer b.mu.Unlock()
	if err := b.plugins.apply(b, cfg); err != nil {
		return nil, err
	}
	if err := b.rechain(cfg); err != nil {
		b.plugins.stop()
		return nil, err
	}
	b.checkClock(now, kept)
	b.background.Go(b.purge)
	go b.watchCertificates()
	return b, nil
}

// apply puts live values in force for new connections.
func (b *Broker) apply(cfg *Config) {
	policy, _ := router.ParsePolicy(cfg.Sessions.SharePolicy)
	b.Router.SetPolicy(policy)
	b.settings.Store(&conn.Settings{Session: &cfg.Sessions.Config, AllowAnonymous: cfg.Who.AllowAnonymous, ConnectTimeout: cfg.Listeners.ConnectTimeout})
}

// gauges are the figures that are computed when somebody asks.
func (b *Broker) gauges() *metric.Gauges {
	sum := func(f func(registry.Info) int) func() int64 {
		return func() (n int64) {
			b.Registry.Each(func(c *registry.Client) bool {
				if i, ok := c.Info(false); ok {
					n += int64(f(i))
				}
				return true
			})
			return n
		}
	}
	return &metric.Gauges{
		ActiveMQTTConnections:   func() int64 { return b.Server.Connected.Load() - b.Server.ConnectedWS.Load() },
		ActiveMQTTWSConnections: b.Server.ConnectedWS.Load,
		TotalActiveConnections:  b.Server.Connected.Load,
		QueueProcesses:          func() int64 { return int64(b.Registry.Len()) },
		RouterSubscriptions:     func() int64 { return int64(b.Router.Subscriptions()) },
		RouterMemory:            b.Router.Memory,
		RetainMessages:          func() int64 { return int64(b.Router.Retained().Len()) },
		RetainMemory:            b.Router.Retained().Bytes,
		CopiesQueued:            sum(func(i registry.Info) int { return i.Queued }),
		CopiesInflight:          sum(func(i registry.Info) int { return i.Inflight }),
		AlarmsActive:            func() int64 { return int64(b.Alarms.Len()) },
	}
}

// Started returns when the broker was made.
func (b *Broker) Started() time.Time { return b.started }

// Ready reports why the broker is not ready, nil when it is.
func (b *Broker) Ready() []string {
	if b.ready.Load() {
		return b.unstored()
	}
	if !b.start.gate.Opened() {
		return []string{fmt.Sprintf("starting: %d durable sessions are restored", b.start.restored.Load())}
	}
	return []string{"starting or stopping"}
}

// unstored says why nothing durable can be stored at present.
func (b *Broker) unstored() (why []string) {
	for _, a := range b.Alarms.Active() {
		if a.Name == alarm.StoreFailing || a.Name == alarm.DiskLow {
			why = append(why, a.Name.String()+": "+a.Text)
		}
	}
	return why
}

// maxLinger is how long a client may take, at a stop, to take what it was told
// and to close its side.
const maxLinger = time.Second

// Stop ends the broker in an orderly way: no new connections, 5.0 clients are
// told (ServerShuttingDown), what is durable is stored. It returns after
// limit at the latest, with an error if something was left undone. Clients
// that do not close take a quarter of that at most.
//
// Spec: MQTT 5.0 §3.14 (0x8B).
func (b *Broker) Stop(limit time.Duration) error {
	b.ready.Store(false)
	b.start.fail(errShutdown)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.doors {
		d.close()
	}
	b.Engine.Hurry(min(maxLinger, limit/4))
	now := time.Now()
	b.Registry.Each(func(c *registry.Client) bool {
		b.Registry.Disconnect(now, c.Key(), mqtt.ServerShuttingDown, false)
		return true
	})
	done := make(chan error, 1)
	go func() {
		b.closeEngine(limit / 2)
		b.Server.Wait()
		close(b.stopping)
		b.background.Wait()
		b.Registry.Close()
		b.plugins.stop()
		done <- b.Store.Close()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(limit - time.Since(now)):
		return fmt.Errorf("broker: not stopped within shutdown_timeout of %s", limit)
	}
}

// closeEngine ends all connections. Those that are not through by then, as a
// TLS client that takes nothing may be, have nothing left to store.
func (b *Broker) closeEngine(limit time.Duration) {
	closed := make(chan struct{})
	go func() {
		b.Engine.Close(errShutdown)
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(limit):
		b.Log.Warn("connections are still open at the stop", "waited", limit)
	}
}
