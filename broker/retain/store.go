package retain

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Store holds the retained messages of all mountpoints, one per topic name. Safe
// for concurrent use; its one lock is held for a bounded number of steps and
// never while the caller's code runs.
//
// Spec: MQTT 5.0 §3.3.1.3.
type Store struct {
	mu       sync.RWMutex
	spaces   map[string]*space // by mountpoint; none is empty
	order    []*space          // by mountpoint, ascending
	count    int
	bytes    int64
	expiring int // messages that expire one day
	// refused are messages taken back after others had replaced them, with what
	// they had replaced themselves.
	refused map[*mqtt.Message]*mqtt.Message

	generation atomic.Uint64 // of the last change
}

// space is what one mountpoint retains.
type space struct {
	mountpoint string
	exact      map[string]*entry // does not shrink until the space is empty
	tree       tree
}

// overhead is what a message costs beyond topic, payload and properties, in
// bytes: the message, its entry, its shares of map and tree.
const overhead = int64(unsafe.Sizeof(mqtt.Message{})) + int64(unsafe.Sizeof(entry{})) + 56

func bytesOf(m *mqtt.Message) int64 {
	return overhead + int64(len(m.Topic)+len(m.Payload)+len(m.Properties))
}

// New returns an empty store.
func New() *Store { return &Store{spaces: map[string]*space{}} }

// Put keeps m as the retained message of its mountpoint and topic and returns
// the one it replaces, or nil. m must not change afterwards.
//
// Spec: MQTT 5.0 §3.3.1.3 [MQTT-3.3.1-5].
func (s *Store) Put(m *mqtt.Message) (old *mqtt.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(m)
}

func (s *Store) put(m *mqtt.Message) (old *mqtt.Message) {
	s.generation.Add(1)
	sp := s.spaces[m.Mountpoint]
	if sp == nil {
		sp = &space{mountpoint: m.Mountpoint, exact: map[string]*entry{}}
		s.spaces[m.Mountpoint] = sp
		i, _ := s.find(m.Mountpoint)
		s.order = slices.Insert(s.order, i, sp)
	}
	s.add(m, 1)
	e := sp.exact[m.Topic]
	if e == nil {
		e = &entry{m.Topic, m}
		sp.exact[m.Topic] = e
		sp.tree.insert(e)
		return nil
	}
	old = e.m
	s.add(old, -1)
	e.topic, e.m = m.Topic, m
	sp.exact[m.Topic] = e // the key is now the new message's string, which frees the old one
	return old
}

// add counts a message in (by = 1) or out (by = -1).
func (s *Store) add(m *mqtt.Message, by int) {
	s.count += by
	s.bytes += bytesOf(m) * int64(by)
	if !m.Expires.IsZero() {
		s.expiring += by
	}
}

// find returns where in order a mountpoint is or would be.
func (s *Store) find(mountpoint string) (int, bool) {
	return slices.BinarySearchFunc(s.order, mountpoint, func(sp *space, m string) int {
		return strings.Compare(sp.mountpoint, m)
	})
}

// Delete removes and returns the retained message of a topic, or nil.
//
// Spec: MQTT 5.0 §3.3.1.3 [MQTT-3.3.1-6].
func (s *Store) Delete(mountpoint, topic string) (old *mqtt.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delete(mountpoint, topic, nil)
}

// DeleteIf removes m if it is still the retained message of its topic; for
// messages found expired.
func (s *Store) DeleteIf(m *mqtt.Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delete(m.Mountpoint, m.Topic, m) != nil
}

// delete removes the message of a topic, if it is only (nil = any).
func (s *Store) delete(mountpoint, topic string, only *mqtt.Message) *mqtt.Message {
	sp := s.spaces[mountpoint]
	if sp == nil {
		return nil
	}
	e := sp.exact[topic]
	if e == nil || only != nil && e.m != only {
		return nil
	}
	s.generation.Add(1)
	s.add(e.m, -1)
	delete(sp.exact, topic)
	sp.tree.remove(topic)
	if len(sp.exact) == 0 {
		delete(s.spaces, mountpoint)
		i, _ := s.find(mountpoint)
		s.order = slices.Delete(s.order, i, i+1)
	}
	return e.m
}

// Generation returns a number that every change raises before it shows: while it
// is what it was before a Page, that page is up to date.
func (s *Store) Generation() uint64 { return s.generation.Load() }

// maxRefused is how many messages are remembered that were taken back when they
// were no longer there. They matter while changes made at the same time fail too.
const maxRefused = 1024

// TakeBack undoes the change that m made when it was put, or by a Delete for it
// when it is empty, and old, nil for none, was in its place: m was refused after
// all. What has replaced m since stays; if that is taken back as well, what
// was before m returns.
func (s *Store) TakeBack(m, old *mqtt.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for was := true; was; {
		var before *mqtt.Message
		if before, was = s.refused[old]; was {
			old = before
		}
	}
	there := m
	if len(m.Payload) == 0 {
		there = nil
	}
	switch {
	case s.get(m.Mountpoint, m.Topic) != there:
		if s.refused == nil || len(s.refused) >= maxRefused {
			s.refused = map[*mqtt.Message]*mqtt.Message{}
		}
		s.refused[m] = old
	case old != nil:
		s.put(old)
	default:
		s.delete(m.Mountpoint, m.Topic, nil)
	}
}

// Get returns the retained message of a topic, or nil. It may have expired.
func (s *Store) Get(mountpoint, topic string) *mqtt.Message {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(mountpoint, topic)
}

func (s *Store) get(mountpoint, topic string) *mqtt.Message {
	if sp := s.spaces[mountpoint]; sp != nil {
		if e := sp.exact[topic]; e != nil {
			return e.m
		}
	}
	return nil
}

// Mountpoints returns those that have messages, sorted.
func (s *Store) Mountpoints() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]string, len(s.order))
	for i, sp := range s.order {
		list[i] = sp.mountpoint
	}
	return list
}

// Any reports whether a mountpoint retains any message.
func (s *Store) Any(mountpoint string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.spaces[mountpoint] != nil
}

// Len returns the number of messages, expired ones included.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.count
}

// Bytes returns an estimate of the memory in use, in bytes.
func (s *Store) Bytes() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.bytes
}
