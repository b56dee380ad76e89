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
	"github.com/lunemq/lunemq/broker/router"
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
	dec       packet.Decoder
	batch     router.Batch
	settles   []settle
	tasks     []func(now time.Time) // for a worker
	flushes   []func()              // to be called once the batch is submitted
	chain     *hook.Chain
	info      *hook.Client
	ask       hook.Publish // scratch
	lastTopic string
	rate      rate   // PUBLISH packets per second, for max_message_rate
	volume    rate   // bytes per second, for memory_limit
	unread    int    // bytes of the last Receive that it left
	assigned  string // client identifier we chose
	auth      authentication
	told      map[string]bool // kinds of refusal already explained in the log

	// locked
	m         *session.Machine
	buf       *buffer     // lent to m
	own       store.Batch // lazy completions, and identifiers to assign
	outbox    []outgoing  // batches of own that are full, in order
	draining  bool        // somebody submits them
	tally     session.Tally
	ended     bool      // nothing more goes in or out
	busy      int       // workers and commits that input waits for
	receiving bool      // Receive runs
	idle      []func()  // to be called once nothing of the client's is in hand
	blocked   bool      // the socket takes nothing at present
	behind    bool      // input waits until the socket has taken more
	throttled time.Time // input waits until then
	armed     time.Time // deadline given to the engine
	unsettled int       // answers that wait for commits
	jobs      []retainJob
	merged    int // how many jobs the last merge left
	jobsRun   bool
	loading   bool // load runs
	counted   bool // in srv.Connected
	gated     bool // input waits for the gate, which then wakes it
}

// settle is one answer due at the end of a batch.
type settle struct {
	slot   session.Slot
	code   mqtt.ReasonCode
	reason string
	subs   []mqtt.ReasonCode // of SUBSCRIBE and UNSUBSCRIBE
	kind   session.EventKind
	jobs   []retainJob // retained messages to send after a SUBACK
	made   []change    // subscriptions, to be taken back if they cannot be stored
}

// maxUnsettled is how many answers of one connection may wait for commits
// before its input is parked.
const maxUnsettled = 4096

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
	c.dec.MaxSize = int(set.Session.MaxConnectSize)
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
	if !c.begin() {
		return len(p), false
	}
	whole := false
	defer func() {
		if !whole { // a panic, which is the engine's to report
			c.abandon()
		}
	}()
	held := false // then whoever ends that calls Wake, perhaps before the park
	for more := true; more; {
		var ev session.Event
		var k int
		k, ev, held = c.take(now, p[n:])
		n += k
		if more = ev.Kind != session.None; more {
			c.handle(now, ev)
		}
	}
	c.srv.Metrics.BytesReceived.Inc(int64(n))
	c.intake(now, len(p), n)
	c.endBatch(now)
	park, idle := c.rest(held)
	whole = true
	c.startWork()
	idle()
	return n, park
}

// begin reports whether there is still somebody to receive for.
func (c *Conn) begin() bool {
	cl := c.lock()
	defer c.unlock(cl)
	if c.ended {
		return false
	}
	c.receiving = true
	if c.busy == 0 { // plugins may have been switched meanwhile
		c.chain = c.door.Chain()
	}
	return true
}

// take gives packets of p to the machine until one asks something of the
// broker; n is their length. held says that input must wait.
func (c *Conn) take(now time.Time, p []byte) (n int, ev session.Event, held bool) {
	cl := c.lock()
	defer c.unlock(cl)
	for n < len(p) && !c.ended && ev.Kind == session.None {
		if held = c.held() || c.early(p[n]); held {
			break
		}
		pkt, k, err := c.dec.Decode(p[n:])
		if err != nil {
			c.countDecodeError(err)
			c.countFailed(packet.Type(p[n] >> 4))
			c.fail(now, err)
			break
		}
		if k == 0 {
			break
		}
		n += k
		c.countReceived(pkt)
		if ev, err = c.m.Receive(now, pkt, &c.batch.Store); err != nil {
			c.countFailed(pkt.Type())
			c.fail(now, err)
			return n, session.Event{}, false
		}
	}
	return n, ev, held
}

// rest ends a Receive; what it returns is called without the lock.
func (c *Conn) rest(held bool) (park bool, idle func()) {
	cl := c.lock()
	defer c.unlock(cl)
	park = (held || c.held()) && !c.ended
	c.arm()
	c.receiving = false
	return park, c.rests()
}

// abandon ends a Receive that has panicked: nobody must wait for it.
func (c *Conn) abandon() {
	cl := c.lock()
	c.receiving = false
	c.busy -= len(c.tasks)
	c.tasks = nil
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

// endBatch commits what the packets of this read left to be stored, answers
// them, and sends to their receivers what they left with them.
func (c *Conn) endBatch(now time.Time) {
	b := &c.batch
	switch {
	case b.Store.Empty():
		c.settle(now, c.settles, nil)
		clear(c.settles) // what they hold of subscriptions goes
		c.settles = c.settles[:0]
	case !b.Store.Sync:
		b.Store.Submit(c.srv.Store, c.srv.committed)
		c.settle(now, c.settles, nil)
		clear(c.settles)
		c.settles = c.settles[:0]
	default:
		waiting := c.settles
		c.settles = nil
		cl := c.lock()
		c.unsettled += len(waiting)
		c.unlock(cl)
		c.srv.Metrics.StoreCommits.Inc(1)
		b.Store.Submit(c.srv.Store, func(err error) { c.commitDone(waiting, err) })
	}
	b.Store.Reset()
	b.Flush(now, c.srv.Router)
	for _, f := range c.flushes {
		f()
	}
	c.flushes = nil
	c.flushSelf(now)
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
			c.srv.parts.set(c, 0, c.srv.Pressure)
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
	first = c.close()
}

// close does what is left to do with the machine, and reports whether the end
// is not our own doing.
func (c *Conn) close() (first bool) {
	cl := c.lock()
	first = !c.ended
	after := func() {}
	defer func() {
		c.ended = true
		c.unlock(cl)
		after()
	}()
	after = c.last()
	c.giveBack(c.m.Taken(len(c.m.Output())))
	return first
}

// detach tells the registry that the client has lost this connection. Called
// without the lock; only the first call counts.
func (c *Conn) detach(now time.Time, withWill bool) {
	if cl := c.client.Load(); cl != nil {
		c.srv.Registry.Detach(now, cl, c, withWill)
	}
}
