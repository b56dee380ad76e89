package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/pebblestore"
)

// TestServe_DamagedStore: a store that cannot be read to its end ends the
// process, which never says that it is ready.
func TestServe_DamagedStore(t *testing.T) {
	dir := t.TempDir()
	s, err := pebblestore.Open(filepath.Join(dir, "data", "store"), pebblestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b store.Batch
	for i := range 2000 {
		k := mqtt.SessionKey{ClientID: strings.Repeat("x", i)}
		b.Add(store.Op{Kind: store.PutSession, Key: k, Session: &store.Session{Key: k, Expiry: time.Hour}})
	}
	s.Commit(&b, func(error) {})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, _ := filepath.Glob(filepath.Join(dir, "data", "store", "*.sst"))
	if len(tables) == 0 {
		t.Fatal("no table")
	}
	data, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 64 {
		data[len(data)/2+i] ^= 0x5a
	}
	if err := os.WriteFile(tables[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, log brokertest.Output
	args := []string{"serve", "--conf", quickstart}
	for _, s := range append([]string{"data_dir=" + filepath.Join(dir, "data"), "admin.socket=" + filepath.Join(dir, "run", "admin.sock"),
		"acl.acl_file=../../conf/quickstart.acl"}, anyPort...) {
		args = append(args, "--set", s)
	}
	if status := run(context.Background(), nil, process{args: args, stdout: &out, stderr: &log}); status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	if out.String() != "" || !strings.Contains(log.String(), "not started: broker: reading the store: ") {
		t.Errorf("printed %q and\n%s", out.String(), log.String())
	}
}
