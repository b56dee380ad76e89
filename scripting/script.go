package scripting

import (
	"sync/atomic"
	"time"
)

// Script is one script file. Safe for concurrent use.
type Script struct {
	path    string
	name    string // what logs, errors and metrics call it
	current atomic.Pointer[version]
	stats   [slots]*stats
	slow    atomic.Int32 // calls on a loop that took too long
	lines   logLimit     // about failing calls
	// bars: it could not be loaded when the plugin started, so that all deciding
	// hooks refuse until it can be.
	bars atomic.Bool
	// recording collects calls, nil = nobody wants them.
	recording atomic.Pointer[recording]

	// The following are guarded by Engine.mu.
	loaded  time.Time // of current
	reloads int
	failed  error     // of the last attempt, nil if it succeeded
	byHand  bool      // by script load
	missing time.Time // when its file was found gone
	emptied time.Time // when its file was found empty
}

// retire takes the script out: calls that still find it have no hook to call.
func (s *Script) retire() {
	s.bars.Store(false)
	if r := s.recording.Load(); r != nil {
		r.end()
	}
	if v := s.current.Swap(nil); v != nil {
		v.retire()
	}
}

// broken reports whether the script is there and no version of it is in force.
// Called with mu held.
func (s *Script) broken() bool {
	return s.failed != nil && s.current.Load() == nil && s.missing.IsZero()
}

// bar makes all deciding hooks refuse: of a file that cannot be loaded nobody
// knows what it forbids, and that must not be open because of a restart.
func (s *Script) bar() { s.bars.Store(true) }

// barred reports whether the hook refuses because the script could not be
// loaded at the start.
func (s *Script) barred(k slot) bool {
	return s.bars.Load() && k.decides() && s.current.Load() == nil
}
