package pebblestore

import (
	"encoding/binary"
	"errors"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// session is what is remembered of a session in the store: nothing that could
// not be read again. Owned by the committer, but for hint.
type session struct {
	sid    uint64
	last   uint64 // no entry has a greater number
	shares bool   // entries may refer to shared messages
	// subscribed says that there may be subscriptions.
	subscribed bool
}

// sessions remembers the sessions in use. The map is the committer's; hints is
// shared with readers.
type sessions struct {
	byKey map[mqtt.SessionKey]*session // nil = it is known that there is none

	mu    sync.Mutex // a leaf: guards hints and what is in them
	hints map[uint64]*hint
}

// hint says where the live part of a queue begins, so that readers need not
// step over what was completed since the files were last compacted.
type hint struct {
	low  uint64 // no entry has a smaller number
	last uint64 // no entry that is still to become visible has one so small
}

// maxSessions is how many sessions are remembered.
const maxSessions = 1 << 16

func newSessions() *sessions {
	return &sessions{byKey: map[mqtt.SessionKey]*session{}, hints: map[uint64]*hint{}}
}

func (k *sessions) remember(key mqtt.SessionKey, s *session) {
	k.byKey[key] = s
	k.mu.Lock()
	k.hints[s.sid] = &hint{last: s.last}
	k.mu.Unlock()
}

// trim forgets everything when it has become too much. Called between groups:
// within one, byKey knows more than the database.
func (k *sessions) trim() {
	if len(k.byKey) < maxSessions {
		return
	}
	clear(k.byKey)
	k.mu.Lock()
	clear(k.hints)
	k.mu.Unlock()
}

func (k *sessions) forget(key mqtt.SessionKey, s *session) {
	delete(k.byKey, key)
	k.mu.Lock()
	delete(k.hints, s.sid)
	k.mu.Unlock()
}

// appended notes a new entry when it is planned. Numbers rise, but for what the
// contract does not promise: a queue that breaks this has no hint any more.
func (k *sessions) appended(s *session, number uint64) {
	if number <= s.last {
		k.mu.Lock()
		delete(k.hints, s.sid)
		k.mu.Unlock()
	}
	s.last = max(s.last, number)
}

// visible notes new entries once readers can see them.
func (k *sessions) visible(entries []entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range entries {
		if x := &entries[i]; x.fresh && !x.gone {
			if h := k.hints[x.at.sid]; h != nil {
				h.last = max(h.last, x.at.number)
			}
		}
	}
}

// begin returns a copy of a session's hint, to be taken before the snapshot
// that is read; zero if there is none.
func (k *sessions) begin(sid uint64) hint {
	k.mu.Lock()
	defer k.mu.Unlock()
	if h := k.hints[sid]; h != nil {
		return *h
	}
	return hint{}
}

// found says that a reader who began with was, at its low, met first as the
// first entry; 0 = there was none.
func (k *sessions) found(sid uint64, was hint, first uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := k.hints[sid]
	if h == nil {
		return
	}
	low := was.last + 1 // what became visible later is above
	if first != 0 {
		low = min(low, first)
	}
	h.low = max(h.low, low)
}

// session returns what is remembered or stored of a session; nil if there is
// none.
func (p *plan) session(key mqtt.SessionKey) (*session, error) {
	if s, ok := p.known.byKey[key]; ok {
		return s, nil
	}
	p.key = appendName(p.key[:0], tagSession, key)
	sid, found, err := readNumber(p.db, p.key)
	if err != nil || !found {
		return nil, err
	}
	s := &session{sid: sid, subscribed: true}
	if err := p.survey(s); err != nil {
		return nil, err
	}
	p.known.remember(key, s)
	return s, nil
}

// readNumber reads a session's number from its record.
func readNumber(r pebble.Reader, key []byte) (sid uint64, found bool, err error) {
	v, c, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer c.Close()
	d := view(v)
	sid = d.sessionNumber()
	if d.err != nil {
		return 0, false, damaged(key, d.err)
	}
	return sid, true, nil
}

// survey finds the last entry of a session, and whether any refers to a shared
// message.
func (p *plan) survey(s *session) error {
	middle := place{s.sid, kindShared, 0}.append(nil)
	it, err := p.db.NewIter(&pebble.IterOptions{
		LowerBound: place{s.sid, kindInline, 0}.append(nil), UpperBound: place{s.sid, kindEnd, 0}.append(nil)})
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.Last(); ok; ok = it.SeekLT(middle) {
		at, err := parsePlace(it.Key())
		if err != nil {
			return err
		}
		s.last = max(s.last, at.number)
		if at.kind == kindInline {
			break
		}
		s.shares = true
	}
	return it.Error()
}

// putSession stores a session's record under its number, or a new one.
func (p *plan) putSession(key mqtt.SessionKey, r *store.Session) error {
	s, err := p.session(key)
	if err != nil {
		return err
	}
	if s == nil {
		s = &session{sid: p.ids.session()}
		p.known.remember(key, s)
	}
	p.stamp(r.Offline)
	p.key = appendName(p.key[:0], tagSession, key)
	p.scratch = appendSession(p.scratch[:0], s.sid, r)
	return p.b.Set(p.key, p.scratch, nil)
}

// deleteSession deletes a session with all that is its own; references to
// shared messages are given back later, by reclaim.
func (p *plan) deleteSession(key mqtt.SessionKey, s *session) error {
	for i := range p.entries {
		switch x := &p.entries[i]; {
		case x.at.sid != s.sid || x.gone:
		case x.fresh:
			if err := p.remove(x); err != nil {
				return err
			}
		default: // the ranges below, or reclaim, take it
			x.gone, x.disk = true, kindEnd
		}
	}
	p.known.forget(key, s)
	p.known.byKey[key] = nil
	p.key = appendName(p.key[:0], tagSession, key)
	if err := p.b.Delete(p.key, nil); err != nil {
		return err
	}
	if s.subscribed {
		if err := p.deleteSubscriptions(p.key); err != nil {
			return err
		}
	}
	if s.shares {
		p.doomed = append(p.doomed, s.sid)
		p.key = appendID(p.key[:0], tagDoomed, s.sid)
		if err := p.b.Set(p.key, nil, nil); err != nil {
			return err
		}
	}
	return p.b.DeleteRange(place{s.sid, 0, 0}.append(nil), place{s.sid, kindShared, 0}.append(nil), nil)
}

// sliceOfReferences is how many references of deleted sessions one group
// gives back at most.
const sliceOfReferences = 2048

// reclaim gives back some references of a deleted session. Called before
// anything else of a group is planned.
func (p *plan) reclaim() error {
	if len(p.doomed) == 0 {
		return nil
	}
	sid := p.doomed[0]
	first := place{sid, kindShared, 0}.append(nil)
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: first, UpperBound: place{sid, kindEnd, 0}.append(nil)})
	if err != nil {
		return err
	}
	defer it.Close()
	n := 0
	var last []byte
	ok := it.First()
	for ; ok && n < sliceOfReferences; ok = it.Next() {
		d := view(it.Value())
		d.delivery()
		mid := d.reference()
		if err := d.end(); err != nil {
			return damaged(it.Key(), err)
		}
		if err := p.share.release(p, mid); err != nil {
			return err
		}
		last = append(last[:0], it.Key()...)
		n++
	}
	if err := it.Error(); err != nil {
		return err
	}
	if n > 0 {
		if err := p.b.DeleteRange(first, append(last, 0), nil); err != nil {
			return err
		}
	}
	if ok {
		return nil
	}
	p.doomed = p.doomed[1:]
	return p.b.Delete(appendID(nil, tagDoomed, sid), nil)
}

// readDoomed reads which sessions were deleted and still hold references.
func readDoomed(db *pebble.DB) (sids []uint64, err error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{tagDoomed}, UpperBound: []byte{tagDoomed + 1}})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if len(it.Key()) != 9 {
			return nil, damaged(it.Key(), errShort)
		}
		sids = append(sids, binary.BigEndian.Uint64(it.Key()[1:]))
	}
	return sids, it.Error()
}
