package session

import (
	"math"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
)

// backlog are messages of a queue that are only in the store, behind those in
// memory: all with a number above after. While there are any, what arrives
// joins them, so that order is kept.
type backlog struct {
	count int
	bytes int
	after uint64 // number of the newest message that is, or was, in memory
	drop  int    // so many of the newest are above max_online_messages
	// pending are those that readers of the store may not see yet, in order:
	// batches of several publishers are committed in any order, so that what
	// is behind the first of them must not be read.
	pending *[]pending // nil = none, as nearly always
}

type pending struct {
	number uint64
	ticket *mqtt.Ticket
}

// visible returns the number up to which, exclusively, the store can be read.
func (l *backlog) visible() uint64 {
	if l.pending == nil {
		return math.MaxUint64
	}
	list := *l.pending
	for len(list) > 0 && !list[0].ticket.Pending() {
		list = list[1:]
	}
	if *l.pending = list; len(list) == 0 {
		l.pending = nil
		return math.MaxUint64
	}
	return list[0].number
}

// LoadPage is how many messages are read from the store at a time, and how few
// are left in memory when the next are read.
const LoadPage = 64

// Queued returns the number of messages that wait and their bytes, those in the
// store included.
func (s *State) Queued() (messages, bytes int) {
	return s.Queue.Len() + s.backlog.count, s.Queue.Bytes() + s.backlog.bytes
}

// Spill forgets the messages of the queue that are in the store as well, so
// that only their number stays in memory. It does nothing where the order or
// the members of a share group need them: queue_type lifo, shared
// subscriptions.
func (s *State) Spill(l queue.Limits) {
	if !s.stored || l.LIFO || s.Queue.Len() == 0 || s.backlog.count > 0 {
		return
	}
	spills, before := true, uint64(0)
	s.Queue.Each(func(it mqtt.Queued) bool {
		if before == 0 {
			before = it.Number - 1
		}
		spills = it.Delivery.QoS > mqtt.AtMostOnce && it.Delivery.Share == nil && !it.Ticket.Pending()
		return spills
	})
	if !spills {
		return
	}
	n, bytes := s.Queued()
	s.backlog = backlog{count: n, bytes: bytes, after: before}
	s.Queue = queue.Queue{}
}

// join takes a stored message behind the backlog; ok = false when the limits
// refuse it.
func (s *State) join(it mqtt.Queued, l queue.Limits) (ok bool) {
	n, bytes := s.Queued()
	size := it.Message.Size()
	if l.Messages >= 0 && n >= l.Messages || l.Bytes > 0 && bytes+size > l.Bytes {
		return false
	}
	s.backlog.count++
	s.backlog.bytes += size
	if it.Ticket.Pending() {
		if s.backlog.pending == nil {
			s.backlog.pending = new([]pending)
		}
		*s.backlog.pending = append(*s.backlog.pending, pending{it.Number, it.Ticket})
	}
	s.backlog.visible()
	return true
}

// Push queues a message within the limits, in memory or behind the backlog; a
// QoS 0 message overtakes a backlog. What is dropped for it is handed back.
func (s *State) Push(it mqtt.Queued, l queue.Limits) (dropped mqtt.Queued, ok bool) {
	if s.backlog.count > 0 && it.Delivery.QoS > mqtt.AtMostOnce {
		return it, s.join(it, l)
	}
	return s.Queue.Push(it, l)
}

// WantsLoad reports whether the next page of the backlog is due, and between
// which numbers it lies, both exclusive.
func (s *State) WantsLoad() (after, before uint64, wants bool) {
	return s.backlog.after, s.backlog.visible(), s.backlog.count > 0 && s.Queue.Len() < LoadPage
}

// Loaded takes a page of the backlog into memory, in the order of the store;
// entries that are in flight already are passed over. What is above the limit
// of a connected client is dropped. It reports whether anything was new.
func (m *Machine) Loaded(page []store.Entry, b *store.Batch) (progress bool) {
	l := &m.st.backlog
	for _, e := range page {
		if e.Number <= l.after {
			continue
		}
		progress = true
		l.after = e.Number
		if e.PacketID != 0 || l.count == 0 {
			continue
		}
		if l.count <= l.drop {
			l.drop--
			m.Drop(e.Queued, mqtt.DropQueueFull, b)
		} else {
			m.st.Queue.Push(e.Queued, queue.Limits{Messages: -1})
		}
		l.count--
		l.bytes = max(0, l.bytes-e.Message.Size())
	}
	if l.count == 0 {
		l.bytes, l.drop = 0, 0
	}
	return progress
}

// LoseBacklog gives up messages that the store no longer has, and returns how
// many.
func (s *State) LoseBacklog() (n int) {
	n = s.backlog.count
	s.backlog = backlog{after: s.backlog.after}
	return n
}
