package pebblestore

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/lunemq/lunemq/broker/store"
)

// fanOut gives one message to n sessions.
func fanOut(t testing.TB, s *Store, n int, number uint64, size int) {
	var b store.Batch
	m := message(size)
	for i := range n {
		if number == 1 {
			b.Add(put(key(i)))
		}
		b.Add(add(key(i), number, m))
	}
	do(t, s, b.Ops...)
}

func TestShared_PayloadOnce(t *testing.T) {
	s := openMem(t)
	before := s.db.Metrics().WAL.BytesIn
	fanOut(t, s, 1000, 1, 1<<20)
	if n := s.db.Metrics().WAL.BytesIn - before; n > 1<<20+200_000 {
		t.Errorf("a message of 1 MB for 1000 sessions wrote %d bytes", n)
	}
	if n := records(t, s, tagMessage); n != 1 {
		t.Errorf("%d shared messages, want 1", n)
	}
	for i := range 999 {
		do(t, s, complete(key(i), 1))
	}
	consistent(t, s)
	do(t, s, complete(key(999), 1))
	consistent(t, s)
	if n := records(t, s, tagMessage) + records(t, s, tagCount); n != 0 {
		t.Errorf("%d records are left of a message nobody refers to", n)
	}
}

// TestShared_Reclaimed deletes sessions that hold many references, and closes
// in the middle of giving them back.
func TestShared_Reclaimed(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, "store", Options{FS: fs, Sync: true})
	const n = 3*sliceOfReferences + 7
	do(t, s, put(key(0)), put(key(1)))
	var b store.Batch
	for i := range uint64(n) {
		m := message(10)
		b.Add(add(key(0), i+1, m))
		b.Add(add(key(1), i+1, m))
	}
	do(t, s, b.Ops...)
	done := make(chan error, 1)
	s.Commit(&store.Batch{Ops: []store.Op{drop(key(0)), put(key(0)), add(key(0), 1, message(1))}, Sync: true}, func(err error) { done <- err })
	if err := s.Close(); err != nil || <-done != nil {
		t.Fatal(err)
	}
	s = open(t, "store", Options{FS: fs, Sync: true})
	settle(t, s)
	consistent(t, s)
	if got := length(t, s, key(0)); got != 1 {
		t.Errorf("%d entries in the new session, want 1", got)
	}
	if got := length(t, s, key(1)); got != n {
		t.Errorf("%d entries in the other session, want %d", got, n)
	}
	do(t, s, drop(key(1)))
	settle(t, s)
	consistent(t, s)
	if n := records(t, s, tagMessage); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

// TestDeleteSession_Large deletes a session with many entries of its own.
func TestDeleteSession_Large(t *testing.T) {
	s := openMem(t)
	do(t, s, put(key(0)))
	const n = 100_000
	for i := uint64(1); i <= n; i += 1000 {
		var b store.Batch
		for j := range uint64(1000) {
			b.Add(add(key(0), i+j, message(100)))
		}
		do(t, s, b.Ops...)
	}
	before := s.db.Metrics().WAL.BytesIn
	do(t, s, drop(key(0)))
	if w := s.db.Metrics().WAL.BytesIn - before; w > 300 {
		t.Errorf("deleting a session of %d entries wrote %d bytes", n, w)
	}
	if n := records(t, s, tagEntry); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

// TestQueue_Head reads the head after every completion: tombstones before it
// must not be stepped over again and again.
func TestQueue_Head(t *testing.T) {
	s := openMem(t)
	do(t, s, put(key(0)))
	const n = 10_000
	for i := uint64(1); i <= n; i += 1000 {
		var b store.Batch
		for j := range uint64(1000) {
			b.Add(add(key(0), i+j, message(20)))
		}
		do(t, s, b.Ops...)
	}
	for i := uint64(1); i <= n; i++ {
		s.Commit(&store.Batch{Ops: []store.Op{complete(key(0), i)}}, func(error) {})
		if i%10 != 0 {
			continue
		}
		if _, err := s.Queue(key(0), 0, func(e store.Entry) bool { return false }); err != nil {
			t.Fatal(err)
		}
	}
	do(t, s)
	if n := length(t, s, key(0)); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}

// TestGroup_Elided: what is appended and completed before it is written is not
// written.
func TestGroup_Elided(t *testing.T) {
	s := openMem(t)
	do(t, s, put(key(0)), put(key(1)))
	before := s.db.Metrics().WAL.BytesIn
	m := message(10_000)
	do(t, s, add(key(0), 1, m), add(key(1), 1, m), add(key(0), 2, message(10_000)), complete(key(0), 1), complete(key(0), 2), complete(key(1), 1))
	if w := s.db.Metrics().WAL.BytesIn - before; w > 200 {
		t.Errorf("completed messages wrote %d bytes", w)
	}
	consistent(t, s)
}

// TestClose_Reading: Close waits for readers, and one that reads on within its
// function is told.
func TestClose_Reading(t *testing.T) {
	s := openMem(t)
	do(t, s, put(key(0)), add(key(0), 1, message(1)))
	closed := make(chan error, 1)
	var inner error
	err := s.Sessions(func(r *store.Session) bool {
		go func() { closed <- s.Close() }()
		for inner == nil {
			_, inner = s.Queue(r.Key, 0, func(store.Entry) bool { return true })
		}
		return true
	})
	if err != nil || <-closed != nil || !errors.Is(inner, ErrClosed) {
		t.Errorf("the outer reader got %v, the inner one %v", err, inner)
	}
}
