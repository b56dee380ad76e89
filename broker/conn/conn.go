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
	read      int    // bytes of the packets of the batch
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
	ended     bool               // nothing more goes in or out
	busy      int                // workers and commits that input waits for
	receiving bool               // Receive runs
	idle      []func()           // to be called once nothing of the client's is in hand
	blocked   bool               // the socket takes nothing at present
	throttled time.Time          // input waits until then
	armed     time.Time          // deadline given to the engine
	unsettled weight             // what waits for commits
	changes   map[string]*change // by filter as sent: the last that is not committed
	jobs      []retainJob
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
	made   []*change   // subscriptions, to be taken back if that cannot be stored
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
	cl := c.lock()
	if c.ended {
		c.unlock(cl)
		return len(p), false
	}
	c.receiving = true
	if c.busy == 0 { // plugins may have been switched meanwhile
		c.chain = c.door.Chain()
	}
	held, full := false, false // then whoever ends that calls Wake, perhaps before the park
	for n < len(p) && !c.ended {
		held, full = c.held() || c.early(p[n]), c.full()
		if held || full {
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
	if most := c.srv.Pressure.Allowance(); most > 0 && c.volume.above(now, n, most) {
		c.throttle(now, c.volume.rest(now))
	}
	c.endBatch(now)
	cl = c.lock()
	park = (held || full || c.held()) && !c.ended
	if full && !c.held() {
		c.ec.Wake()
	}
	c.arm()
	c.receiving = false
	idle := c.rests()
	c.unlock(cl)
	c.startWork()
	idle()
	return n, park
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
		waiting, what := c.settles, c.weigh()
		c.settles = nil
		cl := c.lock()
		c.unsettled.add(what)
		c.unlock(cl)
		c.srv.Metrics.StoreCommits.Inc(1)
		b.Store.Submit(c.srv.Store, func(err error) { c.commitDone(waiting, what, err) })
	}
	c.read = 0
	b.Store.Reset()
	b.Flush(now, c.srv.Router)
	for _, f := range c.flushes {
		f()
	}
	c.flushes = nil
	c.flushSelf(now)
}

// commitDone answers the packets of a batch that is now in stable storage, or
// refuses them.
func (c *Conn) commitDone(waiting []settle, what weight, err error) {
	now := time.Now()
	if err != nil {
		c.srv.committed(err)
	}
	cl := c.lock()
	wake := c.unsettled.remove(what)
	c.unlock(cl)
	c.settle(now, waiting, err)
	c.flushSelf(now)
	if wake {
		c.ec.Wake()
	}
}

// settle gives the machine the answers. A failed commit is told to 5.0 clients
// and ends the connection of others, without an acknowledgement.
func (c *Conn) settle(now time.Time, list []settle, err error) {
	if len(list) == 0 {
		return
	}
	var jobs []retainJob
	cl := c.lock()
	c.changed(cl, list, err)
	for i := range list {
		s := &list[i]
		if err != nil && s.kind == session.WantUnsubscribe {
			c.countFailed(packet.TypeUnsubscribe)
		}
		if err != nil && c.m.Version() != mqtt.V5 {
			c.fail(now, mqtt.Errorf("conn: store", storeCode(err), "%v", err))
			break
		}
		switch s.kind {
		case session.WantSubscribe:
			if err != nil {
				refuseAll(s.subs, storeCode(err))
				s.jobs = nil
			}
			c.m.SettleSubscribe(s.slot, s.subs, s.reason)
			jobs = append(jobs, s.jobs...)
		case session.WantUnsubscribe:
			if err != nil {
				refuseAll(s.subs, mqtt.ImplementationSpecificError)
			}
			c.m.SettleUnsubscribe(s.slot, s.subs)
		default:
			if err != nil {
				s.code = storeCode(err)
			}
			c.m.Settle(s.slot, s.code, s.reason)
		}
	}
	c.jobs = append(c.jobs, jobs...)
	c.unlock(cl)
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

// held reports whether input must wait: for a worker, the answer to CONNECT, a
// throttle, commits, or the gate. Whoever ends that calls Wake. Called with the
// lock held.
func (c *Conn) held() bool {
	return c.busy > 0 || !c.throttled.IsZero() || c.unsettled.tooMuch() || c.gated && !c.srv.Gate.Opened()
}
