package scripting

import (
	"regexp"
	"strings"
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
	// bars are the deciding hooks that the file speaks of, if it could not be
	// loaded when the plugin started: they refuse until it can be.
	bars atomic.Pointer[[slots]bool]
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
	s.bars.Store(nil)
	if v := s.current.Swap(nil); v != nil {
		v.retire()
	}
}

// bar makes the deciding hooks refuse that a broken file may have: what it forbids
// must not be open because of a restart. Called with mu held.
func (s *Script) bar() {
	text := ""
	if f, err := readSource(s.path); err == nil {
		text = f.text
	}
	bars := mayHave(text)
	s.bars.Store(&bars)
}

// elsewhere is what stands in scripts whose hooks need not be named in them.
var elsewhere = regexp.MustCompile(`\b(require|load|loadstring|rawset|setmetatable|_G)\b|hooks\s*\[`)

// mayHave returns the deciding hooks that a script may have of which no more than
// its text is known: those it names, all if they may come from elsewhere or it
// names no hook at all.
func mayHave(text string) (has [slots]bool) {
	named := false
	for name, k := range slotsByName {
		if strings.Contains(text, strings.TrimSuffix(name, "_m5")) {
			named, has[k] = true, k.decides()
		}
	}
	if named && !elsewhere.MatchString(text) {
		return has
	}
	for _, k := range slotsByName {
		has[k] = k.decides()
	}
	return has
}

// barred reports whether the hook refuses because the script could not be
// loaded at the start.
func (s *Script) barred(k slot) bool {
	b := s.bars.Load()
	return b != nil && b[k] && s.current.Load() == nil
}
