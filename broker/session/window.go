package session

import (
	"sort"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// step is how far an outgoing QoS 1 or 2 message has come.
type step uint8

const (
	stepDone      step = iota // completed, waits to be swept
	stepAssigning             // QoS 2: the packet identifier is on its way to the store
	stepSent                  // PUBLISH sent, or due after a reconnect
	stepReleasing             // QoS 2: PUBREC received, on its way to the store
	stepReleased              // QoS 2: PUBREL sent, or due after a reconnect
)

// inflight is one outgoing QoS 1 or 2 message that is not completed.
type inflight struct {
	seq    uint64
	item   mqtt.Queued
	sent   *mqtt.Message // what the client gets instead of item.Message, nil = that
	step   step
	onWire bool // sent on the present connection
	vetted bool // nobody is asked any longer whether it may be sent
}

// out is the message as the client gets it.
func (f *inflight) out() mqtt.Queued { return as(f.item, f.sent) }

// as is it with another message, unless that is nil.
func as(it mqtt.Queued, m *mqtt.Message) mqtt.Queued {
	if m != nil {
		it.Message = m
	}
	return it
}

func (f *inflight) id() uint16 { return seqID(f.seq) }

// seqID is the packet identifier of a sequence number: 1..65535 in turn.
func seqID(seq uint64) uint16 { return uint16(seq%maxID) + 1 }

const maxID = 65535

// window holds the messages in flight in the order they were first sent. The
// packet identifier is a function of the ever increasing sequence number, so
// an acknowledgement finds its message by binary search; the sequence jumps to
// where the identifier wanted comes next. Owned by the holder of the client's
// lock.
//
// Spec: MQTT 5.0 §2.2.1, §4.4, §4.6.
type window struct {
	list []inflight
	head int    // entries before are swept
	live int    // entries not done
	next uint64 // sequence number of the next message
}

// numberID is the packet identifier foreseen for a message by its number in the
// session. The number is in the store with the message, so that after a crash
// the same message gets the same identifier although nothing was stored when it
// was sent.
func numberID(n uint64) uint16 { return uint16((n-1)%maxID) + 1 }

// add puts it in flight under an unused packet identifier: with byNumber the
// one foreseen for it, unless another message has that. The caller keeps live
// below 65535.
func (w *window) add(it mqtt.Queued, s step, byNumber bool) (f *inflight, foreseen bool) {
	if byNumber && it.Number > 0 && w.find(numberID(it.Number)) == nil {
		return w.restore(it, numberID(it.Number), s), true
	}
	for w.find(seqID(w.next)) != nil {
		w.next++
	}
	return w.push(inflight{seq: w.next, item: it, step: s}), false
}

// restore puts it in flight under a given packet identifier, behind those
// already there.
func (w *window) restore(it mqtt.Queued, id uint16, s step) *inflight {
	seq := w.next
	if d := (uint64(id) - 1 + maxID - seq%maxID) % maxID; d > 0 {
		seq += d
	}
	return w.push(inflight{seq: seq, item: it, step: s})
}

func (w *window) push(f inflight) *inflight {
	w.next = f.seq + 1
	w.live++
	w.list = append(w.list, f)
	return &w.list[len(w.list)-1]
}

// find returns the message in flight under id, nil if there is none. A message
// that stays while the identifiers go round several times costs one more probe
// per round.
func (w *window) find(id uint16) *inflight {
	l := w.list[w.head:]
	if len(l) == 0 || id == 0 {
		return nil
	}
	if f := &l[0]; f.step != stepDone && f.id() == id { // acknowledgements mostly come in order
		return f
	}
	first, last := l[0].seq, l[len(l)-1].seq
	for seq := first + (uint64(id)-1+maxID-first%maxID)%maxID; seq <= last; seq += maxID {
		i := sort.Search(len(l), func(i int) bool { return l[i].seq >= seq })
		if i < len(l) && l[i].seq == seq && l[i].step != stepDone {
			return &l[i]
		}
	}
	return nil
}

// done completes f. Pointers into the window are invalid afterwards.
func (w *window) done(f *inflight) {
	f.step, f.item, f.sent = stepDone, mqtt.Queued{}, nil
	w.live--
	for w.head < len(w.list) && w.list[w.head].step == stepDone {
		w.head++
	}
	switch {
	case w.head == len(w.list):
		w.list, w.head = w.list[:0], 0
		if cap(w.list) > 256 {
			w.list = nil
		}
	case len(w.list) == cap(w.list) && w.live < len(w.list)/2:
		w.sweep()
	}
}

// sweep closes the gaps that completed messages left.
func (w *window) sweep() {
	kept := w.list[:0]
	for i := w.head; i < len(w.list); i++ {
		if w.list[i].step != stepDone {
			kept = append(kept, w.list[i])
		}
	}
	clear(w.list[len(kept):])
	w.list, w.head = kept, 0
}

// each calls f for every message in flight, in order.
func (w *window) each(f func(*inflight)) {
	for i := w.head; i < len(w.list); i++ {
		if w.list[i].step != stepDone {
			f(&w.list[i])
		}
	}
}
