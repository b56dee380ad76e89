package conn

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/router"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// publish authorises and routes one PUBLISH. Called without the lock. A chain
// that may wait is asked by a worker, the connection's further input parked.
func (c *Conn) publish(now time.Time, ev session.Event) {
	m := c.message(now, ev)
	if strings.HasPrefix(m.Topic, "$") {
		c.denied(now, ev, m, hook.Verdict{Code: mqtt.TopicNameInvalid, Reason: "topic names beginning with $ belong to the broker"}, true)
		return
	}
	if !c.chain.BlocksPublish(len(m.Payload)) {
		c.decide(now, ev, m)
		return
	}
	ev.Packet = nil // not valid outside this call
	c.work(func(now time.Time) { c.decide(now, ev, m) })
}

// decide asks the hooks about a message and routes it.
func (c *Conn) decide(now time.Time, ev session.Event, m *mqtt.Message) {
	c.ask = hook.Publish{Client: c.info, Message: m}
	v, mod := c.authorise(&c.ask)
	if v.Decision != hook.OK {
		c.denied(now, ev, m, v, false)
		return
	}
	qos := m.QoS // of the packet, it decides what is answered
	if mod != nil {
		c.modify(now, m, mod)
	}
	if err := c.unstorable(ev.Slot, qos, m); err != nil {
		c.unstored(now, ev, m, err)
	} else {
		c.route(now, ev, m, qos)
	}
	if c.bound != nil && c.bound.published.exceeded(now) {
		c.throttle(now, c.bound.published.rest(now))
	}
}

// route gives a message to its receivers; qos is that of the packet.
func (c *Conn) route(now time.Time, ev session.Event, m *mqtt.Message, qos mqtt.QoS) {
	before := len(c.batch.Store.Ops)
	if qos == mqtt.ExactlyOnce {
		c.remember(ev.Slot)
	}
	c.batch.Untold = qos == mqtt.AtMostOnce
	copies := c.srv.Router.Publish(now, m, &c.batch)
	if c.chain.HasOnPublish() {
		c.chain.OnPublish(&c.ask)
	}
	if qos > mqtt.AtMostOnce {
		s := settle{slot: ev.Slot, kind: ev.Kind, stored: len(c.batch.Store.Ops) > before}
		if copies == 0 && c.v5() {
			s.code = mqtt.NoMatchingSubscribers
		}
		c.settles = append(c.settles, s)
	}
}

// unstorable returns the error for which a message must be refused before
// anybody gets it: its acknowledgement would rest on a store that is known to
// take nothing.
func (c *Conn) unstorable(slot session.Slot, qos mqtt.QoS, m *mqtt.Message) error {
	if qos == mqtt.AtMostOnce {
		return nil
	}
	err := c.srv.Store.Refuses(true)
	if err == nil || qos == mqtt.ExactlyOnce && c.remembers(slot) {
		return err
	}
	return c.srv.Router.Refused(m, &c.batch, c.srv.Store)
}

// remembers reports whether the identifier of a QoS 2 message must be stored.
func (c *Conn) remembers(slot session.Slot) bool {
	cl := c.lock()
	defer c.unlock(cl)
	_, durable := c.m.Inbound(slot)
	return durable
}

// unstored refuses a message that the store does not take; the client may send
// it again. 3.x clients are disconnected, without an acknowledgement.
func (c *Conn) unstored(now time.Time, ev session.Event, m *mqtt.Message, err error) {
	mt := c.srv.Metrics
	mt.MessagesReceived.Inc(1)
	mt.MessagesRefused.Inc(1)
	mt.MQTTPublishError.For(c.v5()).Inc(1)
	if c.v5() {
		c.explain("publish of what must be stored", m.Topic, hook.Verdict{Reason: err.Error()})
		c.settles = append(c.settles, settle{slot: ev.Slot, kind: ev.Kind, code: storeCode(err)})
		return
	}
	cl := c.lock()
	defer c.unlock(cl)
	c.m.Forget(ev.Slot)
	c.fail(now, mqtt.Errorf("conn: store", storeCode(err), "%v", err))
}

// remember puts the identifier of an accepted QoS 2 message of a durable
// session into the same commit as the message.
func (c *Conn) remember(slot session.Slot) {
	cl := c.lock()
	if id, durable := c.m.Inbound(slot); durable {
		c.batch.Store.Add(store.Op{Kind: store.PutInbound, Key: c.info.Key, PacketID: id})
		c.batch.Store.Sync = true
	}
	c.unlock(cl)
}

// message makes the message of a PUBLISH; nothing of the packet is kept.
func (c *Conn) message(now time.Time, ev session.Event) *mqtt.Message {
	p := ev.Packet.(*packet.Publish)
	if c.lastTopic != ev.Topic {
		c.lastTopic = strings.Clone(ev.Topic)
	}
	data := make([]byte, len(p.Payload)+len(p.Properties))
	n := copy(data, p.Payload)
	copy(data[n:], p.Properties)
	m := &mqtt.Message{Mountpoint: c.info.Key.Mountpoint, Topic: c.lastTopic, Payload: data[:n:n], Publisher: c.info.Key, QoS: p.QoS, Retain: p.Retain}
	if len(p.Properties) > 0 {
		m.Properties = data[n:]
	}
	if p.HasMessageExpiry {
		m.Expires = now.Add(time.Duration(p.MessageExpiry) * time.Second)
	}
	return m
}

// denied answers a refused PUBLISH: 3.1.1 clients are disconnected, 3.1 and
// bridges get their acknowledgement (unless configured otherwise), 5.0 clients
// the reason code. With quiet, 3.x clients get their acknowledgement always.
//
// Reference 1.10; MQTT 5.0 §3.4.2.1; MQTT 3.1.1 §3.3.5 [MQTT-3.3.5-2].
func (c *Conn) denied(now time.Time, ev session.Event, m *mqtt.Message, v hook.Verdict, quiet bool) {
	mt := c.srv.Metrics
	mt.MessagesReceived.Inc(1)
	mt.MessagesRefused.Inc(1)
	if quiet {
		mt.MQTTPublishError.For(c.v5()).Inc(1)
	} else {
		mt.MQTTPublishAuthError.For(c.v5()).Inc(1)
		c.explain("publish", m.Topic, v)
	}
	code := v.Code
	if code == 0 {
		code = mqtt.NotAuthorized
	}
	closes := c.m.Version() == mqtt.V311 && !c.info.Bridge || c.m.Version() == mqtt.V31 && c.srv.Settings.Load().Session.DenyClosesV31
	if closes && !quiet {
		cl := c.lock()
		c.fail(now, mqtt.Errorf("conn: publish", code, "refused on topic %q", m.Topic))
		c.unlock(cl)
		return
	}
	if m.QoS > mqtt.AtMostOnce {
		s := settle{slot: ev.Slot, kind: ev.Kind, code: code, reason: v.ReasonString}
		if !c.v5() {
			s.code = mqtt.Success
			if m.QoS == mqtt.ExactlyOnce {
				c.remember(ev.Slot)
				s.stored = true
			}
		}
		c.settles = append(c.settles, s)
	}
}

// work runs f outside the engine's loop as soon as the present batch has
// ended, the connection's input parked. Called without the lock.
func (c *Conn) work(f func(now time.Time)) {
	cl := c.lock()
	c.busy++
	c.unlock(cl)
	c.tasks = append(c.tasks, f)
}

// startWork starts a worker if there is work for one: until it is done, what
// belongs to the reader is the worker's.
func (c *Conn) startWork() {
	if len(c.tasks) > 0 {
		c.srv.tasks.Go(c.worker)
		return
	}
	c.giveReader()
}

func (c *Conn) worker() {
	done := 0
	for len(c.tasks) > 0 {
		f := c.tasks[0]
		c.tasks = c.tasks[1:]
		c.task(f)
		done++
	}
	c.giveReader()
	cl := c.lock()
	c.busy -= done
	idle := c.rests()
	c.unlock(cl)
	idle()
	c.ec.Wake()
}

// task runs one task. A panic ends this connection, not the broker.
func (c *Conn) task(f func(now time.Time)) {
	defer func() {
		if r := recover(); r != nil {
			c.srv.Metrics.HookErrors.Inc(1)
			c.panicked(r)
			c.reader = &reader{tasks: c.tasks} // nobody knows how far that one has come
		}
	}()
	now := time.Now()
	f(now)
	c.endBatch(now)
}

// aside runs f outside of the loop. A panic ends this connection, not the broker.
func (c *Conn) aside(f func()) {
	c.srv.tasks.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				c.panicked(r)
			}
		}()
		f()
	})
}

// panicked reports a panic and ends the connection. Called from the deferred
// function that has recovered.
func (c *Conn) panicked(r any) {
	c.srv.Log.Error("panic", c.who("panic", fmt.Sprint(r), "stack", string(debug.Stack()))...)
	c.ec.Close(fmt.Errorf("conn: panic: %v", r))
}

// throttle leaves the connection unread for d. Called without the lock.
func (c *Conn) throttle(now time.Time, d time.Duration) {
	cl := c.lock()
	if until := now.Add(d); until.After(c.throttled) {
		c.throttled = until
	}
	c.arm()
	c.unlock(cl)
}

// consume slows a client down that has sent n bytes and more than most in this
// second.
func (c *Conn) consume(now time.Time, n, most int) {
	if r := &c.bounds().read; r.above(now, n, most) {
		c.throttle(now, r.rest(now))
	}
}

// bounds are what most connections do without. Owned as the reader is.
type bounds struct {
	published rate           // PUBLISH packets, for max_message_rate
	read      rate           // bytes, for memory_limit
	policy    *router.Policy // for share groups, nil = the router's
}

func (c *Conn) bounds() *bounds {
	if c.bound == nil {
		c.bound = &bounds{}
	}
	return c.bound
}

// rate counts per second.
type rate struct {
	limit int // 0 = unlimited
	since time.Time
	count int
}

// exceeded counts one and reports whether the limit is reached.
func (r *rate) exceeded(now time.Time) bool {
	return r.limit > 0 && r.above(now, 1, r.limit-1)
}

// above counts n and reports whether more than most have come in this second.
func (r *rate) above(now time.Time, n, most int) bool {
	if now.Sub(r.since) >= time.Second {
		r.since, r.count = now, 0
	}
	r.count += n
	return r.count > most
}

// rest is the time left of the present second.
func (r *rate) rest(now time.Time) time.Duration { return r.since.Add(time.Second).Sub(now) }
