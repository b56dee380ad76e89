package conn

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/topic"
)

// subscribe checks, authorises and makes subscriptions. Called without the
// lock.
//
// Spec: MQTT 5.0 §3.8.4.
func (c *Conn) subscribe(now time.Time, ev session.Event) {
	p := ev.Packet.(*packet.Subscribe)
	q := &hook.Subscribe{Client: c.info, Topics: make([]hook.Topic, len(p.Topics))}
	q.Properties.User, q.Properties.SubscriptionID = p.UserProperties, p.SubscriptionID
	cl := c.lock()
	for i, f := range p.Topics {
		sub, code, err := c.m.Check(f, p.SubscriptionID, true)
		var e *mqtt.Error
		if errors.As(err, &e) && e.Code == mqtt.ProtocolError {
			c.fail(now, err)
			c.unlock(cl)
			return
		}
		q.Topics[i] = hook.Topic{Filter: f.Filter, Subscription: sub, Code: code}
	}
	c.unlock(cl)
	if !c.chain.BlocksSubscribe() {
		c.grant(now, ev.Slot, q)
		return
	}
	c.work(func(now time.Time) { c.grant(now, ev.Slot, q) })
}

// grant asks the hooks and makes the subscriptions they allow.
func (c *Conn) grant(now time.Time, slot session.Slot, q *hook.Subscribe) {
	codes := make([]mqtt.ReasonCode, len(q.Topics))
	v, mod := c.askSubscribe(q)
	if v.Decision != hook.OK {
		c.srv.Metrics.MQTTSubscribeAuthError.For(c.v5()).Inc(1)
		c.explain("subscribe", q.Topics[0].Filter, v)
		code := v.Code
		if code == 0 {
			code = mqtt.NotAuthorized
		}
		for i, t := range q.Topics {
			codes[i] = code
			if t.Code.IsError() {
				codes[i] = t.Code
			}
		}
		c.settles = append(c.settles, settle{slot: slot, kind: session.WantSubscribe, subs: codes, reason: v.ReasonString})
		return
	}
	var user []mqtt.UserProperty
	if mod != nil {
		user = mod.UserProperties
		if mod.Topics != nil {
			q.Topics = mod.Topics
		}
	}
	jobs, granted, made := c.enter(q.Topics, codes)
	c.settles = append(c.settles, settle{slot: slot, kind: session.WantSubscribe, subs: codes, user: user, jobs: jobs, made: made})
	if len(granted) > 0 {
		q.Topics = granted
		c.chain.OnSubscribe(q)
	}
	for _, t := range granted {
		if s := t.Subscription; s.ShareName != "" {
			c.srv.collect(now, c.info.Key.Mountpoint, mqtt.Share{Name: s.ShareName, Filter: s.Filter})
		}
	}
}

// askSubscribe asks the hooks about the entries that are not refused already.
func (c *Conn) askSubscribe(q *hook.Subscribe) (hook.Verdict, *hook.SubscribeResult) {
	for _, t := range q.Topics {
		if !t.Code.IsError() {
			return c.chain.AuthOnSubscribe(context.Background(), q)
		}
	}
	return hook.Accept, nil
}

// enter makes the subscriptions and fills codes; it returns what retained
// messages are due, what was granted and what that changed. What plugins added to
// the topics of the packet has no code.
func (c *Conn) enter(topics []hook.Topic, codes []mqtt.ReasonCode) (jobs []retainJob, granted []hook.Topic, made []*change) {
	cl := c.lock()
	defer c.unlock(cl)
	if cl == nil || !cl.Attached(c) {
		refuseAll(codes, mqtt.UnspecifiedError)
		return nil, nil, nil
	}
	st := cl.Session()
	answer := func(i int, code mqtt.ReasonCode) {
		if i < len(codes) {
			codes[i] = code
		}
	}
	for i, t := range topics {
		if !t.Code.IsError() && c.m.Full(topic.Join(t.Subscription.ShareName, t.Subscription.Filter)) {
			t.Code = mqtt.QuotaExceeded // those before it in the packet count too
		}
		answer(i, t.Code)
		if t.Code.IsError() {
			c.srv.Metrics.MQTTSubscribeError.For(c.v5()).Inc(1)
			continue
		}
		sub := t.Subscription
		sent := topic.Join(sub.ShareName, sub.Filter)
		made = append(made, c.changing(st, sent))
		isNew := st.Subscribed(sent, sub)
		st.PutSubscription(&c.batch.Store, sent)
		c.srv.Router.Subscribe(c.info.Key.Mountpoint, sub, cl)
		answer(i, mqtt.ReasonCode(sub.QoS))
		granted = append(granted, t)
		if sub.ShareName == "" && (sub.RetainHandling == mqtt.SendRetained || sub.RetainHandling == mqtt.SendRetainedIfNew && isNew) {
			jobs = append(jobs, retainJob{sub: sub}) // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]
		}
	}
	if len(jobs) > 0 && !c.srv.Router.Retained().Any(c.info.Key.Mountpoint) { // what is retained from now on matches the subscription
		jobs = nil
	}
	return jobs, granted, made
}

// unsubscribe removes subscriptions. Called without the lock.
//
// Spec: MQTT 5.0 §3.10.4.
func (c *Conn) unsubscribe(now time.Time, ev session.Event) {
	p := ev.Packet.(*packet.Unsubscribe)
	u := &hook.Unsubscribe{Client: c.info, Filters: p.Filters}
	u.Properties.User = p.UserProperties
	if !c.chain.BlocksUnsubscribe() {
		c.withdraw(now, ev.Slot, ev.Kind, u)
		return
	}
	slot, kind := ev.Slot, ev.Kind
	u.Filters = slices.Clone(p.Filters) // the packet is not valid outside this call
	c.work(func(now time.Time) { c.withdraw(now, slot, kind, u) })
}

// withdraw asks the hooks and removes the subscriptions.
func (c *Conn) withdraw(now time.Time, slot session.Slot, kind session.EventKind, u *hook.Unsubscribe) {
	filters := c.chain.OnUnsubscribe(context.Background(), u)
	codes := make([]mqtt.ReasonCode, len(u.Filters))
	cl := c.lock()
	if cl == nil || !cl.Attached(c) {
		c.countFailed(packet.TypeUnsubscribe)
		c.unlock(cl)
		return
	}
	st := cl.Session()
	var gone []string
	var made []*change
	var moved []mqtt.Queued
	for i, f := range filters {
		if sub, had := st.Subscription(f); had {
			made = append(made, c.changing(st, f))
			st.Unsubscribed(f)
			st.PutSubscription(&c.batch.Store, f)
			c.srv.Router.Unsubscribe(c.info.Key.Mountpoint, sub, cl)
			gone = append(gone, f)
			if sub.ShareName != "" {
				moved = append(moved, st.Unsent(&mqtt.Share{Name: sub.ShareName, Filter: sub.Filter}, &c.batch.Store)...)
			}
		} else if i < len(codes) {
			codes[i] = mqtt.NoSubscriptionExisted
		}
	}
	c.unlock(cl)
	c.flushes = append(c.flushes, c.srv.Registry.HandOver(now, cl, true, moved, &c.batch.Store))
	c.settles = append(c.settles, settle{slot: slot, kind: kind, subs: codes, made: made})
	if len(gone) > 0 {
		c.chain.OnTopicUnsubscribed(c.info.Key, gone)
	}
}

func refuseAll(codes []mqtt.ReasonCode, code mqtt.ReasonCode) {
	for i := range codes {
		codes[i] = code
	}
}
