package pebblestore

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// ErrClosed is what commits and readers get after Close.
var ErrClosed = errors.New("pebblestore: closed")

// Store is a store.Store on disk. Safe for concurrent use. Its locks are
// leaves: done functions and readers' functions are called without them.
type Store struct {
	dir   string
	o     Options
	log   *slog.Logger
	db    *pebble.DB
	lock  *pebble.Lock
	guard *guard
	known *sessions

	mu      sync.Mutex // guards what follows
	room    sync.Cond  // waiting was taken
	waiting *line
	closing bool
	err     error  // what Commit reports at once: closed or failed
	current *group // what the committer works on
	readers int
	over    bool      // readers are refused
	idle    sync.Cond // there are no readers any more

	failure atomic.Pointer[error]
	newest  atomic.Int64 // ns since 1970
	tick    atomic.Bool
	work    chan struct{} // wakes the committer
	plan    *plan         // the committer's

	finish    finisher
	closed    chan struct{} // Close was called
	committed chan struct{} // the committer has ended
	finished  chan struct{}
	ticked    chan struct{}
}

// failed returns the error that has made the store fail, nil if none.
func (s *Store) failed() error {
	if e := s.failure.Load(); e != nil {
		return *e
	}
	return nil
}

// Failed returns the error that has made the store fail, nil while it works.
func (s *Store) Failed() error { return s.failed() }

// Refuses implements store.Committer: a store that has failed takes nothing.
func (s *Store) Refuses(bool) error { return s.failed() }

// stalled is told when the store begins to wait for file descriptors, and with
// nil when it goes on.
func (s *Store) stalled(err error) {
	if s.failed() != nil {
		return
	}
	if err != nil {
		s.log.Error("the store waits: nothing more is acknowledged until there are file descriptors", "err", err)
	} else {
		s.log.Info("the store goes on")
	}
	if s.o.Stalled != nil {
		s.o.Stalled(err)
	}
}

// fail makes the store refuse everything from now on. What waits, and what the
// committer is at, is refused through the finisher, behind what is on its way
// to the disk.
func (s *Store) fail(err error) {
	if !s.failure.CompareAndSwap(nil, &err) {
		return
	}
	s.log.Error("the store has failed: nothing more is acknowledged until the broker is restarted", "err", err)
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	if s.current != nil { // the committer may never return from it
		s.finish.add(&group{done: s.current.done})
		s.current = nil
	}
	g := &group{}
	for i := range s.waiting.batches {
		g.done = append(g.done, s.waiting.batches[i].done)
	}
	s.waiting.reset()
	s.room.Broadcast()
	s.mu.Unlock()
	s.finish.add(g)
	s.wake()
}

// Close implements store.Store: what was taken is committed, readers at work
// are waited for, so that they must not call it. A store that has failed reports that. Closing twice is
// harmless.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return s.failed()
	}
	s.closing = true
	if s.err == nil {
		s.err = ErrClosed
	}
	s.room.Broadcast()
	s.mu.Unlock()
	close(s.closed)
	s.wake()
	stuck := s.committerStuck()
	s.finish.close()
	<-s.finished
	<-s.ticked
	s.mu.Lock()
	for s.over = true; s.readers > 0; {
		s.idle.Wait()
	}
	s.mu.Unlock()
	err := s.failed()
	if stuck {
		return err
	}
	s.guard.disarm()
	return errors.Join(err, s.closeDB())
}

// patience is how long Close waits for the committer of a failed store.
const patience = 2 * time.Second

// committerStuck waits for the committer to end. It reports true when it never
// will: a failed database may hold it for ever, and its own locks with it. Then
// the directory stays locked until the process ends.
func (s *Store) committerStuck() bool {
	for {
		select {
		case <-s.committed:
			return false
		case <-s.guard.parked:
			return true
		case <-time.After(patience):
			if s.failed() != nil {
				return true
			}
		}
	}
}

// closeDB gives database and directory back. Pebble panics about what a failed
// log leaves behind.
func (s *Store) closeDB() (err error) {
	defer func() {
		if recover() != nil && s.failed() == nil {
			err = errors.New("pebblestore: " + s.dir + ": the database did not close properly")
		}
		s.lock.Close()
	}()
	if s.failed() == nil {
		err = s.closeCleanly()
	}
	if cerr := s.db.Close(); s.failed() == nil {
		err = errors.Join(err, cerr)
	}
	return err
}
