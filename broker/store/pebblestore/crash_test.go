package pebblestore

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/storetest"
)

// TestCrash stops the machine at many moments, with some of what was not
// synced on the disk: what is there afterwards is what a prefix of the batches
// makes, and no batch is missing that was acknowledged with Sync.
func TestCrash(t *testing.T) {
	seeds := uint64(7)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		crash(t, seed)
	}
}

func crash(t *testing.T, seed uint64) {
	mem := vfs.NewCrashableMem()
	o := Options{Sync: true, FS: mem, MemTableBytes: 64 << 10} // changes logs and makes tables all the time
	s, err := Open("store", o)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 2))
	g := storetest.NewRandom(seed)
	states := [][]string{g.Show()} // after each batch
	var acked atomic.Int64         // batches
	for round := range 12 {
		n := 1 + r.IntN(40)
		crashAt := r.IntN(n)
		var clone *vfs.MemFS
		var before int64
		last := make(chan error, 1)
		for i := range n {
			b := g.Batch()
			states = append(states, g.Show())
			number := int64(len(states) - 1)
			s.Commit(b, func(err error) {
				if err == nil && b.Sync {
					acked.Store(number)
				}
				if i == n-1 {
					last <- err
				}
			})
			if i == crashAt {
				before = acked.Load()
				clone = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(3) * 50, RNG: r})
			}
		}
		if err := <-last; err != nil {
			t.Fatal(err)
		}
		surviving(t, clone, states, before, fmt.Sprintf("seed %d, round %d", seed, round))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	surviving(t, mem.CrashClone(vfs.CrashCloneCfg{}), states, acked.Load(), "after Close")
}

// surviving demands that what a crash left is one of the states, not older
// than that after the acknowledged batches.
func surviving(t *testing.T, fs *vfs.MemFS, states [][]string, acked int64, when string) {
	t.Helper()
	s, err := Open("store", Options{Sync: true, FS: fs, MemTableBytes: 64 << 10})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	defer s.Close()
	got, err := storetest.Show(s)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	for _, want := range states[acked:] {
		if slices.Equal(got, want) {
			settle(t, s)
			consistent(t, s)
			return
		}
	}
	best := ""
	for i, want := range states {
		if d := fmt.Sprintf("batch %d: %s", i, storetest.Diff(got, want)); best == "" || len(d) < len(best) {
			best = d
		}
	}
	t.Fatalf("%s: what is there is no state from that after batch %d on of %d; compared with the most similar one, after %s", when, acked, len(states), best)
}

// TestCrash_NoChange: a promise may rest on an earlier batch without Sync.
func TestCrash_NoChange(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := open(t, "store", Options{Sync: true, FS: mem})
	do(t, s, put(key(0)))
	done := make(chan error, 1)
	s.Commit(&store.Batch{Ops: []store.Op{drop(key(0))}}, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	do(t, s, drop(key(0)))
	after := open(t, "store", Options{FS: mem.CrashClone(vfs.CrashCloneCfg{})})
	if n := records(t, after, tagSession); n != 0 {
		t.Error("a session whose deletion was acknowledged is back")
	}
}

// TestKill kills a process that commits, again and again: all it had said to
// be committed is there, and whole.
func TestKill(t *testing.T) {
	if dir := os.Getenv("PEBBLESTORE_KILL"); dir != "" {
		victim(t, dir)
		return
	}
	dir := t.TempDir()
	var acked uint64
	for round := range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "PEBBLESTORE_KILL="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Duration(60+30*round)*time.Millisecond, func() { cmd.Process.Kill() })
		for sc := bufio.NewScanner(out); sc.Scan(); {
			var n uint64
			if _, err := fmt.Sscanf(sc.Text(), "acked %d.", &n); err == nil {
				acked = max(acked, n)
			}
		}
		cmd.Wait()
		s := open(t, dir, Options{Sync: true})
		last := [2]uint64{}
		for i := range last {
			s.Queue(key(i), 0, func(e store.Entry) bool { last[i] = e.Number; return true })
		}
		if last[0] < acked || last[0] != last[1] || last[0]%2 != 0 {
			t.Fatalf("round %d: %d was acknowledged, the queues end with %v", round, acked, last)
		}
		settle(t, s)
		consistent(t, s)
		s.Close()
	}
	if acked == 0 {
		t.Fatal("nothing was ever acknowledged")
	}
}

// victim appends to two queues and completes behind, until it is killed.
func victim(t *testing.T, dir string) {
	s, err := Open(dir, Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	s.Queue(key(0), 0, func(e store.Entry) bool { n = e.Number; return true })
	if n == 0 {
		do(t, s, put(key(0)), put(key(1)))
	}
	room := make(chan struct{}, 64)
	for {
		m, own := message(300), message(50)
		b := store.Batch{Sync: true}
		for i := range 2 {
			b.Add(add(key(i), n+1, m))
			b.Add(add(key(i), n+2, own))
			if n > 20 {
				b.Add(complete(key(i), n-15-uint64(i)))
			}
		}
		if n += 2; n%100 == 0 {
			b.Add(drop(key(2)))
			b.Add(put(key(2)))
			b.Add(add(key(2), 1, m))
		}
		room <- struct{}{}
		n := n
		s.Commit(&b, func(err error) {
			if err == nil {
				fmt.Printf("acked %d.\n", n)
			}
			<-room
		})
	}
}
