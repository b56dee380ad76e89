package wiretest

import (
	"errors"
	"sync"

	"github.com/lunemq/lunemq/broker/store"
)

// simStore is a store whose commits the script may hold back or let fail, and
// which survives the broker. Safe for concurrent use.
type simStore struct {
	store.Store

	mu   sync.Mutex
	mode storeMode
	held []func()
}

type storeMode uint8

const (
	storeWorks storeMode = iota
	storeFails
	storeBreaks // commits fail although nothing has announced it
	storeHolds
	storeDead // of a broker that has crashed: nothing is stored, nobody is told
)

var errStore = errors.New("wiretest: the store fails")

// Commit implements store.Committer.
func (s *simStore) Commit(b *store.Batch, done func(error)) {
	s.mu.Lock()
	mode := s.mode
	if mode == storeHolds && b.Sync {
		own := store.Batch{Ops: append([]store.Op(nil), b.Ops...), Sync: b.Sync}
		s.held = append(s.held, func() { s.Store.Commit(&own, done) })
	}
	s.mu.Unlock()
	switch {
	case mode == storeFails, mode == storeBreaks:
		done(errStore)
	case mode == storeHolds && b.Sync, mode == storeDead:
	default:
		s.Store.Commit(b, done)
	}
}

// Refuses implements store.Committer.
func (s *simStore) Refuses(bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode == storeFails {
		return errStore
	}
	return nil
}

// set changes the mode; commits held back are made, or lost with a crash.
func (s *simStore) set(m storeMode) {
	s.mu.Lock()
	s.mode = m
	held := s.held
	s.held = nil
	s.mu.Unlock()
	if m == storeDead {
		return
	}
	for _, f := range held {
		f()
	}
}

// Close implements store.Store: what was stored stays for the next broker.
func (*simStore) Close() error { return nil }
