package pebblestore

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// scheduler lets the database compact as much at a time as it allows itself.
// Pebble's own looks ten times a second whether something waits, for ever; this
// one only while something was refused, so that an idle broker sleeps. Safe for
// concurrent use; mu comes after pebble's locks, and none of its methods that
// take those is called with mu held.
type scheduler struct {
	db pebble.DBForCompaction // set by Register, before any other call

	mu       sync.Mutex
	turn     sync.Cond // granting has ended
	running  int       // compactions
	refused  bool      // one waits for permission
	granting bool
	closed   bool
	again    *time.Timer
}

// lookAgain is how soon a refused compaction is looked at again.
const lookAgain = 100 * time.Millisecond

func newScheduler() *scheduler {
	s := &scheduler{}
	s.turn.L = &s.mu
	return s
}

// Register implements pebble.CompactionScheduler.
func (s *scheduler) Register(_ int, db pebble.DBForCompaction) { s.db = db }

// Unregister implements pebble.CompactionScheduler.
func (s *scheduler) Unregister() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.again != nil {
		s.again.Stop()
	}
	for s.granting {
		s.turn.Wait()
	}
}

// TrySchedule implements pebble.CompactionScheduler.
func (s *scheduler) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, nil
	}
	if s.running < s.db.GetAllowedWithoutPermission() {
		s.running++
		return true, s
	}
	s.refused = true
	s.look(lookAgain)
	return false, nil
}

// UpdateGetAllowedWithoutPermission implements pebble.CompactionScheduler: more
// may be allowed now.
func (s *scheduler) UpdateGetAllowedWithoutPermission() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused {
		s.look(0)
	}
}

// look has grant called after d. Called with mu held.
func (s *scheduler) look(d time.Duration) {
	switch {
	case s.closed:
	case s.again == nil:
		s.again = time.AfterFunc(d, s.grant)
	default:
		s.again.Reset(d)
	}
}

// grant gives permission to what waits.
func (s *scheduler) grant() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.granting && !s.closed {
		s.turn.Wait()
	}
	if s.closed || !s.refused {
		return
	}
	s.granting = true
	for !s.closed && s.running < s.db.GetAllowedWithoutPermission() {
		s.running++ // taken back if nothing comes of it
		s.mu.Unlock()
		waiting, _ := s.db.GetWaitingCompaction()
		accepted := waiting && s.db.Schedule(s)
		s.mu.Lock()
		if !accepted {
			s.running--
			s.refused = waiting
			break
		}
	}
	if s.refused {
		s.look(lookAgain)
	}
	s.granting = false
	s.turn.Broadcast()
}

// Started implements pebble.CompactionGrantHandle.
func (*scheduler) Started() {}

// MeasureCPU implements pebble.CompactionGrantHandle.
func (*scheduler) MeasureCPU(pebble.CompactionGoroutineKind) {}

// CumulativeStats implements pebble.CompactionGrantHandle.
func (*scheduler) CumulativeStats(pebble.CompactionGrantHandleStats) {}

// Done implements pebble.CompactionGrantHandle: one compaction has ended.
func (s *scheduler) Done() {
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
	s.grant()
}
