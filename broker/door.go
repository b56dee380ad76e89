package broker

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/listener"
)

// door is one listener for MQTT clients. Guarded by Broker.mu, but for chain.
type door struct {
	name        string // "tcp.default"
	auth, authz []string
	client      listener.Client
	listener    *listener.Listener
	chain       atomic.Pointer[hook.Chain]
}

func (d *door) close() { d.listener.Close() }

// Open opens the configured listeners and returns their parts of the ready
// line, "tcp.default=127.0.0.1:1883". With an error none is left open.
func (b *Broker) Open() (ready []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &b.cfg.Listeners
	b.limits = listener.NewLimits(l.MaxTotal, l.MaxPerIP)
	for _, name := range slices.Sorted(maps.Keys(l.TCP)) {
		t := l.TCP[name]
		d, err := b.open(t.Spec(name), t.Client)
		if err != nil {
			b.closeDoors()
			return nil, err
		}
		ready = append(ready, d.name+"="+d.listener.Addr().String())
	}
	return ready, nil
}

func (b *Broker) closeDoors() {
	for _, d := range b.doors {
		d.close()
	}
	b.doors = nil
}

// open opens one listener. Called with b.mu held.
func (b *Broker) open(spec listener.Spec, c listener.Client) (*door, error) {
	d := &door{name: spec.Name, client: c}
	if len(c.AuthPlugins) > 0 {
		d.auth = c.AuthPlugins
	}
	if len(c.AuthzPlugins) > 0 {
		d.authz = c.AuthzPlugins
	}
	chain, err := b.chain.Load().Restrict(d.auth, d.authz)
	if err != nil {
		return nil, err
	}
	d.chain.Store(chain)
	spec.MaxConnections, spec.Limits = c.MaxConnections, b.limits
	spec.Refused = func(peer netip.AddrPort, why listener.Refusal) {
		b.Metrics.ConnectionsRefused.Inc(1)
		b.Log.Warn("connection refused", "listener", spec.Name, "peer", peer.String(), "limit", why.String())
	}
	spec.Failed = func(err error) {
		b.Metrics.SocketError.Inc(1)
		b.Log.Error("connection not accepted", "err", err)
	}
	side := &conn.Door{
		Info:       hook.ListenerInfo{Name: spec.Name, Type: spec.Type, Forward: c.Forward},
		Mountpoint: string(c.Mountpoint), Versions: c.Versions, Anonymous: c.Anonymous, Lifetime: c.Lifetime, Chain: d.chain.Load,
	}
	d.listener, err = listener.Open(spec, func(nc net.Conn, p listener.Peer) {
		peer := hook.Client{Peer: p.Remote}
		b.Engine.Add(nc, func(ec engine.Conn) engine.Handler { return conn.New(b.Server, side, ec, peer, time.Now()) })
	})
	if err != nil {
		return nil, err
	}
	b.doors = append(b.doors, d)
	b.Log.Info("listening", "listener", spec.Name, "address", d.listener.Addr().String())
	return d, nil
}

// SetReady says that the broker serves.
func (b *Broker) SetReady() { b.ready.Store(true) }

// DownListeners names the listeners that do not run, none when all is well.
func (b *Broker) DownListeners() (down []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.doors {
		if d.listener.State() != listener.Running {
			down = append(down, "listener "+d.name+" is "+d.listener.State().String())
		}
	}
	return down
}
