package conn

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// Conn is one network connection: an engine.Handler and, once its client is
// registered, that client's registry.Attachment. What is below "reader" is
// owned by the engine's calls of Receive (or by the one worker it has parked
// for); what is below "locked" by the holder of the client's lock.
type Conn struct {
	srv  *Server
	door *Door
	ec   engine.Conn

	pre    sync.Mutex // stands for the client's lock until there is one
	client atomic.Pointer[registry.Client]

	// reader
	*reader   // nil while there is no input
	chain     *hook.Chain
	info      *hook.Client
	lastTopic string
	bound     *bounds // nil = none
	auth      *authentication
	told      map[string]bool // kinds of refusal already explained in the log

	// locked
	m         *session.Machine
	buf       *buffer            // lent to m
	own       store.Batch        // lazy completions, and identifiers to assign
	outbox    []outgoing         // batches of own that are full, in order
	largest   int                // packet accepted, bytes
	busy      int                // workers and commits that input waits for
	unsettled weight             // what waits for commits
	changes   map[string]*change // by filter as sent: the last that is not committed
	idle      []func()           // to be called once nothing of the client's is in hand
	throttled time.Time          // input waits until then
	armed     time.Time          // deadline given to the engine
	jobs      []retainJob
	jobsRun   bool         // sendRetained runs
	draining  bool         // somebody submits the outbox
	ended     bool         // nothing more goes in or out
	receiving bool         // Receive runs
	blocked   bool         // the socket takes nothing at present
	loading   bool         // load runs
	vetting   bool         // vet runs, or will
	counted   bool         // in srv.Connected
	gated     bool         // input waits for the gate, which then wakes it
	assigned  bool         // we chose the client identifier; the reader's
	level     mqtt.Version // as the decoder knows it
}

// errEnded is the cause of connections we end ourselves.
var errEnded = errors.New("conn: ended")

// New returns the handler of a connection that was opened at now. It takes over
// peer, of which count Peer, the address and certificate of its Listener and,
// when the listener says who the client is, its user name.
func New(s *Server, d *Door, ec engine.Conn, peer *hook.Client, now time.Time) *Conn {
	set := s.Settings.Load()
	c := &Conn{srv: s, door: d, ec: ec, chain: d.Chain(), m: session.NewMachine(set.Session, now)}
	addr, cert := peer.Listener.Addr, peer.Listener.Cert
	peer.Listener = d.Info
	peer.Listener.Addr, peer.Listener.Cert = addr, cert
	c.info = peer
	c.largest = int(set.Session.MaxConnectSize)
	s.Metrics.SocketOpen.Inc(1)
	c.armed = now.Add(set.ConnectTimeout)
	ec.SetDeadline(c.armed)
	return c
}

// lock takes the lock that guards the machine: the client's once there is one.
func (c *Conn) lock() *registry.Client {
	if cl := c.client.Load(); cl != nil {
		cl.Lock()
		return cl
	}
	c.pre.Lock()
	if cl := c.client.Load(); cl != nil {
		c.pre.Unlock()
		cl.Lock()
		return cl
	}
	return nil
}

func (c *Conn) unlock(cl *registry.Client) {
	if cl != nil {
		cl.Unlock()
		return
	}
	c.pre.Unlock()
}

// Receive implements engine.Handler.
func (c *Conn) Receive(now time.Time, p []byte) (n int, park bool) {
	cl := c.lock()
	if c.ended {
		c.unlock(cl)
		return len(p), false
	}
	if c.busy > 0 { // somebody woke us for another reason
		c.unlock(cl)
		return 0, true
	}
	c.receiving = true
	c.chain = c.door.Chain() // plugins may have been switched meanwhile
	c.borrow()
	held, full := false, false // then whoever ends that calls Wake, perhaps before the park
	for n < len(p) && !c.ended {
		held, full = c.held() || c.early(p[n]), c.full()
		if held || full {
			break
		}
		c.dec.MaxSize = c.largest
		pkt, k, err := c.dec.Decode(p[n:])
		c.level = c.dec.Version
		if err != nil {
			c.countDecodeError(err)
			c.countFailed(packet.Type(p[n] >> 4))
			c.fail(now, err)
			break
		}
		if k == 0 {
			break
		}
		n, c.read = n+k, c.read+k
		c.countReceived(pkt)
		ev, err := c.m.Receive(now, pkt, &c.batch.Store)
		if err != nil {
			c.countFailed(pkt.Type())
			c.fail(now, err)
			break
		}
		if ev.Kind != session.None {
			c.unlock(cl)
			c.handle(now, ev)
			cl = c.lock()
		}
	}
	c.unlock(cl)
	c.srv.Metrics.BytesReceived.Inc(int64(n))
	if most := c.srv.Pressure.Allowance(); most > 0 {
		c.consume(now, n, most)
	}
	return n, c.endRead(now, held || full)
}

// endRead ends what Receive has begun; stopped = it left packets for later.
func (c *Conn) endRead(now time.Time, stopped bool) (park bool) {
	c.endBatch(now)
	cl := c.lock()
	held := c.held()
	park = (stopped || held) && !c.ended
	if stopped && !held { // the batch was full, or who held us has gone meanwhile
		c.ec.Wake()
	}
	c.arm()
	c.receiving = false
	idle := c.rests()
	c.unlock(cl)
	c.startWork()
	idle()
	return park
}

// handle does what a packet asks for. Called without the lock.
func (c *Conn) handle(now time.Time, ev session.Event) {
	switch ev.Kind {
	case session.WantPublish:
		c.publish(now, ev)
	case session.WantSettle:
		c.settles = append(c.settles, settle{slot: ev.Slot, kind: ev.Kind})
	case session.WantSubscribe:
		c.subscribe(now, ev)
	case session.WantUnsubscribe:
		c.unsubscribe(now, ev)
	case session.WantConnect:
		c.connect(now, ev.Packet.(*packet.Connect))
	case session.WantAuth:
		c.authenticate(now, ev.Packet.(*packet.Auth))
	case session.WantDisconnect:
		c.disconnect(now, ev.Packet.(*packet.Disconnect))
	}
}

// Writable implements engine.Handler.
func (c *Conn) Writable(now time.Time) {
	cl := c.lock()
	c.blocked = false
	after := c.Flush(now)
	c.unlock(cl)
	if after != nil {
		after()
	}
}

// Closed implements engine.Handler.
func (c *Conn) Closed(now time.Time, err error) {
	cl := c.lock()
	first := !c.ended
	after := c.last()
	c.giveBack(c.m.Taken(len(c.m.Output())))
	c.unlock(cl)
	after()
	c.srv.Metrics.SocketClose.Inc(1)
	if c.counted {
		c.srv.count(c.door, -1)
	}
	if first {
		c.logEnd(err)
		c.detach(now, true)
	}
}

// detach tells the registry that the client has lost this connection. Called
// without the lock; only the first call counts.
func (c *Conn) detach(now time.Time, withWill bool) {
	if cl := c.client.Load(); cl != nil {
		c.srv.Registry.Detach(now, cl, c, withWill)
	}
}

// Deadline implements engine.Handler.
func (c *Conn) Deadline(now time.Time) {
	cl := c.lock()
	c.armed = time.Time{}
	if c.ended {
		c.unlock(cl)
		return
	}
	wake := false
	if !c.throttled.IsZero() && !now.Before(c.throttled) {
		c.throttled, wake = time.Time{}, true
		c.m.Excuse(now)
	}
	if err := c.due(now); err != nil {
		c.fail(now, err)
	}
	c.arm()
	after := c.Flush(now)
	c.unlock(cl)
	if after != nil {
		after()
	}
	if wake {
		c.ec.Wake()
	}
}

// due checks what the time has brought. Called with the lock held.
func (c *Conn) due(now time.Time) error {
	if c.m.Phase() < session.Connecting {
		c.srv.Metrics.SocketCloseTimeout.Inc(1)
		return mqtt.Errorf("conn: connect", mqtt.MaximumConnectTime, "CONNECT was not complete within mqtt_connect_timeout")
	}
	err := c.m.Deadline(now)
	var e *mqtt.Error
	if errors.As(err, &e) && e.Code == mqtt.KeepAliveTimeout {
		if c.held() { // it is we who do not read
			c.m.Excuse(now)
			return nil
		}
		c.srv.Metrics.ClientKeepaliveExpired.For(c.v5()).Inc(1)
	}
	return err
}

// arm gives the engine the earliest deadline, unless an earlier one is armed:
// it is looked at again when that fires. Called with the lock held.
func (c *Conn) arm() {
	next := c.m.NextDeadline()
	if !c.throttled.IsZero() && (next.IsZero() || c.throttled.Before(next)) {
		next = c.throttled
	}
	if c.ended || next.IsZero() || !c.armed.IsZero() && !next.Before(c.armed) {
		return
	}
	c.armed = next
	c.ec.SetDeadline(next)
}

// rearm gives the engine the earliest deadline, be it later than what is armed.
// Called with the lock held.
func (c *Conn) rearm() {
	c.armed = time.Time{}
	if c.arm(); c.armed.IsZero() && !c.ended {
		c.ec.SetDeadline(time.Time{})
	}
}

// held reports whether input must wait: for a worker, the answer to CONNECT, a
// throttle, commits, or the gate. Whoever ends that calls Wake. Called with the
// lock held.
func (c *Conn) held() bool {
	return c.busy > 0 || !c.throttled.IsZero() || c.unsettled.tooMuch() || c.gated && !c.srv.Gate.Opened()
}
