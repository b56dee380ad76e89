package pebblestore

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/lunemq/lunemq/broker/store"
)

// breakable is a file system whose operations of some kinds fail once broken.
func breakable(kinds ...errorfs.OpKind) (vfs.FS, *vfs.MemFS, *atomic.Bool) {
	var broken atomic.Bool
	mem := vfs.NewCrashableMem()
	return errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && strings.HasSuffix(op.Path, ".log") {
			for _, k := range kinds {
				if op.Kind == k {
					return errorfs.ErrInjected
				}
			}
		}
		return nil
	})), mem, &broken
}

// TestFailure: after an error of the log nothing is acknowledged, whatever was
// on its way and however the log is used meanwhile.
func TestFailure(t *testing.T) {
	for name, kinds := range map[string][]errorfs.OpKind{
		"Sync":  {errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo},
		"Write": {errorfs.OpFileWrite},
		"Next":  {errorfs.OpCreate, errorfs.OpReuseForWrite}, // only the change to the next log fails
	} {
		t.Run(name, func(t *testing.T) {
			fs, mem, broken := breakable(kinds...)
			s, err := Open("store", Options{Sync: true, FS: fs, MemTableBytes: 64 << 10})
			if err != nil {
				t.Fatal(err)
			}
			do(t, s, put(key(0)))
			if err := s.Refuses(true); err != nil {
				t.Errorf("refuses before it has failed: %v", err)
			}
			acked := failing(t, s, broken)
			if s.Failed() == nil || s.Refuses(false) == nil {
				t.Error("the store does not know that it has failed")
			}
			if err := commit(s, complete(key(0), 1)); err == nil {
				t.Error("a failed store commits")
			}
			if err := commit(s); err == nil {
				t.Error("a failed store commits nothing")
			}
			if err := s.Close(); err == nil {
				t.Error("Close of a failed store reports success")
			}
			after := open(t, "store", Options{FS: mem.CrashClone(vfs.CrashCloneCfg{}), Sync: true})
			present := map[uint64]bool{}
			after.Queue(key(0), 0, func(e store.Entry) bool { present[e.Number] = true; return true })
			for n := range acked {
				if !present[n] {
					t.Errorf("entry %d was acknowledged and is not there", n)
				}
			}
		})
	}
}

// failing has producers commit while the disk breaks; it returns which entries
// were acknowledged.
func failing(t *testing.T, s *Store, broken *atomic.Bool) map[uint64]bool {
	var mu sync.Mutex
	var next, failures atomic.Uint64
	acked := map[uint64]bool{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for failures.Load() == 0 {
				n := next.Add(1)
				if n == 300 {
					broken.Store(true)
				}
				if err := commit(s, add(key(0), n, message(500))); err != nil {
					failures.Add(1)
					if !errors.Is(err, errorfs.ErrInjected) && !strings.Contains(err.Error(), "injected") {
						t.Errorf("the error is %v", err)
					}
					return
				}
				mu.Lock()
				acked[n] = true
				mu.Unlock()
				if n > 20_000 {
					t.Error("the broken disk was not noticed")
					return
				}
			}
		})
	}
	wg.Wait()
	return acked
}

// TestFailure_Done: done functions of batches that fail are called once, also
// of those that had to wait for room.
func TestFailure_Done(t *testing.T) {
	fs, _, broken := breakable(errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileWrite)
	s, err := Open("store", Options{Sync: true, FS: fs, MaxWaiting: 2000})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	do(t, s, put(key(0)))
	broken.Store(true)
	const n = 500
	var calls [n]atomic.Int32
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			var once sync.WaitGroup
			once.Add(1)
			s.Commit(&store.Batch{Ops: []store.Op{add(key(0), uint64(i+1), message(100))}, Sync: true}, func(err error) {
				if err == nil {
					t.Errorf("batch %d was acknowledged", i)
				}
				if calls[i].Add(1) == 1 {
					once.Done()
				}
			})
			once.Wait()
		})
	}
	wg.Wait()
	for i := range calls {
		if c := calls[i].Load(); c != 1 {
			t.Errorf("done of batch %d was called %d times", i, c)
		}
	}
}

// TestCommit_Room: Commit waits for room and done functions may commit.
func TestCommit_Room(t *testing.T) {
	s := open(t, "store", Options{Sync: true, FS: vfs.NewMem(), MaxWaiting: 500})
	do(t, s, put(key(0)))
	var next atomic.Uint64
	var wg sync.WaitGroup
	var again func(error)
	again = func(err error) {
		if n := next.Add(1); err == nil && n < 5000 {
			s.Commit(&store.Batch{Ops: []store.Op{add(key(0), n, message(200))}, Sync: true}, again)
			return
		}
		wg.Done()
	}
	for range 32 {
		wg.Add(1)
		again(nil)
	}
	wg.Wait()
	if n := length(t, s, key(0)); n != 4999 {
		t.Errorf("%d entries, want 4999", n)
	}
}

// TestShortage: without file descriptors commits wait, and go on when there are
// some again.
func TestShortage(t *testing.T) {
	for _, suffix := range []string{".sst", ".log", ""} {
		t.Run("for"+suffix, func(t *testing.T) {
			var scarce atomic.Bool
			fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
				switch op.Kind {
				case errorfs.OpCreate, errorfs.OpOpen, errorfs.OpOpenDir, errorfs.OpReuseForWrite:
					if scarce.Load() && strings.HasSuffix(op.Path, suffix) {
						return &os.PathError{Op: "open", Path: op.Path, Err: syscall.EMFILE}
					}
				}
				return nil
			}))
			told := make(chan error, 1000)
			s := open(t, "store", Options{Sync: true, FS: fs, MemTableBytes: 64 << 10, Stalled: func(err error) { told <- err }})
			do(t, s, put(key(0)))
			scarce.Store(true)
			const n = 1000
			acked := make(chan error, n)
			for i := range uint64(n) {
				s.Commit(&store.Batch{Ops: []store.Op{add(key(0), i+1, message(1000))}, Sync: true}, func(err error) { acked <- err })
			}
			if err := <-told; !errors.Is(err, syscall.EMFILE) {
				t.Errorf("told %v", err)
			}
			scarce.Store(false)
			for range n {
				if err := <-acked; err != nil {
					t.Fatal(err)
				}
			}
			do(t, s, add(key(0), n+1, message(10)))
			if err := s.Failed(); err != nil {
				t.Error(err)
			}
			if got := length(t, s, key(0)); got != n+1 {
				t.Errorf("%d entries", got)
			}
		})
	}
}

// TestShortage_Close: a store that waits can be closed.
func TestShortage_Close(t *testing.T) {
	var scarce atomic.Bool
	told := make(chan error, 1000)
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if scarce.Load() && op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") {
			return syscall.EMFILE
		}
		return nil
	}))
	s, err := Open("store", Options{Sync: true, FS: fs, MemTableBytes: 64 << 10, Stalled: func(err error) { told <- err }})
	if err != nil {
		t.Fatal(err)
	}
	do(t, s, put(key(0)))
	scarce.Store(true)
	for i := range uint64(100) {
		s.Commit(&store.Batch{Ops: []store.Op{add(key(0), i+1, message(1000))}, Sync: true}, func(error) {})
	}
	<-told
	_ = s.Close()
}
