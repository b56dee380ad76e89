package pebblestore

import (
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// Session implements store.Loader.
func (s *Store) Session(key mqtt.SessionKey) (r *store.Session, err error) {
	err = s.reading(func() error {
		snap := s.db.NewSnapshot()
		defer snap.Close()
		k := appendName(nil, tagSession, key)
		v, c, err := snap.Get(k)
		if errors.Is(err, pebble.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		defer c.Close()
		subs, err := newSubscriptionReader(snap, k)
		if err != nil {
			return err
		}
		defer subs.close()
		r, err = subs.session(k, v)
		return err
	})
	return r, err
}

// Count implements store.Loader.
func (s *Store) Count() (n int, err error) {
	err = s.reading(func() error {
		return s.scan(s.db, tagSession, func(_, _ []byte) (bool, error) {
			n++
			return true, nil
		})
	})
	return n, err
}

// Load implements store.Loader. It sees everything as it was when called. The
// keys of all entries are walked over first: a queue that is known to be empty
// is not looked for.
func (s *Store) Load(f func(*store.Session, store.QueueReader) bool) error {
	return s.reading(func() error {
		snap := s.db.NewSnapshot()
		defer snap.Close()
		full, err := notEmpty(snap)
		if err != nil {
			return err
		}
		subs, err := newSubscriptionReader(snap, nil)
		if err != nil {
			return err
		}
		defer subs.close()
		q := queueReader{db: snap}
		defer q.close()
		var sid uint64
		read := func(g func(store.Entry) bool) ([]uint16, error) {
			if _, found := slices.BinarySearch(full, sid); !found {
				return nil, nil
			}
			_, err := q.read(sid, 1, g)
			return q.inbound, err
		}
		return s.scan(snap, tagSession, func(k, v []byte) (bool, error) {
			r, err := subs.session(k, v)
			if err != nil {
				return false, err
			}
			d := view(v)
			sid = d.sessionNumber()
			return f(r, read), nil
		})
	})
}

// maxSteps is how many records of one session are stepped over before the next
// session is sought.
const maxSteps = 8

// notEmpty returns the numbers of the sessions with anything in their queues,
// ascending.
func notEmpty(r pebble.Reader) (sids []uint64, err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{tagEntry}, UpperBound: []byte{tagEntry + 1}})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	steps := 0
	for ok := it.First(); ok; {
		at, err := parsePlace(it.Key())
		if err != nil {
			return nil, err
		}
		if n := len(sids); n == 0 || sids[n-1] != at.sid {
			sids, steps = append(sids, at.sid), 0
		}
		if steps++; steps < maxSteps {
			ok = it.Next()
		} else {
			ok = it.SeekGE(place{at.sid, kindEnd, 0}.append(nil))
		}
	}
	return sids, it.Error()
}
