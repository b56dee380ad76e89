package router

import (
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// change is a retained message that was put, or deleted by an empty one, and
// the one that was there before, nil for none.
type change struct{ m, old *mqtt.Message }

// retain keeps or deletes the retained message of a topic. What a publisher is
// told about waits in the batch's changes for the commit. What nobody is told
// about is retained at once, since an older message must not stay in its place,
// and goes to the store even when little space is left. Only when the store has
// failed does it not get there: after the restart, which ends that, the topic
// has the message that was last stored.
//
// Spec: MQTT 5.0 §3.3.1.3 [MQTT-3.3.1-5], [MQTT-3.3.1-6], [MQTT-3.3.1-7].
func (r *Router) retain(m *mqtt.Message, b *Batch) {
	op := store.Op{Kind: store.PutRetained, Message: m, Lazy: b.Untold || m.QoS == mqtt.AtMostOnce}
	var old *mqtt.Message
	if len(m.Payload) > 0 {
		old = r.retained.Put(m)
	} else {
		if old = r.retained.Delete(m.Mountpoint, m.Topic); old == nil {
			return
		}
		op.Kind = store.DropRetained
	}
	b.Store.Add(op)
	b.Store.Sync = b.Store.Sync || m.QoS > mqtt.AtMostOnce
	if !op.Lazy {
		b.changes = append(b.changes, change{m, old})
	}
}

// Submit commits what the batch's messages left to be stored. If that fails,
// what was retained for publishers, who are told so, is taken back before done
// is called.
func (b *Batch) Submit(r *Router, st store.Committer, done func(error)) {
	if b.changes == nil {
		b.Store.Submit(st, done)
		return
	}
	list := b.changes
	b.changes = nil
	b.Store.Submit(st, func(err error) {
		for i := len(list) - 1; i >= 0 && err != nil; i-- {
			r.retained.TakeBack(list[i].m, list[i].old)
		}
		done(err)
	})
}

// Refused returns the error for which m, whose publisher waits for an
// acknowledgement, must not be routed: the store takes nothing at present, and
// m needs it for what is retained or for a durable session that matches, be it
// as one of many members of a share group. Nothing has been done then.
func (r *Router) Refused(m *mqtt.Message, b *Batch, st store.Committer) error {
	err := st.Refuses(true)
	if err == nil || r.appends(m, b) {
		return err
	}
	if m.Retain && m.QoS > mqtt.AtMostOnce {
		switch {
		case len(m.Payload) > 0:
			return err
		case r.retained.Get(m.Mountpoint, m.Topic) != nil:
			return st.Refuses(false)
		}
	}
	return nil
}

// appends reports whether m must be stored for any session.
func (r *Router) appends(m *mqtt.Message, b *Batch) bool {
	b.result.Reset()
	r.subs.Match(m.Mountpoint, m.Topic, &b.result)
	for _, x := range b.result.Plain {
		if d, ok := delivery(m, x); ok && d.QoS > mqtt.AtMostOnce && x.Subscriber.Durable() {
			return true
		}
	}
	for i := range b.result.Groups {
		g := &b.result.Groups[i]
		for k := range g.Members.Len() {
			x := g.Members.At(k)
			if d, _ := delivery(m, x); d.QoS > mqtt.AtMostOnce && x.Subscriber.Durable() {
				return true
			}
		}
	}
	return false
}
