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
	unread    int     // bytes of the last Receive that it left
	fresh     int     // bytes that came in and are not yet counted
	owed      *owed   // nil = nothing, as long as memory is ample
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
	stuck     time.Time          // since when blocked
	jobs      []retainJob
	waits     int          // bytes put into queue or output and not yet counted
	merged    int          // how many jobs the last merge left
	jobsRun   bool         // sendRetained runs
	draining  bool         // somebody submits the outbox
	ended     bool         // nothing more goes in or out
	receiving bool         // Receive runs
	blocked   bool         // the socket takes nothing at present
	behind    bool         // input waits until the socket has taken more
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
	goOn, park := c.begin()
	switch {
	case park:
		return 0, true
	case !goOn:
		return len(p), false
	}
	whole := false
	defer func() {
		if !whole { // a panic, which is the engine's to report
			c.abandon()
		}
	}()
	stopped := false // then whoever ends that calls Wake, perhaps before the park
	for more := true; more; {
		var ev session.Event
		var k int
		k, ev, stopped = c.take(now, p[n:])
		n += k
		if more = ev.Kind != session.None; more {
			c.handle(now, ev)
		}
	}
	c.srv.Metrics.BytesReceived.Inc(int64(n))
	c.intake(now, len(p), n)
	c.endBatch(now)
	park, idle := c.rest(stopped)
	whole = true
	c.startWork()
	idle()
	return n, park
}

// begin reports whether there is still somebody to receive for, or that input
// must stay parked because somebody woke us for another reason.
func (c *Conn) begin() (goOn, park bool) {
	cl := c.lock()
	defer c.unlock(cl)
	if c.ended || c.busy > 0 {
		return false, !c.ended
	}
	c.receiving = true
	c.chain = c.door.Chain() // plugins may have been switched meanwhile
	c.borrow()
	return true, false
}

// take gives packets of p to the machine until one asks something of the
// broker; n is their length. stopped says that packets are left for later.
func (c *Conn) take(now time.Time, p []byte) (n int, ev session.Event, stopped bool) {
	cl := c.lock()
	defer c.unlock(cl)
	for n < len(p) && !c.ended && ev.Kind == session.None {
		if stopped = c.held() || c.early(p[n]) || c.full(); stopped {
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
		if ev, err = c.m.Receive(now, pkt, &c.batch.Store); err != nil {
			c.countFailed(pkt.Type())
			c.fail(now, err)
			return n, session.Event{}, false
		}
	}
	return n, ev, stopped
}

// rest ends a Receive; stopped = it left packets for later. What it returns is
// called without the lock.
func (c *Conn) rest(stopped bool) (park bool, idle func()) {
	cl := c.lock()
	defer c.unlock(cl)
	held := c.held()
	park = (stopped || held) && !c.ended
	if stopped && !held { // the batch was full, or who held us has gone meanwhile
		c.ec.Wake()
	}
	c.arm()
	c.receiving = false
	return park, c.rests()
}

// abandon ends a Receive that has panicked: nobody must wait for it.
func (c *Conn) abandon() {
	cl := c.lock()
	c.receiving = false
	if c.reader != nil {
		c.busy -= len(c.tasks)
		c.reader = nil
	}
	idle := c.rests()
	c.unlock(cl)
	idle()
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
	if after := c.unblock(now); after != nil {
		after()
	}
}

func (c *Conn) unblock(now time.Time) (after func()) {
	cl := c.lock()
	defer c.unlock(cl)
	c.blocked = false
	return c.Flush(now)
}

// Closed implements engine.Handler.
func (c *Conn) Closed(now time.Time, err error) {
	first := true
	defer func() { // also when the machine is the cause of the end
		if c.unread >= bigPart {
			c.srv.parts.set(c, 0, 0, now, c.srv.Pressure)
		}
		c.srv.Metrics.SocketClose.Inc(1)
		if c.counted {
			c.srv.count(c.door, -1)
		}
		if first {
			c.logEnd(err)
			c.detach(now, true)
		}
	}()
	first = c.close(now)
}

// close does what is left to do with the machine, and reports whether the end
// is not our own doing.
func (c *Conn) close(now time.Time) (first bool) {
	cl := c.lock()
	first = !c.ended
	after := func() {}
	defer func() {
		c.ended = true
		c.info.End()
		c.unlock(cl)
		after()
	}()
	after = c.last(now)
	return first
}

// detach tells the registry that the client has lost this connection. Called
// without the lock; only the first call counts.
func (c *Conn) detach(now time.Time, withWill bool) {
	if cl := c.client.Load(); cl != nil {
		c.srv.Registry.Detach(now, cl, c, withWill)
	}
}
