package pebblestore

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// reading keeps the database open while f reads from it.
func (s *Store) reading(f func() error) error {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return ErrClosed
	}
	s.readers++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		if s.readers--; s.readers == 0 {
			s.idle.Broadcast()
		}
		s.mu.Unlock()
	}()
	if err := f(); err != nil {
		return fmt.Errorf("pebblestore: reading %s: %w", s.dir, err)
	}
	return nil
}

// scan calls f with each record of a tag until it returns false.
func (s *Store) scan(r pebble.Reader, tag byte, f func(key, value []byte) (bool, error)) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{tag}, UpperBound: []byte{tag + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		more, err := f(it.Key(), v)
		if err != nil || !more {
			return err
		}
	}
	return it.Error()
}

// Sessions implements store.Reader. It sees the store as it was when called;
// f may call other readers.
func (s *Store) Sessions(f func(*store.Session) bool) error {
	return s.reading(func() error {
		snap := s.db.NewSnapshot()
		defer snap.Close()
		subs, err := newSubscriptionReader(snap, nil)
		if err != nil {
			return err
		}
		defer subs.close()
		return s.scan(snap, tagSession, func(k, v []byte) (bool, error) {
			r, err := subs.session(k, v)
			if err != nil {
				return false, err
			}
			return f(r), nil
		})
	})
}

// Retained implements store.Reader. It sees the store as it was when called.
func (s *Store) Retained(f func(*mqtt.Message) bool) error {
	return s.reading(func() error {
		snap := s.db.NewSnapshot()
		defer snap.Close()
		return s.scan(snap, tagRetained, func(k, v []byte) (bool, error) {
			d := view(v)
			mid, m := d.retained()
			if err := d.end(); err != nil {
				return false, damaged(k, err)
			}
			if mid != 0 {
				var err error
				if m, err = body(snap, mid); err != nil {
					return false, err
				}
			}
			return f(m), nil
		})
	})
}

// body reads a shared message.
func body(r pebble.Reader, mid uint64) (*mqtt.Message, error) {
	key := appendID(nil, tagMessage, mid)
	v, c, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, damaged(key, errMissing)
	}
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return decodeBody(key, v)
}

// Queue implements store.Reader. It sees the store as it was when called; f
// may call other readers. Entries that share a message do not share it in
// memory.
func (s *Store) Queue(key mqtt.SessionKey, after uint64, f func(store.Entry) bool) (inbound []uint16, err error) {
	err = s.reading(func() error {
		sid, found, err := readNumber(s.db, appendName(nil, tagSession, key))
		if err != nil || !found {
			return err
		}
		h := s.known.begin(sid)
		q := queueReader{db: s.db}
		defer q.close()
		first, err := q.read(sid, max(after+1, h.low), f)
		inbound = q.inbound
		if err == nil && after < max(h.low, 1) {
			s.known.found(sid, h, first)
		}
		return err
	})
	return inbound, err
}

// queueReader reads one session's part of the database. One iterator reads the
// small records, then the entries with their messages; a second one those that
// refer to shared messages, and both are merged by number. It may read several
// sessions, one after the other.
type queueReader struct {
	db      pebble.Reader
	sid     uint64
	f       func(store.Entry) bool
	a, b, m *pebble.Iterator // all see the same state
	inbound []uint16
	state   map[uint64]uint32 // packet identifier, and bit 16 when released
}

func (q *queueReader) close() {
	for _, it := range []*pebble.Iterator{q.a, q.b, q.m} {
		if it != nil {
			it.Close()
		}
	}
}

// read gives the entries of a session from a number on to f and returns the
// number of the first one, 0 if there is none.
func (q *queueReader) read(sid, from uint64, f func(store.Entry) bool) (first uint64, err error) {
	q.sid, q.f, q.inbound, q.state = sid, f, nil, nil
	small, inline := place{q.sid, 0, 0}.append(nil), place{q.sid, kindInline, 0}.append(nil)
	shared, end := place{q.sid, kindShared, 0}.append(nil), place{q.sid, kindEnd, 0}.append(nil)
	o := &pebble.IterOptions{LowerBound: small, UpperBound: end}
	if from > 1 { // do not step over what was deleted before it
		o.UpperBound = inline
	}
	if q.a == nil {
		if q.a, err = q.db.NewIter(o); err != nil {
			return 0, err
		}
	} else {
		q.a.SetBounds(o.LowerBound, o.UpperBound)
	}
	if more, err := q.small(); err != nil || !more && from <= 1 {
		return 0, err
	}
	q.a.SetBounds(inline, shared)
	if q.b != nil {
		q.b.SetBounds(shared, end)
	} else if q.b, err = q.a.Clone(pebble.CloneOptions{IterOptions: &pebble.IterOptions{LowerBound: shared, UpperBound: end}}); err != nil {
		return 0, err
	}
	x, haveX, err := here(q.a, q.a.SeekGE(place{q.sid, kindInline, from}.append(nil)))
	if err != nil {
		return 0, err
	}
	y, haveY, err := here(q.b, q.b.SeekGE(place{q.sid, kindShared, from}.append(nil)))
	return q.merge(x, haveX, y, haveY, err)
}

// body reads a shared message.
func (q *queueReader) body(mid uint64) (m *mqtt.Message, err error) {
	if q.m == nil {
		o := &pebble.IterOptions{LowerBound: []byte{tagMessage}, UpperBound: []byte{tagMessage + 1}}
		if q.m, err = q.a.Clone(pebble.CloneOptions{IterOptions: o}); err != nil {
			return nil, err
		}
	}
	key := appendID(nil, tagMessage, mid)
	if !q.m.SeekGE(key) || !bytes.Equal(q.m.Key(), key) {
		return nil, cmp.Or(q.m.Error(), damaged(key, errMissing))
	}
	v, err := q.m.ValueAndErr()
	if err != nil {
		return nil, err
	}
	return decodeBody(key, v)
}

// small reads packet identifiers. It reports whether an entry follows.
func (q *queueReader) small() (more bool, err error) {
	for ok := q.a.First(); ok; ok = q.a.Next() {
		at, err := parsePlace(q.a.Key())
		if err != nil {
			return false, err
		}
		switch at.kind {
		case kindState:
			id, released, err := decodeState(q.a.Key(), q.a.Value())
			if err != nil {
				return false, err
			}
			if q.state == nil {
				q.state = map[uint64]uint32{}
			}
			q.state[at.number] = uint32(id)
			if released {
				q.state[at.number] |= 1 << 16
			}
		case kindInbound:
			if at.number > 0xffff {
				return false, damaged(q.a.Key(), errValue)
			}
			q.inbound = append(q.inbound, uint16(at.number))
		default:
			return true, nil
		}
	}
	return false, q.a.Error()
}

// here returns where an iterator stands.
func here(it *pebble.Iterator, ok bool) (place, bool, error) {
	if !ok {
		return place{}, false, it.Error()
	}
	at, err := parsePlace(it.Key())
	return at, err == nil, err
}

// merge gives the entries of both iterators to f in the order of numbers.
func (q *queueReader) merge(x place, haveX bool, y place, haveY bool, err error) (first uint64, _ error) {
	for err == nil && (haveX || haveY) {
		fromX := haveX && (!haveY || x.number < y.number)
		it, at := q.b, y
		if fromX {
			it, at = q.a, x
		}
		if first == 0 {
			first = at.number
		}
		e, err := q.entry(it, at)
		if err != nil {
			return first, err
		}
		if !q.f(e) {
			return first, nil
		}
		if fromX {
			x, haveX, err = here(it, it.Next())
		} else {
			y, haveY, err = here(it, it.Next())
		}
		if err != nil {
			return first, err
		}
	}
	return first, err
}

// entry decodes the entry at which an iterator stands.
func (q *queueReader) entry(it *pebble.Iterator, at place) (e store.Entry, err error) {
	v, err := it.ValueAndErr()
	if err != nil {
		return e, err
	}
	d := view(v)
	e.Number = at.number
	e.Delivery, _ = d.delivery()
	if at.kind == kindInline {
		e.Message = d.message()
		err = d.end()
	} else {
		mid := d.reference()
		if err = d.end(); err == nil {
			if e.Message, err = q.body(mid); err != nil {
				return e, err
			}
		}
	}
	if err != nil {
		return e, damaged(it.Key(), err)
	}
	if st, ok := q.state[at.number]; ok {
		e.PacketID, e.Released = uint16(st), st&(1<<16) != 0
	}
	return e, nil
}
