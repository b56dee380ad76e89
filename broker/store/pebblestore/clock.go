package pebblestore

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// minStampGap is how far apart the stamps of a busy store are.
const minStampGap = time.Second

// Newest returns the newest moment of the wall clock that the store has seen,
// those before its opening included: of commits, of a minute that passed, and
// of connections' ends. Zero for a new store. It never goes back.
func (s *Store) Newest() time.Time {
	if n := s.newest.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// ticks asks for a stamp now and then while nothing else happens.
func (s *Store) ticks() {
	defer close(s.ticked)
	t := time.NewTicker(clockEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.tick.Store(true)
			s.wake()
		case <-s.closed:
			return
		}
	}
}

// due reports whether a stamp is to be written although nothing else is.
func (s *Store) due() bool { return s.tick.Load() }

// stamp adds the wall clock to the group, unless that was done lately. Called
// by the committer.
func (s *Store) stamp() error {
	now := max(s.o.Now().UnixNano(), s.plan.newest)
	if !s.tick.Swap(false) && now-s.newest.Load() < int64(minStampGap) && s.plan.newest <= s.newest.Load() {
		return nil
	}
	if now <= s.newest.Load() {
		return nil
	}
	s.newest.Store(now)
	return s.plan.b.Set(keyClock, binary.BigEndian.AppendUint64([]byte{codecVersion}, uint64(now)), nil)
}

// readCounter reads the number under a key of its own, 0 if there is none.
func readCounter(db *pebble.DB, key []byte) (uint64, error) {
	v, c, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer c.Close()
	d := view(v)
	n := d.sessionNumber()
	if err := d.end(); err != nil {
		return 0, damaged(key, err)
	}
	return n, nil
}
