package pebblestore

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// open opens a store for the length of a test.
func open(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openMem(t testing.TB) *Store {
	t.Helper()
	return open(t, "store", Options{Sync: true, FS: vfs.NewMem()})
}

func commit(s store.Store, ops ...store.Op) error {
	done := make(chan error, 1)
	s.Commit(&store.Batch{Ops: ops, Sync: true}, func(err error) { done <- err })
	return <-done
}

func do(t testing.TB, s store.Store, ops ...store.Op) {
	t.Helper()
	if err := commit(s, ops...); err != nil {
		t.Fatal(err)
	}
}

func key(i int) mqtt.SessionKey { return mqtt.SessionKey{ClientID: fmt.Sprint("client-", i)} }

func put(k mqtt.SessionKey) store.Op {
	return store.Op{Kind: store.PutSession, Key: k, Session: &store.Session{Key: k, Expiry: store.Forever}}
}

func subscribe(k mqtt.SessionKey, filter string) store.Op {
	return store.Op{Kind: store.PutSubscription, Key: k, Subscription: &mqtt.Subscription{Filter: filter, QoS: mqtt.AtLeastOnce}}
}

func drop(k mqtt.SessionKey) store.Op { return store.Op{Kind: store.DeleteSession, Key: k} }

func message(n int) *mqtt.Message {
	return &mqtt.Message{Topic: "some/topic", Payload: make([]byte, n), QoS: mqtt.AtLeastOnce}
}

func add(k mqtt.SessionKey, n uint64, m *mqtt.Message) store.Op {
	return store.Op{Kind: store.Append, Key: k, Entry: store.Entry{Queued: mqtt.Queued{Number: n, Message: m, Delivery: mqtt.Delivery{QoS: mqtt.AtLeastOnce}}}}
}

func complete(k mqtt.SessionKey, n uint64) store.Op {
	return store.Op{Kind: store.Complete, Key: k, Entry: store.Entry{Queued: mqtt.Queued{Number: n}}}
}

// records is the number of keys of a tag.
func records(t testing.TB, s *Store, tag byte) (n int) {
	t.Helper()
	if err := s.scan(s.db, tag, func(_, _ []byte) (bool, error) { n++; return true, nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// length is the number of entries of a queue.
func length(t testing.TB, s store.Store, k mqtt.SessionKey) (n int) {
	t.Helper()
	if _, err := s.Queue(k, 0, func(store.Entry) bool { n++; return true }); err != nil {
		t.Fatal(err)
	}
	return n
}

// consistent demands that counts, messages and references agree, that nothing
// is left of what is gone, and that no session is doomed any more.
func consistent(t testing.TB, s *Store) {
	t.Helper()
	if n := records(t, s, tagDoomed); n != 0 {
		t.Fatalf("%d deleted sessions still hold references", n)
	}
	refs := map[uint64]uint64{}
	sids := map[uint64]bool{}
	see := func(tag byte, f func(k, v []byte)) {
		if err := s.scan(s.db, tag, func(k, v []byte) (bool, error) { f(k, v); return true, nil }); err != nil {
			t.Fatal(err)
		}
	}
	var owners [][]byte
	see(tagSession, func(k, v []byte) {
		d := view(v)
		sids[d.sessionNumber()] = true
		owners = append(owners, appendOwner(nil, k))
	})
	see(tagSubscription, func(k, _ []byte) {
		if !slices.ContainsFunc(owners, func(o []byte) bool { return bytes.HasPrefix(k, o) }) {
			t.Fatalf("subscription %q of no session", k)
		}
	})
	see(tagEntry, func(k, v []byte) {
		at, err := parsePlace(k)
		if err != nil || !sids[at.sid] {
			t.Fatalf("entry %x of no session, %v", k, err)
		}
		if at.kind == kindShared {
			d := view(v)
			d.delivery()
			refs[d.reference()]++
		}
		if at.kind == kindState {
			for _, kd := range []kind{kindInline, kindShared} {
				if _, c, err := s.db.Get(place{at.sid, kd, at.number}.append(nil)); err == nil {
					c.Close()
					return
				}
			}
			t.Fatalf("state %x of no entry", k)
		}
	})
	see(tagRetained, func(_, v []byte) {
		d := view(v)
		if mid, _ := d.retained(); mid != 0 {
			refs[mid]++
		}
	})
	p := &plan{db: s.db}
	see(tagMessage, func(k, _ []byte) {
		d := view(k[1:])
		var mid uint64
		for range 8 {
			mid = mid<<8 | uint64(d.byte())
		}
		n, err := p.readCount(mid)
		if err != nil || n != refs[mid] || n == 0 {
			t.Fatalf("message %d: count %d, %d references, %v", mid, n, refs[mid], err)
		}
		delete(refs, mid)
	})
	if len(refs) != 0 {
		t.Fatalf("references to messages that are missing: %v", refs)
	}
	see(tagCount, func(k, _ []byte) {
		if _, c, err := s.db.Get(append([]byte{tagMessage}, k[1:]...)); err == pebble.ErrNotFound {
			t.Fatalf("count %x of no message", k)
		} else if err == nil {
			c.Close()
		}
	})
}

// settle waits until references of deleted sessions are given back.
func settle(t testing.TB, s *Store) {
	t.Helper()
	for records(t, s, tagDoomed) > 0 {
		do(t, s)
	}
}
