package broker

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/listener"
	"github.com/lunemq/lunemq/broker/pressure"
)

// door is one listener. Guarded by Broker.mu, but for chain.
type door struct {
	name        string // "tcp.default"
	spec        listener.Spec
	auth, authz []string
	client      listener.Client // zero for HTTP
	web         *listener.Web   // nil for MQTT
	listener    *listener.Listener
	chain       atomic.Pointer[hook.Chain] // nil for HTTP
}

func (d *door) close() {
	if d.web != nil {
		_ = d.web.Close()
		return
	}
	d.listener.Close()
}

// Web is an HTTP listener. Whoever serves it closes it.
type Web struct {
	net.Listener
	Name string // "http.default"
	listener.HTTP
	Started bool // by the command listener start, not by the configuration
}

// Open opens the configured listeners for clients and returns their parts of
// the ready line, "tcp.default=127.0.0.1:1883". With an error none is left open.
func (b *Broker) Open() (ready []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &b.cfg.Listeners
	b.limits = listener.NewLimits(l.MaxTotal, l.MaxPerIP)
	b.gate = listener.NewGate(l.MaxHandshakes)
	for _, declared := range l.Declared() {
		if declared.Client == nil {
			continue
		}
		d, err := b.open(declared.Spec, *declared.Client)
		if err != nil {
			b.closeDoors()
			return nil, err
		}
		ready = append(ready, d.name+"="+d.listener.Addr().String())
	}
	return ready, nil
}

// OpenWeb opens the configured listeners for HTTP, after Open, and returns
// their parts of the ready line. serve is called with each of them and with
// those that listener start opens later; it must not wait, nor call the broker,
// and may refuse a listener: then it is closed again. With an error none of the
// broker's listeners is left open.
func (b *Broker) OpenWeb(serve func(Web) error) (ready []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.serveWeb = serve
	for _, declared := range b.cfg.Listeners.Declared() {
		if declared.HTTP == nil {
			continue
		}
		d, err := b.openWeb(declared.Spec, *declared.HTTP, false)
		if err != nil {
			b.closeDoors()
			return nil, err
		}
		ready = append(ready, d.name+"="+d.listener.Addr().String())
	}
	return ready, nil
}

// openWeb opens one listener for HTTP. Called with b.mu held.
func (b *Broker) openWeb(spec listener.Spec, h listener.HTTP, started bool) (*door, error) {
	d := &door{name: spec.Name, spec: b.equip(spec)}
	limit, reserve := pressure.Descriptors()
	d.spec.MaxDescriptor = limit - reserve/2 // whoever asks what is wrong comes in
	var err error
	if d.web, err = listener.OpenWeb(d.spec); err != nil {
		return nil, err
	}
	d.listener = d.web.Listener
	if err := b.serveWeb(Web{Listener: d.web, Name: d.name, HTTP: h, Started: started}); err != nil {
		d.close()
		return nil, err
	}
	b.keep(d)
	return d, nil
}

func (b *Broker) closeDoors() {
	for _, d := range b.doors {
		d.close()
	}
	b.doors = nil
}

// keep enters an open listener in the list. Called with b.mu held.
func (b *Broker) keep(d *door) {
	b.doors = append(b.doors, d)
	b.checkCertificate(time.Now(), d)
	b.Log.Info("listening", "listener", d.name, "address", d.listener.Addr().String())
}

// equip adds to a Spec what the broker wants to hear of. The functions take no
// lock: a listener calls them while the broker may wait for it.
func (b *Broker) equip(s listener.Spec) listener.Spec {
	s.Gate = b.gate
	s.Refused = func(peer netip.AddrPort, why listener.Refusal) {
		b.Metrics.ConnectionsRefused.Inc(1)
		b.Log.Warn("connection refused", "listener", s.Name, "peer", peer.String(), "limit", why.String())
	}
	s.Failed = func(err error) {
		b.Metrics.SocketError.Inc(1)
		b.Log.Error("connection not accepted", "err", err)
	}
	s.Dropped = func(peer netip.AddrPort, err error) {
		b.Metrics.SocketOpen.Inc(1)
		b.Metrics.SocketClose.Inc(1)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			b.Metrics.SocketCloseTimeout.Inc(1)
		} else {
			b.Metrics.SocketError.Inc(1)
		}
		b.Log.Info("handshake failed", "listener", s.Name, "peer", peer.String(), "err", err)
	}
	s.Reloaded = func(err error) { b.reloaded(s.Name, err) }
	return s
}

// open opens one listener for clients. Called with b.mu held.
func (b *Broker) open(spec listener.Spec, c listener.Client) (*door, error) {
	d := &door{name: spec.Name, client: c, spec: b.equip(spec)}
	limit, reserve := pressure.Descriptors()
	d.spec.MaxDescriptor = limit - reserve
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
	d.spec.Limits = b.limits
	side := &conn.Door{
		Info:       hook.ListenerInfo{Name: spec.Name, Type: spec.Type, Forward: c.Forward},
		Mountpoint: string(c.Mountpoint), Versions: c.Versions, Anonymous: c.Anonymous, Lifetime: c.Lifetime, Chain: d.chain.Load,
		WebSocket: spec.WebSocket != nil,
	}
	serve := func(nc engine.NetConn, p listener.Peer) {
		peer := &hook.Client{Peer: p.Remote, Username: p.Identity, HasUser: p.Identity != ""}
		peer.Listener.Addr, peer.Listener.Cert = p.Local, p.Cert
		b.Engine.Add(nc, func(ec engine.Conn) engine.Handler { return conn.New(b.Server, side, ec, peer, p.Since) })
	}
	d.spec.Bare = func(s *listener.Socket, p listener.Peer) { serve(s, p) }
	d.listener, err = listener.Open(d.spec, func(nc net.Conn, p listener.Peer) { serve(nc, p) })
	if err != nil {
		return nil, err
	}
	b.keep(d)
	return d, nil
}

// applyDoors puts in force what cfg says of the listeners that are open.
// Certificates that cannot be used leave those before in force. Called with
// b.mu held.
func (b *Broker) applyDoors(cfg *Config) {
	for _, d := range b.doors {
		spec := d.spec
		if declared, ok := cfg.Listeners.Find(d.name); ok {
			spec = declared.Spec
		}
		spec.Refresh, spec.Timeout = cfg.Listeners.Refresh, cfg.Listeners.ConnectTimeout
		_ = b.applyDoor(d, spec) // it is reported
		d.spec.TLS, d.spec.Identity, d.spec.WebSocket = spec.TLS, spec.Identity, spec.WebSocket
		d.spec.Proxy, d.spec.MaxConnections = spec.Proxy, spec.MaxConnections
		d.spec.Refresh, d.spec.Timeout = spec.Refresh, spec.Timeout
	}
	b.limits.Set(cfg.Listeners.MaxTotal, cfg.Listeners.MaxPerIP)
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
