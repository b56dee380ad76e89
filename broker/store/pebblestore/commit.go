package pebblestore

import (
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/lunemq/lunemq/broker/store"
)

// batch is one store.Batch that waits for the committer.
type batch struct {
	from, to int // its changes in line.ops
	sync     bool
	done     func(error)
}

// line is what waits for the committer, in the order of Commit. There are two:
// one is filled while the other is worked on.
type line struct {
	ops     []store.Op
	batches []batch
	bytes   int
}

func (l *line) add(b *store.Batch, done func(error), size int) {
	from := len(l.ops)
	l.ops = append(l.ops, b.Ops...)
	l.batches = append(l.batches, batch{from, len(l.ops), b.Sync, done})
	l.bytes += size
}

// maxSpareOps is how many changes a line keeps room for when it is empty.
const maxSpareOps = 1 << 14

func (l *line) reset() {
	clear(l.ops)
	clear(l.batches)
	l.ops, l.batches, l.bytes = l.ops[:0], l.batches[:0], 0
	if cap(l.ops) > maxSpareOps {
		l.ops = nil
	}
}

// weigh is the number of bytes that a batch accounts for while it waits.
func weigh(b *store.Batch) int {
	n := 0
	for i := range b.Ops {
		n += 160
		if m := b.Ops[i].Entry.Message; m != nil && b.Ops[i].Kind == store.Append {
			n += m.Size()
		}
		if m := b.Ops[i].Message; m != nil {
			n += m.Size()
		}
		if s := b.Ops[i].Subscription; s != nil {
			n += 64 + len(s.Filter) + len(s.ShareName)
		}
	}
	return n
}

// Commit implements store.Committer. It waits while Options.MaxWaiting bytes
// are ahead of it: for the committer's memory, not for the disk, and even
// within a done function.
func (s *Store) Commit(b *store.Batch, done func(error)) {
	size := weigh(b)
	s.mu.Lock()
	for s.err == nil && s.waiting.bytes > s.o.MaxWaiting {
		s.room.Wait()
	}
	if err := s.err; err != nil {
		s.mu.Unlock()
		done(err)
		return
	}
	s.waiting.add(b, done, size)
	s.mu.Unlock()
	s.wake()
}

func (s *Store) wake() {
	select {
	case s.work <- struct{}{}:
	default:
	}
}

// commits is the committer's goroutine.
func (s *Store) commits() {
	defer close(s.committed)
	spare := &line{}
	for {
		s.mu.Lock()
		for len(s.waiting.batches) == 0 && !s.closing && len(s.plan.doomed) == 0 && !s.due() && s.failed() == nil {
			s.mu.Unlock()
			<-s.work
			s.mu.Lock()
		}
		if s.failed() != nil || s.closing && len(s.waiting.batches) == 0 {
			s.mu.Unlock()
			return
		}
		l, g := s.waiting, &group{}
		for i := range l.batches {
			g.sync = g.sync || l.batches[i].sync && s.o.Sync
			g.done = append(g.done, l.batches[i].done)
		}
		s.waiting, s.current = spare, g
		s.room.Broadcast()
		s.mu.Unlock()
		if err := s.apply(l, g); err != nil {
			s.fail(fmt.Errorf("pebblestore: %s: %w", s.dir, err))
		}
		s.pass(g)
		l.reset()
		spare = l
	}
}

// pass hands a group to the finisher, unless fail has done so.
func (s *Store) pass(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == g {
		s.current = nil
		s.finish.add(g)
	}
}

// apply computes what a group changes and writes it, to memory and to the
// log's buffer.
func (s *Store) apply(l *line, g *group) (err error) {
	defer func() {
		if r := recover(); r != nil { // pebble's way to report an error of the log
			err = fmt.Errorf("the database gave up: %v", r)
		}
	}()
	if err := s.plan.begin(); err != nil {
		return err
	}
	for i := range l.batches {
		if err := s.plan.batch(l.ops[l.batches[i].from:l.batches[i].to]); err != nil {
			return err
		}
	}
	if err := s.plan.end(); err != nil {
		return err
	}
	if err := s.stamp(); err != nil {
		return err
	}
	if s.plan.b.Empty() && g.sync && s.plan.unsynced {
		// It changes nothing, perhaps because an earlier batch without Sync
		// did: its promise rests on that one.
		if err := s.plan.b.LogData([]byte{0}, nil); err != nil {
			return err
		}
	}
	if s.plan.b.Empty() {
		return s.plan.b.Close()
	}
	s.plan.unsynced = !g.sync
	if !g.sync {
		if err := s.db.Apply(s.plan.b, pebble.NoSync); err != nil {
			return err
		}
		s.known.visible(s.plan.entries)
		return s.plan.b.Close()
	}
	if err := s.db.ApplyNoSyncWait(s.plan.b, pebble.Sync); err != nil {
		return err
	}
	s.known.visible(s.plan.entries)
	g.b = s.plan.b
	return nil
}

// group is a commit on its way to the disk.
type group struct {
	b    *pebble.Batch // to be waited for, nil = not
	sync bool
	done []func(error)
}

// finisher calls done functions when the disk has what they stand for.
type finisher struct {
	mu     sync.Mutex
	more   sync.Cond
	groups []*group
	closed bool
}

func (f *finisher) add(g *group) {
	f.mu.Lock()
	f.groups = append(f.groups, g)
	f.mu.Unlock()
	f.more.Signal()
}

func (f *finisher) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.more.Signal()
}

// next returns the groups to wait for; nil at the end.
func (f *finisher) next() []*group {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.groups) == 0 && !f.closed {
		f.more.Wait()
	}
	g := f.groups
	f.groups = nil
	return g
}

// finishes is the goroutine that waits for the disk. A group's fate is decided
// here: once one has failed, no later one succeeds.
func (s *Store) finishes() {
	defer close(s.finished)
	for {
		groups := s.finish.next()
		if groups == nil {
			return
		}
		for _, g := range groups {
			if g.b != nil {
				if err := g.b.SyncWait(); err != nil {
					s.fail(fmt.Errorf("pebblestore: %s: writing to the disk failed: %w", s.dir, err))
				} else if s.failed() == nil {
					g.b.Close()
				}
			}
			err := s.failed()
			for _, done := range g.done {
				done(err)
			}
		}
	}
}

// clockEvery is how often the wall clock is noted.
const clockEvery = time.Minute
