package pebblestore

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// refused demands that a directory is refused for a reason that is named.
func refused(t *testing.T, dir string, cause error, words ...string) {
	t.Helper()
	s, err := Open(dir, Options{Sync: true})
	if err == nil {
		s.Close()
		t.Fatalf("%s was opened", dir)
	}
	for _, w := range append(words, dir) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not mention %q", err, w)
		}
	}
	if !errors.Is(err, cause) {
		t.Errorf("error %q is not %q", err, cause)
	}
}

func TestOpen_Locked(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, Options{})
	refused(t, dir, ErrLocked, "data_dir")
}

func TestOpen_Newer(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, Options{}).Close()
	if err := os.WriteFile(filepath.Join(dir, versionFile), []byte(versionText+"7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadDir(dir)
	refused(t, dir, ErrNewer, "format 7", "up to format 2", "start that version")
	if after, _ := os.ReadDir(dir); len(after) != len(before) {
		t.Errorf("refusing changed the directory: %v, before %v", after, before)
	}
	os.WriteFile(filepath.Join(dir, versionFile), nil, 0o600)
	refused(t, dir, ErrDamaged)
}

// filled makes a store, with tables after an orderly Close, or with only a log
// after a crash.
func filled(t *testing.T, dir string, tables bool) {
	t.Helper()
	work := dir
	if !tables {
		work = t.TempDir()
	}
	s := open(t, work, Options{Sync: true})
	for i := range 80 {
		do(t, s, put(key(i)), add(key(i), 1, message(1000)), store.Op{Kind: store.PutRetained, Message: &mqtt.Message{Topic: "t", Payload: []byte{byte(i)}}})
	}
	if !tables {
		if err := os.CopyFS(dir, os.DirFS(work)); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
}

// spoil overwrites the middle of the newest file that matches.
func spoil(t *testing.T, dir, pattern string) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(dir, pattern))
	if len(names) == 0 {
		t.Fatalf("no file %s", pattern)
	}
	name := names[len(names)-1]
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	used := len(bytes.TrimRight(b, "\x00"))
	for i := range 16 {
		b[used/2+i] ^= 0x5a
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_Damaged(t *testing.T) {
	remove := func(pattern string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			names, _ := filepath.Glob(filepath.Join(dir, pattern))
			if len(names) == 0 {
				t.Fatalf("no file %s", pattern)
			}
			for _, n := range names {
				os.Remove(n)
			}
		}
	}
	for _, c := range []struct {
		name   string
		tables bool
		harm   func(t *testing.T, dir string)
	}{
		{"Log", false, func(t *testing.T, dir string) { spoil(t, dir, "*.log") }},
		{"NoLog", false, remove("*.log")},
		{"Clean", true, func(t *testing.T, dir string) { os.WriteFile(filepath.Join(dir, cleanFile), []byte("9"), 0o600) }},
		{"Manifest", true, func(t *testing.T, dir string) { spoil(t, dir, "MANIFEST-*") }},
		{"NoManifest", true, remove("MANIFEST-*")},
		{"NoMarker", true, remove("marker.manifest.*")},
		{"NoMarkerNoVersion", true, func(t *testing.T, dir string) {
			remove("marker.manifest.*")(t, dir)
			remove(versionFile)(t, dir)
		}},
		{"NoTable", true, remove("*.sst")},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			filled(t, dir, c.tables)
			c.harm(t, dir)
			refused(t, dir, ErrDamaged, "backup")
		})
	}
}

// TestRead_Damaged: a damaged table is met when it is read; nobody gets less
// than everything without an error.
func TestRead_Damaged(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, true)
	spoil(t, dir, "*.sst")
	s, err := Open(dir, Options{Sync: true})
	if err != nil {
		return // as well
	}
	defer s.Close()
	n := 0
	var inner error
	err = s.Sessions(func(r *store.Session) bool {
		entries := 0
		if _, inner = s.Queue(r.Key, 0, func(store.Entry) bool { entries++; return true }); inner == nil {
			n += entries
		}
		return inner == nil
	})
	if err = errors.Join(err, inner); err == nil {
		err = s.Retained(func(*mqtt.Message) bool { return true })
	}
	if err == nil {
		t.Errorf("%d of 80 entries and no error", n)
	}
}

func TestNewest(t *testing.T) {
	dir := t.TempDir()
	now := time.Unix(2_000_000_000, 0)
	clock := func() time.Time { return now }
	s := open(t, dir, Options{Now: clock})
	if !s.Newest().IsZero() {
		t.Errorf("a new store has seen %v", s.Newest())
	}
	do(t, s, put(key(0)))
	if !s.Newest().Equal(now) {
		t.Errorf("newest is %v, want %v", s.Newest(), now)
	}
	r := put(key(0))
	late := now.Add(time.Hour)
	r.Session.Offline = late
	do(t, s, r)
	now = now.Add(-time.Hour)
	do(t, s, put(key(1)))
	s.Close()
	if s = open(t, dir, Options{Now: clock}); !s.Newest().Equal(late) {
		t.Errorf("newest is %v after opening, want %v", s.Newest(), late)
	}
	do(t, s, put(key(1)))
	if !s.Newest().Equal(late) {
		t.Errorf("newest went back to %v", s.Newest())
	}
	now = late.Add(time.Minute)
	s.tick.Store(true)
	s.wake()
	do(t, s)
	if !s.Newest().Equal(now) {
		t.Errorf("newest is %v after a minute, want %v", s.Newest(), now)
	}
}
