package retain

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/topic"
)

// Cursor is how far an iteration has come. Comparable; zero is the start. A
// cursor never becomes invalid.
type Cursor struct {
	mountpoint string
	topic      string // of the last message looked at
	moved      bool
}

// What a page may cost while the lock is held, in messages looked at.
const (
	pageBudget = 4096
	seekCost   = 16   // of finding a place in the tree
	longTopic  = 1024 // each so many bytes of a topic name count as one message
)

func cost(name string) int { return 1 + len(name)/longTopic }

// Page appends to dst up to limit messages of a mountpoint that match a valid
// filter, in the order of their topic levels, from the cursor on. next is where
// to go on; more = false says that there is nothing behind it. Few or no
// messages with more = true mean that looking further would have taken too
// long: call again.
//
// Messages that have expired at now are left out. One that is put or deleted
// between pages may or may not be seen, all others are seen once. Messages are
// shared and read-only.
//
// Spec: MQTT 5.0 §3.3.1.3 [MQTT-3.3.1-9], §4.7.
func (s *Store) Page(now time.Time, mountpoint, filter string, cursor Cursor, limit int, dst []*mqtt.Message) (out []*mqtt.Message, next Cursor, more bool) {
	if !topic.HasWildcard(filter) {
		if m := s.Get(mountpoint, filter); m != nil && !cursor.moved && !m.Expired(now) {
			dst = append(dst, m)
		}
		return dst, Cursor{mountpoint, filter, true}, false
	}
	from := start(filter)
	if cursor.moved {
		from = bound{head: cursor.topic, side: after}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	sp := s.spaces[mountpoint]
	if sp == nil {
		return dst, cursor, false
	}
	return sp.page(now, filter, from, cursor, limit, dst)
}

// page is Page under the lock.
func (sp *space) page(now time.Time, filter string, from bound, cursor Cursor, limit int, dst []*mqtt.Message) ([]*mqtt.Message, Cursor, bool) {
	var it iterator
	it.seek(&sp.tree, from)
	full := len(dst) + max(limit, 1)
	for spent := 0; ; {
		e := it.entry()
		if e == nil {
			return dst, cursor, false
		}
		does, to := judge(filter, e.topic)
		if does == done {
			return dst, cursor, false
		}
		if does == matches && !e.m.Expired(now) {
			if len(dst) == full {
				return dst, cursor, true
			}
			dst = append(dst, e.m)
		}
		cursor = Cursor{sp.mountpoint, e.topic, true}
		if spent += cost(e.topic); spent > pageBudget {
			return dst, cursor, true
		}
		if does == jump {
			it.seek(&sp.tree, to)
			spent += seekCost * cost(e.topic)
		} else {
			it.next()
		}
	}
}

// Expired appends to dst up to limit messages, of all mountpoints, that have
// expired at now, and works like Page otherwise. Remove them with DeleteIf.
//
// Spec: MQTT 5.0 §3.3.2.3.3.
func (s *Store) Expired(now time.Time, cursor Cursor, limit int, dst []*mqtt.Message) (out []*mqtt.Message, next Cursor, more bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.expiring == 0 {
		return dst, cursor, false
	}
	return s.scan(cursor, limit, dst, func(m *mqtt.Message) bool { return m.Expired(now) })
}

// Each calls f for each message until f returns false, ordered by mountpoint
// and topic levels, expired ones included. No lock is held while f runs; it
// sees changes as Page does.
func (s *Store) Each(f func(*mqtt.Message) bool) {
	var page []*mqtt.Message
	var cursor Cursor
	for more := true; more; {
		s.mu.RLock()
		page, cursor, more = s.scan(cursor, eachPage, page[:0], func(*mqtt.Message) bool { return true })
		s.mu.RUnlock()
		for _, m := range page {
			if !f(m) {
				return
			}
		}
	}
}

const eachPage = 256

// scan appends up to limit wanted messages of all mountpoints. Called with the
// lock held.
func (s *Store) scan(cursor Cursor, limit int, dst []*mqtt.Message, want func(*mqtt.Message) bool) ([]*mqtt.Message, Cursor, bool) {
	full := len(dst) + max(limit, 1)
	i, _ := s.find(cursor.mountpoint)
	for spent := 0; i < len(s.order); i++ {
		sp := s.order[i]
		from := bound{}
		if cursor.moved && cursor.mountpoint == sp.mountpoint {
			from = bound{head: cursor.topic, side: after}
		}
		var it iterator
		it.seek(&sp.tree, from)
		for spent += seekCost; ; it.next() {
			e := it.entry()
			if e == nil {
				break
			}
			if spent > pageBudget {
				return dst, cursor, true
			}
			if want(e.m) {
				if len(dst) == full {
					return dst, cursor, true
				}
				dst = append(dst, e.m)
			}
			cursor = Cursor{sp.mountpoint, e.topic, true}
			spent += cost(e.topic)
		}
	}
	return dst, cursor, false
}
