package alarm

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// limit is how many alarms may be active at a time.
const limit = 1000

// Alarm is one entry of the list. Immutable.
type Alarm struct {
	Name    Name
	Subject string // what it is about: a file, a listener; "" when the name says it all
	Text    string // what is wrong and what is done about it, one line
	Since   time.Time
}

// Change says what became of an alarm.
type Change uint8

// The changes.
const (
	Raised  Change = iota
	Altered        // raised again with another text
	Cleared
)

// Event is one change of the list. Immutable.
type Event struct {
	Change Change
	Alarm  Alarm
	At     time.Time
}

// List is what is wrong at present, at most 1000 alarms. The zero value is
// empty and ready; a nil one takes and shows nothing. Safe for concurrent use;
// its lock is a leaf, but for what observers take.
type List struct {
	counts [names]atomic.Int32 // active alarms by name

	mu        sync.Mutex
	active    map[key]*Alarm
	observers []func(Event)
	lost      int
}

type key struct {
	name    Name
	subject string
}

// Observe has f called for each alarm that is active, as raised, and then for
// each change, in their order. f is called under the list's lock: it must
// neither block nor call the list.
func (l *List) Observe(f func(Event)) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observers = append(l.observers, f)
	for _, a := range l.sorted() {
		f(Event{Raised, a, a.Since})
	}
}

// Raise says that something is wrong. If it was raised already with the same
// text, nothing happens; with another text, that takes the place of the old
// one and Since stays. Beyond the bound of the list, new alarms are only
// counted: see Lost.
func (l *List) Raise(n Name, subject, text string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	k, now := key{n, subject}, time.Now()
	a := l.active[k]
	switch {
	case a != nil && a.Text == text:
	case a != nil:
		a.Text = text
		l.tell(Event{Altered, *a, now})
	case len(l.active) >= limit:
		l.lost++
	default:
		if l.active == nil {
			l.active = map[key]*Alarm{}
		}
		a = &Alarm{Name: n, Subject: subject, Text: text, Since: now}
		l.active[k] = a
		l.counts[n].Add(1)
		l.tell(Event{Raised, *a, now})
	}
}

// Clear says that it is right again. Without such an alarm nothing happens; if
// none of the name is active, that costs one atomic read.
func (l *List) Clear(n Name, subject string) {
	if l == nil || l.counts[n].Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	k := key{n, subject}
	if a := l.active[k]; a != nil {
		delete(l.active, k)
		l.counts[n].Add(-1)
		l.tell(Event{Cleared, *a, time.Now()})
	}
}

// Active returns what is wrong, the most severe first, then the oldest.
func (l *List) Active() []Alarm {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sorted()
}

// Len returns how many alarms are active.
func (l *List) Len() (n int) {
	if l == nil {
		return 0
	}
	for i := range l.counts {
		n += int(l.counts[i].Load())
	}
	return n
}

// Lost returns how often an alarm was raised for which the list had no room.
func (l *List) Lost() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

func (l *List) sorted() []Alarm {
	list := make([]Alarm, 0, len(l.active))
	for _, a := range l.active {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b Alarm) int {
		return cmp.Or(cmp.Compare(b.Name.Entry().Severity, a.Name.Entry().Severity), a.Since.Compare(b.Since),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Subject, b.Subject))
	})
	return list
}

func (l *List) tell(e Event) {
	for _, f := range l.observers {
		f(e)
	}
}
