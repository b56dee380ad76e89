package memstore

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// ErrClosed is what commits get after Close.
var ErrClosed = errors.New("memstore: closed")

// Store is a store.Store in memory. Safe for concurrent use. Its lock is a
// leaf: done functions are called without it.
type Store struct {
	mu       sync.Mutex
	closed   bool
	sessions map[mqtt.SessionKey]*log
	retained map[mqtt.SessionKey]*mqtt.Message // key: mountpoint and topic
}

// log is one session: its record, its subscriptions and what is appended and
// not completed, by number.
type log struct {
	record  *store.Session
	subs    map[mqtt.Share]mqtt.Subscription // key: share name and filter
	entries []store.Entry
	inbound map[uint16]struct{}
}

// New returns an empty store.
func New() *Store {
	return &Store{sessions: map[mqtt.SessionKey]*log{}, retained: map[mqtt.SessionKey]*mqtt.Message{}}
}

// Commit implements store.Committer: the batch is in force when it returns.
func (s *Store) Commit(b *store.Batch, done func(error)) {
	done(s.commit(b))
}

// Refuses implements store.Committer: there is always room.
func (*Store) Refuses(bool) error { return nil }

func (s *Store) commit(b *store.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	for i := range b.Ops {
		s.apply(&b.Ops[i])
	}
	return nil
}

func (s *Store) apply(op *store.Op) {
	switch op.Kind {
	case store.PutRetained:
		s.retained[mqtt.SessionKey{Mountpoint: op.Message.Mountpoint, ClientID: op.Message.Topic}] = op.Message
		return
	case store.DropRetained:
		delete(s.retained, mqtt.SessionKey{Mountpoint: op.Message.Mountpoint, ClientID: op.Message.Topic})
		return
	case store.DeleteSession:
		delete(s.sessions, op.Key)
		return
	}
	l := s.sessions[op.Key]
	if op.Kind == store.PutSession {
		if l == nil {
			l = &log{}
			s.sessions[op.Key] = l
		}
		l.record = op.Session
		return
	}
	if l == nil { // of a session deleted meanwhile
		return
	}
	l.apply(op)
}

func (l *log) apply(op *store.Op) {
	switch op.Kind {
	case store.PutSubscription:
		if l.subs == nil {
			l.subs = map[mqtt.Share]mqtt.Subscription{}
		}
		l.subs[mqtt.Share{Name: op.Subscription.ShareName, Filter: op.Subscription.Filter}] = *op.Subscription
	case store.DeleteSubscription:
		delete(l.subs, mqtt.Share{Name: op.Subscription.ShareName, Filter: op.Subscription.Filter})
	case store.PutInbound:
		if l.inbound == nil {
			l.inbound = map[uint16]struct{}{}
		}
		l.inbound[op.PacketID] = struct{}{}
	case store.DropInbound:
		delete(l.inbound, op.PacketID)
	case store.Append:
		i, found := l.search(op.Entry.Number)
		if !found {
			l.entries = slices.Insert(l.entries, i, op.Entry)
		}
	case store.Assign, store.Release:
		if i, found := l.search(op.Entry.Number); found {
			if op.Kind == store.Assign || op.Entry.PacketID != 0 {
				l.entries[i].PacketID = op.Entry.PacketID
			}
			l.entries[i].Released = op.Kind == store.Release
		}
	case store.Complete:
		switch i, found := l.search(op.Entry.Number); {
		case found && i == 0:
			l.entries[0] = store.Entry{}
			l.entries = l.entries[1:]
		case found:
			l.entries = slices.Delete(l.entries, i, i+1)
		}
	}
}

// search finds an entry by number; the first and the last place are tried
// first, since that is where completions and appends happen.
func (l *log) search(n uint64) (int, bool) {
	switch last := len(l.entries) - 1; {
	case last < 0 || l.entries[last].Number < n:
		return last + 1, false
	case l.entries[0].Number == n:
		return 0, true
	}
	return slices.BinarySearchFunc(l.entries, n, func(e store.Entry, n uint64) int {
		switch {
		case e.Number < n:
			return -1
		case e.Number > n:
			return 1
		}
		return 0
	})
}

// session is the record with the subscriptions.
func (l *log) session() *store.Session {
	r := *l.record
	r.Subscriptions = slices.Collect(maps.Values(l.subs))
	return &r
}

// Sessions implements store.Reader.
func (s *Store) Sessions(f func(*store.Session) bool) error {
	s.mu.Lock()
	all := make([]*store.Session, 0, len(s.sessions))
	for _, l := range s.sessions {
		all = append(all, l.session())
	}
	s.mu.Unlock()
	for _, r := range all {
		if !f(r) {
			break
		}
	}
	return nil
}

// Session implements store.Loader.
func (s *Store) Session(key mqtt.SessionKey) (*store.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.sessions[key]; l != nil {
		return l.session(), nil
	}
	return nil, nil
}

// Load implements store.Loader.
func (s *Store) Load(f func(*store.Session, store.QueueReader) bool) error {
	return s.Sessions(func(r *store.Session) bool {
		return f(r, func(g func(store.Entry) bool) ([]uint16, error) { return s.Queue(r.Key, 0, g) })
	})
}

// Count implements store.Loader.
func (s *Store) Count() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions), nil
}

// Queue implements store.Reader.
func (s *Store) Queue(key mqtt.SessionKey, after uint64, f func(store.Entry) bool) ([]uint16, error) {
	s.mu.Lock()
	l := s.sessions[key]
	if l == nil {
		s.mu.Unlock()
		return nil, nil
	}
	entries := slices.Clone(l.entries)
	var inbound []uint16
	for id := range l.inbound {
		inbound = append(inbound, id)
	}
	s.mu.Unlock()
	for _, e := range entries {
		if e.Number > after && !f(e) {
			break
		}
	}
	return inbound, nil
}

// Retained implements store.Reader.
func (s *Store) Retained(f func(*mqtt.Message) bool) error {
	s.mu.Lock()
	all := make([]*mqtt.Message, 0, len(s.retained))
	for _, m := range s.retained {
		all = append(all, m)
	}
	s.mu.Unlock()
	for _, m := range all {
		if !f(m) {
			break
		}
	}
	return nil
}

// Close implements store.Store. What was kept is gone.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.sessions, s.retained = true, nil, nil
	return nil
}
