package registry

import (
	"slices"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// Connection is what a new connection asks of the registry.
type Connection struct {
	Attachment    Attachment
	Info          *hook.Client
	CleanStart    bool
	Expiry        time.Duration // session expiry interval
	Will          *mqtt.Will
	Offline       queue.Limits
	SuppressWills bool // suppress_lwt_on_session_takeover
	// Ready is called, perhaps by Attach, once the connections before have
	// nothing of the client's in hand: what it sends must not overtake that.
	Ready func()
}

// busy is a connection that has lost its client and still has packets of it in
// hand, and who waits for that. One that waits is busy itself when it loses the
// client, so that the next one waits for both.
type busy struct {
	conn  Attachment
	ready func() // of the next connection, nil while there is none
}

// lost looks after a connection that has lost the client. Called with the lock
// held.
func (c *Client) lost(a Attachment) {
	if a.Idle(func() { c.settled(a) }) {
		return
	}
	c.busy = append(c.busy, busy{conn: a})
}

// settled says that a connection has nothing more in hand.
func (c *Client) settled(a Attachment) {
	var ready func()
	c.mu.Lock()
	for i := range c.busy {
		if c.busy[i].conn == a {
			ready = c.busy[i].ready
			c.busy = slices.Delete(c.busy, i, i+1)
			break
		}
	}
	c.mu.Unlock()
	if ready != nil {
		ready()
	}
}

func both(f, g func()) func() {
	if f == nil {
		return g
	}
	return func() { f(); g() }
}

// awaits reports whether a new connection must wait until ready is called.
// Called with the lock held.
func (c *Client) awaits(ready func()) bool {
	if len(c.busy) == 0 || ready == nil {
		return false
	}
	last := &c.busy[len(c.busy)-1]
	last.ready = both(last.ready, ready)
	return true
}

// Attach gives a connection the session of its client identifier, new or
// resumed. An older connection of it is ended with SessionTakenOver. What must
// be stored before CONNACK is in b; flush is to be called once it is submitted.
// The connection takes deliveries only after
// Accepted.
//
// Spec: MQTT 5.0 §3.1.4 [MQTT-3.1.4-3], [MQTT-3.1.2-4], [MQTT-3.1.2-5].
func (r *Registry) Attach(now time.Time, n Connection, b *store.Batch) (c *Client, present bool, flush func()) {
	var late finale
	c, isNew := r.locked(n.Info.Key)
	old := c.info
	if c.conn != nil {
		c.evict(now, mqtt.SessionTakenOver, "")
		late.tookOver = true
	}
	ends := !isNew && (n.CleanStart || !c.st.Durable())
	switch {
	case c.will == nil:
	case late.tookOver && n.SuppressWills:
	case late.tookOver && (c.will.Delay == 0 || ends), !late.tookOver && ends:
		late.will, late.info = c.will, old // [MQTT-3.1.2-8], §3.1.2.5: or the session ends
	}
	if ends {
		c.empty(&late, b)
	} else if !isNew && late.tookOver {
		late.wentOffline = true
	}
	if isNew || ends {
		after := r.reached.Load()
		if ends {
			after = max(after, c.st.Number())
		}
		c.st = session.NewState(c.key, now, after)
		late.fresh = true
	}
	c.will = n.Will
	waits := c.awaits(n.Ready)
	c.conn, c.info, c.offline = n.Attachment, n.Info, n.Offline
	n.Attachment.Joined(c)
	c.st.Username, c.st.Expiry, c.st.Started = n.Info.Username, n.Expiry, now
	c.st.PutRecord(b, true)
	r.back(c)
	present = !isNew && !ends
	c.mu.Unlock()
	flush = r.HandOver(now, c, true, late.moved, b)
	r.finish(now, c.key, &late)
	r.chain().OnClientWakeup(c.key)
	if !waits && n.Ready != nil {
		n.Ready()
	}
	return c, present, flush
}

// evict ends the present connection. Called with the lock held; the will is
// the caller's affair.
func (c *Client) evict(now time.Time, code mqtt.ReasonCode, reason string) {
	old := c.conn
	c.conn, c.online = nil, false
	old.Evict(now, code, reason)
	c.lost(old)
}

// finale gathers what is to be done after the lock is released.
type finale struct {
	tookOver    bool
	fresh       bool // a session began
	ended       bool // a session ended
	wentOffline bool
	expired     bool
	will        *mqtt.Will
	info        *hook.Client
	dropped     []mqtt.Queued
	reason      mqtt.DropReason
	moved       []mqtt.Queued // of share groups, for other members
	unread      int           // of the dropped, those that were only in the store
}

// finish does it: will, drops, hooks. Called without any lock.
func (r *Registry) finish(now time.Time, key mqtt.SessionKey, f *finale) {
	for _, it := range f.dropped {
		r.Dropped(key, it.Message, f.reason)
	}
	if f.unread > 0 {
		r.Metrics.Dropped(int(f.reason)).Inc(int64(f.unread))
		r.Metrics.QueueMessageDrop.Inc(int64(f.unread))
	}
	ch := r.chain()
	if f.ended {
		r.Metrics.QueueTeardown.Inc(1)
		ch.OnTopicUnsubscribed(key, nil)
		if f.expired {
			r.Metrics.ClientExpired.Inc(1)
			ch.OnSessionExpired(key)
		} else {
			ch.OnClientGone(key)
		}
	} else if f.wentOffline {
		ch.OnClientOffline(key)
	}
	if f.fresh {
		r.Metrics.QueueSetup.Inc(1)
	}
	if f.will != nil {
		r.Publish(now, f.info, f.will)
	}
}

// HandOver gives messages of share groups that c will not deliver to other
// members; b is the commit that took them from c, still to be submitted. What
// nobody gets goes back to c, to its old place and out of b, or is dropped if c
// has left for good or begun a new session. flush must
// be called once b is submitted. Called without any lock.
//
// Spec: MQTT 5.0 §4.8.2.
func (r *Registry) HandOver(now time.Time, c *Client, forGood bool, items []mqtt.Queued, b *store.Batch) (flush func()) {
	if len(items) == 0 {
		return func() {}
	}
	left, others := r.Redistribute(now, c, forGood, items, b)
	lost := left
	if !forGood {
		lost = c.giveBack(left, b)
	}
	for _, it := range lost {
		reason := mqtt.DropSessionEnded
		if !forGood && it.Delivery.QoS == mqtt.AtMostOnce {
			reason = mqtt.DropOffline
		}
		r.Dropped(c.key, it.Message, reason)
	}
	return func() {
		others()
		if len(left) > 0 && !forGood {
			c.Flush(now)
		}
	}
}

// handOverAndCommit does both for messages that a client has left behind. done,
// unless it is nil, is called once the commit is made or has failed.
func (r *Registry) handOverAndCommit(now time.Time, c *Client, f *finale, b *store.Batch, done func(error)) {
	flush := r.HandOver(now, c, f.ended, f.moved, b)
	r.commit(b, done)
	flush()
}

// empty ends the session: its subscriptions, messages and record. Called with
// the lock held.
func (c *Client) empty(f *finale, b *store.Batch) {
	for _, sub := range c.st.Subscriptions() {
		c.reg.Unsubscribe(c, sub)
	}
	f.ended, f.reason = true, mqtt.DropSessionEnded
	f.unread = c.st.LoseBacklog()
	c.st.End(func(it mqtt.Queued) { f.dropped = append(f.dropped, it) }, func(it mqtt.Queued) { f.moved = append(f.moved, it) })
	c.st.Expiry = 0
	c.st.PutRecord(b, true)
}

// Detach says that a connection has ended. Its will is published, now or after
// its delay, unless withWill is false. The session stays for its expiry
// interval, or ends. Nothing happens if the client has another connection.
//
// Spec: MQTT 5.0 §3.1.2.5, §3.1.2.11.2, §3.1.3.2.2.
func (r *Registry) Detach(now time.Time, c *Client, a Attachment, withWill bool) {
	var late finale
	var b store.Batch
	c.mu.Lock()
	if !c.Attached(a) {
		c.mu.Unlock()
		return
	}
	c.conn, c.online = nil, false
	c.lost(a)
	r.leave(now, c, withWill, &late, &b)
	c.mu.Unlock()
	r.handOverAndCommit(now, c, &late, &b, nil)
	r.finish(now, c.key, &late)
}

// leave does what follows the end of a connection. Called with the lock held.
func (r *Registry) leave(now time.Time, c *Client, withWill bool, late *finale, b *store.Batch) {
	if !withWill {
		c.will = nil
	}
	if c.will != nil && (c.will.Delay == 0 || !c.st.Durable()) {
		late.will, late.info, c.will = c.will, c.info, nil
	}
	if !c.st.Durable() {
		c.empty(late, b)
		r.forget(c)
		return
	}
	late.wentOffline, late.reason = true, mqtt.DropQueueFull
	late.moved = c.st.Unsent(nil, b)
	c.dropQoS0(now, r)
	c.st.Queue.Trim(c.offline, func(it mqtt.Queued) {
		c.st.Complete(it, b)
		late.dropped = append(late.dropped, it)
	})
	if c.away == nil {
		c.away = &away{}
	}
	c.left = now
	if c.st.Expiry != store.Forever {
		c.expires = now.Add(c.st.Expiry)
	}
	if c.will != nil {
		c.willDue = now.Add(c.will.Delay)
		if !c.expires.IsZero() && c.expires.Before(c.willDue) {
			c.willDue = c.expires
		}
	}
	c.st.PutIdentifiers(b)
	if r.SpillsNow() {
		c.st.Spill(c.offline)
	}
	rec := c.st.Record()
	rec.Offline, rec.Will, rec.WillDue = now, c.will, c.willDue
	b.Add(store.Op{Kind: store.PutSession, Key: c.key, Session: rec})
	b.Sync = c.will != nil
	r.arm(c)
}

// dropQoS0 takes QoS 0 messages out of the queue of a client that went
// offline. Called with the lock held; the drops are counted at once, hooks
// are told later through finale only for bounded queues.
func (c *Client) dropQoS0(_ time.Time, r *Registry) {
	var kept []mqtt.Queued
	found := false
	c.st.Queue.Each(func(it mqtt.Queued) bool {
		found = found || it.Delivery.QoS == mqtt.AtMostOnce
		return !found
	})
	if !found {
		return
	}
	for {
		it, ok := c.st.Queue.Pop(false)
		if !ok {
			break
		}
		if it.Delivery.QoS > mqtt.AtMostOnce {
			kept = append(kept, it)
			continue
		}
		r.Metrics.Dropped(int(mqtt.DropOffline)).Inc(1)
		r.Metrics.QueueMessageUnhandled.Inc(1)
	}
	for _, it := range kept {
		c.st.Queue.Push(it, queue.Limits{Messages: -1})
	}
}

// commit stores what no client waits for, and calls done if it is not nil.
func (r *Registry) commit(b *store.Batch, done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	if b.Empty() {
		done(nil)
		return
	}
	b.Submit(r.Store, func(err error) {
		if err != nil {
			r.Metrics.StoreErrors.Inc(1)
		}
		done(err)
	})
}

// Disconnect ends the client's connection, if it has one, and with cleanup the
// session as well. It reports whether there was anything to end.
func (r *Registry) Disconnect(now time.Time, key mqtt.SessionKey, code mqtt.ReasonCode, cleanup bool) bool {
	return r.disconnect(now, key, code, cleanup, nil)
}

// disconnect is Disconnect; done, unless it is nil, is called once what it
// changes is stored, if there was anything to end.
func (r *Registry) disconnect(now time.Time, key mqtt.SessionKey, code mqtt.ReasonCode, cleanup bool, done func(error)) bool {
	c := r.Get(key)
	if c == nil {
		return false
	}
	var late finale
	var b store.Batch
	c.mu.Lock()
	if c.dead || c.conn == nil && !cleanup {
		c.mu.Unlock()
		return false
	}
	had := c.conn != nil
	if had {
		c.evict(now, code, "")
	}
	if cleanup {
		c.st.Expiry = 0
	}
	if had || cleanup {
		r.leave(now, c, true, &late, &b)
	}
	c.mu.Unlock()
	r.handOverAndCommit(now, c, &late, &b, done)
	r.finish(now, c.key, &late)
	return true
}
