package session

import (
	"cmp"
	"slices"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
)

// Unsent takes the messages of share groups that were never sent out of the
// queue: those of one group, or of all when of is nil. They are completed in b.
func (s *State) Unsent(of *mqtt.Share, b *store.Batch) (items []mqtt.Queued) {
	found := false
	mine := func(it mqtt.Queued) bool {
		return it.Delivery.Share != nil && !it.Ticket.Held() && (of == nil || *it.Delivery.Share == *of)
	}
	s.Queue.Each(func(it mqtt.Queued) bool {
		found = mine(it)
		return !found
	})
	if !found {
		return nil
	}
	var kept []mqtt.Queued
	for {
		it, ok := s.Queue.Pop(false)
		if !ok {
			break
		}
		if mine(it) {
			s.Complete(it, b)
			items = append(items, it)
			continue
		}
		kept = append(kept, it)
	}
	for _, it := range kept {
		s.Queue.Push(it, queue.Limits{Messages: -1})
	}
	return items
}

// GiveBack puts messages that Unsent took back to their places, before those
// that came later, and takes their completion out of b, which nobody has
// committed yet. It returns those of an earlier session of the client, and those
// of QoS 0, which wait for nobody who is away.
func (s *State) GiveBack(items []mqtt.Queued, b *store.Batch) (lost []mqtt.Queued) {
	var back []mqtt.Queued
	for _, it := range items {
		if it.Number <= s.base || it.Delivery.QoS == mqtt.AtMostOnce {
			lost = append(lost, it)
		} else {
			back = append(back, it)
		}
	}
	returned := func(n uint64) bool {
		_, found := slices.BinarySearchFunc(back, n, func(it mqtt.Queued, n uint64) int { return cmp.Compare(it.Number, n) })
		return found
	}
	b.Ops = slices.DeleteFunc(b.Ops, func(op store.Op) bool {
		return op.Kind == store.Complete && op.Key == s.Key && returned(op.Entry.Number)
	})
	var later []mqtt.Queued
	for it, ok := s.Queue.Pop(false); ok; it, ok = s.Queue.Pop(false) {
		later = append(later, it)
	}
	for _, it := range later {
		for len(back) > 0 && it.Number > back[0].Number {
			s.takeBack(back[0])
			back = back[1:]
		}
		s.Queue.Push(it, queue.Limits{Messages: -1})
	}
	for _, it := range back {
		s.takeBack(it)
	}
	return lost
}

// takeBack appends a message given back to the queue, or to the backlog if its
// place is there.
func (s *State) takeBack(it mqtt.Queued) {
	if s.backlog.count > 0 && it.Number > s.backlog.after {
		s.backlog.count++
		s.backlog.bytes += it.Message.Size()
		return
	}
	s.Queue.Push(it, queue.Limits{Messages: -1})
}
