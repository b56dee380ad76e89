package session

import (
	"iter"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/topic"
)

// subscriptions are those of one session, by the filter as the client sent it.
// Most clients have a few, which take 24 bytes each here. Owned by the holder of
// the client's lock; the zero value is empty and holds no memory.
type subscriptions struct {
	few  []subscription // in no order, unless many is used
	many map[string]options
}

// subscription is one with its filter as sent, "$share/..." included.
type subscription struct {
	sent    string
	options options
}

// maxFew is how many are looked through one by one.
const maxFew = 8

// options is what a subscription has beside filter and share name.
type options struct {
	id       uint32
	qos      mqtt.QoS
	handling mqtt.RetainHandling
	flags    uint8
}

// Bits of options.flags.
const (
	noLocal = 1 << iota
	retainAsPublished
	upgradeQoS
)

func optionsOf(sub mqtt.Subscription) options {
	o := options{id: sub.ID, qos: sub.QoS, handling: sub.RetainHandling}
	set := func(is bool, bit uint8) {
		if is {
			o.flags |= bit
		}
	}
	set(sub.NoLocal, noLocal)
	set(sub.RetainAsPublished, retainAsPublished)
	set(sub.UpgradeQoS, upgradeQoS)
	return o
}

// of returns the subscription to a filter as sent.
func (o options) of(sent string) mqtt.Subscription {
	share, filter, err := topic.Split(sent)
	if err != nil { // a hook's filter
		share, filter = "", sent
	}
	return mqtt.Subscription{Filter: filter, ShareName: share, ID: o.id, QoS: o.qos, RetainHandling: o.handling,
		NoLocal: o.flags&noLocal != 0, RetainAsPublished: o.flags&retainAsPublished != 0, UpgradeQoS: o.flags&upgradeQoS != 0}
}

func (l *subscriptions) len() int { return len(l.few) + len(l.many) }

// index is where among the few a filter is, -1 = nowhere.
func (l *subscriptions) index(sent string) int {
	for i := range l.few {
		if l.few[i].sent == sent {
			return i
		}
	}
	return -1
}

func (l *subscriptions) get(sent string) (sub mqtt.Subscription, had bool) {
	if o, ok := l.many[sent]; ok {
		return o.of(sent), true
	}
	if i := l.index(sent); i >= 0 {
		return l.few[i].options.of(sent), true
	}
	return sub, false
}

// grow makes room for the first n.
func (l *subscriptions) grow(n int) {
	if n > maxFew {
		l.many = make(map[string]options, n)
	} else if n > 0 {
		l.few = make([]subscription, 0, n)
	}
}

// put adds or replaces one.
func (l *subscriptions) put(sent string, o options) (isNew bool) {
	if l.many == nil {
		if i := l.index(sent); i >= 0 {
			l.few[i].options = o
			return false
		}
		if len(l.few) < maxFew {
			l.few = append(l.few, subscription{sent, o})
			return true
		}
		l.many = make(map[string]options, 2*maxFew)
		for _, x := range l.few {
			l.many[x.sent] = x.options
		}
		l.few = nil
	}
	before := len(l.many)
	l.many[sent] = o
	return len(l.many) > before
}

func (l *subscriptions) remove(sent string) {
	delete(l.many, sent)
	if i := l.index(sent); i >= 0 {
		last := len(l.few) - 1
		l.few[i], l.few[last] = l.few[last], subscription{}
		l.few = l.few[:last]
	}
	if l.len() == 0 {
		*l = subscriptions{}
	}
}

// PutSubscription adds to b what the session has now of the subscription to a
// filter as sent, if the session is stored: a client is told of a change only
// when that is in force. The cost does not depend on what else it is subscribed
// to.
func (s *State) PutSubscription(b *store.Batch, sent string) {
	if !s.stored {
		return
	}
	op := store.Op{Kind: store.PutSubscription, Key: s.Key}
	sub, had := s.Subscription(sent)
	if !had {
		op.Kind, sub = store.DeleteSubscription, options{}.of(sent)
	}
	op.Subscription = &sub
	b.Add(op)
	b.Sync = true
}

// all gives each with its filter as sent, in no order; they must not change
// meanwhile.
func (l *subscriptions) all() iter.Seq2[string, mqtt.Subscription] {
	return func(yield func(string, mqtt.Subscription) bool) {
		for _, x := range l.few {
			if !yield(x.sent, x.options.of(x.sent)) {
				return
			}
		}
		for sent, o := range l.many {
			if !yield(sent, o.of(sent)) {
				return
			}
		}
	}
}
