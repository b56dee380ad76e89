package pebblestore

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/storetest"
)

// old makes a store of format 1 with these sessions, and returns what it holds
// as text. With half, its move to format 2 was cut short behind that many
// sessions.
func old(t *testing.T, dir string, half int, sessions []*store.Session) []string {
	t.Helper()
	s := open(t, dir, Options{})
	var b store.Batch
	for _, r := range sessions {
		b.AddSession(r)
		b.Add(add(r.Key, 1, message(10)))
	}
	do(t, s, b.Ops...)
	want, err := storetest.Show(s)
	if err != nil {
		t.Fatal(err)
	}
	w := s.db.NewBatch()
	done := half
	for _, r := range sessions {
		if half--; half >= 0 {
			continue
		}
		name := appendName(nil, tagSession, r.Key)
		v, c, err := s.db.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		v = binary.AppendUvarint(slices.Clone(v[:len(v)-1]), uint64(len(r.Subscriptions)))
		c.Close()
		for _, x := range r.Subscriptions {
			v = append(v, appendSubscription(nil, &x)[1:]...)
			v = appendString(appendString(v, x.Filter), x.ShareName)
		}
		w.Set(name, v, nil)
		if done == 0 {
			owner := appendOwner(nil, name)
			w.DeleteRange(owner, ownerEnd(owner), nil)
		}
	}
	w.Set(keyFormat, []byte{1}, nil)
	if err := s.db.Apply(w, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if done == 0 {
		if err := os.WriteFile(filepath.Join(dir, versionFile), []byte(versionText+"1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return want
}

// ancients are sessions with no, few and many subscriptions, one of them with
// more than one commit moves.
func ancients() (all []*store.Session) {
	for i, n := range []int{0, 1, 5, 3, 400, 0, 1} {
		r := &store.Session{Key: mqtt.SessionKey{Mountpoint: []string{"", "mp"}[i%2], ClientID: fmt.Sprint("c\x00", i)}, Username: fmt.Sprint("u", i), Expiry: store.Forever}
		for j := range n {
			r.Subscriptions = append(r.Subscriptions, mqtt.Subscription{Filter: fmt.Sprint(strings.Repeat("long/", j*30), j), ShareName: []string{"", "g"}[j%2], QoS: mqtt.QoS(j % 3),
				ID: uint32(j), NoLocal: j%5 == 0, RetainAsPublished: j%4 == 0, UpgradeQoS: j%7 == 0, RetainHandling: mqtt.RetainHandling(j % 3)})
		}
		all = append(all, r)
	}
	return all
}

// TestOpen_Old: a store of format 1 is brought to the present one, also after a
// crash on the way, and from then on refused by a program that knows only the
// former.
func TestOpen_Old(t *testing.T) {
	for _, half := range []int{0, 3, 7} {
		dir := t.TempDir()
		want := old(t, dir, half, ancients())
		for range 2 {
			s := open(t, dir, Options{Sync: true})
			got, err := storetest.Show(s)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%d sessions moved before: %v, %s", half, err, storetest.Diff(got, want))
			}
			consistent(t, s)
			s.Close()
		}
		if text, _ := os.ReadFile(filepath.Join(dir, versionFile)); string(text) != versionText+"2\n" {
			t.Errorf("%s says %q", versionFile, text)
		}
	}
}

// TestOpen_OldDamaged: a record that cannot be read whole is not moved in part.
func TestOpen_OldDamaged(t *testing.T) {
	for _, harm := range []func(v []byte) []byte{
		func(v []byte) []byte { return v[:len(v)-1] },
		func(v []byte) []byte { return append(v, 0) },
		func(v []byte) []byte { return append(v[:len(v)-1], 9) },
	} {
		dir := t.TempDir()
		old(t, dir, 0, ancients()[:1])
		db, err := pebble.Open(dir, &pebble.Options{FormatMajorVersion: pebble.FormatWALSyncChunks})
		if err != nil {
			t.Fatal(err)
		}
		name := appendName(nil, tagSession, ancients()[0].Key)
		v, c, err := db.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		v = harm(slices.Clone(v))
		c.Close()
		db.Set(name, v, pebble.Sync)
		db.Close()
		refused(t, dir, ErrDamaged, "backup")
	}
}

// TestSubscribe_Bytes: what one subscription costs does not depend on how many
// the session has.
func TestSubscribe_Bytes(t *testing.T) {
	const n = 200
	cost := func(before int) uint64 {
		s := openMem(t)
		var b store.Batch
		b.Add(put(key(0)))
		for i := range before {
			b.Add(subscribe(key(0), fmt.Sprintf("site/%06d/before", i)))
		}
		do(t, s, b.Ops...)
		wal := s.db.Metrics().WAL.BytesIn
		for i := range n {
			do(t, s, subscribe(key(0), fmt.Sprintf("site/%06d/then", i)))
		}
		return s.db.Metrics().WAL.BytesIn - wal
	}
	few, many := cost(1), cost(50_000)
	t.Logf("%d subscriptions: %d bytes after 1, %d after 50000", n, few, many)
	if many > few+few/10 || few > n*200 {
		t.Errorf("%d subscriptions cost %d bytes where there is 1 before, %d where there are 50000", n, few, many)
	}
}
