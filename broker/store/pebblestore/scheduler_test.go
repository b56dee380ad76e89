package pebblestore

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// database is what the scheduler sees of pebble.
type database struct {
	mu      sync.Mutex
	allowed int
	waiting int
	given   int
	looks   int
}

func (d *database) GetAllowedWithoutPermission() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.allowed
}

func (d *database) GetWaitingCompaction() (bool, pebble.WaitingCompaction) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looks++
	return d.waiting > 0, pebble.WaitingCompaction{}
}

func (d *database) Schedule(pebble.CompactionGrantHandle) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting == 0 {
		return false
	}
	d.waiting--
	d.given++
	return true
}

func (d *database) set(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

func TestScheduler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &database{allowed: 1}
		s := newScheduler()
		s.Register(1, d)
		given := func(want int) {
			t.Helper()
			synctest.Wait()
			d.set(func() {
				if d.given != want {
					t.Errorf("got %d compactions granted later, want %d", d.given, want)
				}
			})
		}
		if ok, _ := s.TrySchedule(); !ok {
			t.Error("the first is refused")
		}
		if ok, _ := s.TrySchedule(); ok {
			t.Error("more run than are allowed")
		}
		d.set(func() { d.waiting = 3 })
		<-time.After(time.Second)
		given(0)
		s.Done()
		given(1)
		d.set(func() { d.allowed = 2 })
		s.UpdateGetAllowedWithoutPermission()
		<-time.After(time.Millisecond)
		given(2)
		d.set(func() { d.allowed = 3 }) // without a word
		<-time.After(lookAgain)
		given(3)
		d.set(func() { d.looks = 0 })
		s.Done()
		s.Done()
		s.Done()
		<-time.After(time.Hour)
		d.set(func() {
			if d.looks > 4 {
				t.Errorf("an idle scheduler looked %d times in an hour", d.looks)
			}
		})
		s.Unregister()
		if ok, _ := s.TrySchedule(); ok {
			t.Error("granted after the end")
		}
	})
}
