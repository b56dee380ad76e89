package pebblestore

import (
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// plan turns batches into one write of the database. It holds what the
// batches of one group change together and, between groups, what is worth
// remembering. Owned by the committer.
type plan struct {
	db    *pebble.DB
	b     *pebble.Batch // of the present group
	ids   numbers
	known *sessions
	share counts

	entries  []entry // touched by the group
	index    map[place]int32
	recent   map[place]stored // lately appended and still there
	retained map[mqtt.SessionKey]*keptMessage
	gone     []place // keys to delete
	doomed   []uint64
	unsynced bool  // something was written and not synced since
	newest   int64 // latest stamp seen in records, ns since 1970
	scratch  []byte
	key      []byte
	owner    []byte
}

// entry is what the group makes of one message of one session.
type entry struct {
	at      place       // kind as it will be stored
	item    store.Entry // Message only if fresh
	mid     uint64      // shared message, 0 = inside
	disk    kind        // where it was before the group; kindEnd = nowhere
	tracked bool        // see delTracked
	fresh   bool        // appended by the group
	gone    bool        // completed, or its session deleted
	state   bool        // packet identifier or release changed
}

// stored is what must be known of an entry to take it out.
type stored struct {
	mid     uint64 // shared message, 0 = inside
	tracked bool
}

// maxRecent is how many stored entries are remembered, so that their completion
// reads nothing.
const maxRecent = 1 << 17

// keptMessage is what the group makes of a retained message.
type keptMessage struct {
	message *mqtt.Message // nil = dropped
	mid     uint64        // shared message, of this or of an earlier commit
}

func newPlan(db *pebble.DB, known *sessions) *plan {
	return &plan{db: db, known: known, share: newCounts(), index: map[place]int32{}, recent: map[place]stored{}, retained: map[mqtt.SessionKey]*keptMessage{}}
}

// begin starts a group.
func (p *plan) begin() error {
	p.b = p.db.NewBatch()
	clear(p.entries)
	p.entries = p.entries[:0]
	clear(p.index)
	clear(p.retained)
	p.known.trim()
	return p.reclaim()
}

// batch adds the changes of one store.Batch to the group. An error means that
// the database could not be read.
func (p *plan) batch(ops []store.Op) error {
	p.share.survey(ops)
	for i := range ops {
		if err := p.op(&ops[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) op(op *store.Op) error {
	switch op.Kind {
	case store.PutRetained:
		return p.retain(op.Message, true)
	case store.DropRetained:
		return p.retain(op.Message, false)
	case store.PutSession:
		return p.putSession(op.Key, op.Session)
	}
	s, err := p.session(op.Key)
	if err != nil || s == nil { // of a session deleted meanwhile
		return err
	}
	switch op.Kind {
	case store.DeleteSession:
		return p.deleteSession(op.Key, s)
	case store.PutSubscription, store.DeleteSubscription:
		return p.subscription(s, op)
	case store.Append:
		return p.append(s, &op.Entry)
	case store.Assign, store.Release:
		return p.assign(s, op)
	case store.Complete:
		return p.complete(s, op.Entry.Number)
	case store.PutInbound:
		p.key = place{s.sid, kindInbound, uint64(op.PacketID)}.append(p.key[:0])
		return p.b.Set(p.key, nil, nil)
	case store.DropInbound:
		p.key = place{s.sid, kindInbound, uint64(op.PacketID)}.append(p.key[:0])
		return p.b.Delete(p.key, nil)
	}
	return nil
}

// append adds one message to a session's queue; one that is there stays.
func (p *plan) append(s *session, e *store.Entry) error {
	x, err := p.find(s, e.Number)
	if err != nil {
		return err
	}
	if x != nil && !x.gone {
		return nil
	}
	if x == nil {
		p.index[place{sid: s.sid, number: e.Number}] = int32(len(p.entries))
		p.entries = append(p.entries, entry{disk: kindEnd})
		x = &p.entries[len(p.entries)-1]
	}
	was := x.disk
	*x = entry{at: place{s.sid, kindInline, e.Number}, item: *e, disk: was, fresh: true}
	x.tracked = e.Delivery.QoS == mqtt.ExactlyOnce
	x.state = e.PacketID != 0 || e.Released
	if x.mid = p.share.refer(&p.ids, e.Message); x.mid != 0 {
		x.at.kind = kindShared
		s.shares = true
	}
	p.known.appended(s, e.Number)
	return nil
}

// find returns what the group knows of an entry, or what the database has;
// nil if there is none. Valid until the next call.
func (p *plan) find(s *session, number uint64) (*entry, error) {
	if i, ok := p.index[place{sid: s.sid, number: number}]; ok {
		return &p.entries[i], nil
	}
	if number > s.last { // nothing with such a number was ever appended
		return nil, nil
	}
	x := entry{at: place{s.sid, kindInline, number}}
	r, found := p.recent[place{sid: s.sid, number: number}]
	var err error
	if found {
		if x.mid, x.tracked = r.mid, r.tracked; x.mid != 0 {
			x.at.kind = kindShared
		}
	} else {
		found, err = p.load(&x)
	}
	if err == nil && !found && s.shares {
		x.at.kind = kindShared
		found, err = p.load(&x)
	}
	if err != nil || !found {
		return nil, err
	}
	x.disk = x.at.kind
	p.index[place{sid: s.sid, number: number}] = int32(len(p.entries))
	p.entries = append(p.entries, x)
	return &p.entries[len(p.entries)-1], nil
}

// load reads what is needed of an entry from the database.
func (p *plan) load(x *entry) (found bool, err error) {
	p.key = x.at.append(p.key[:0])
	v, c, err := p.db.Get(p.key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer c.Close()
	d := view(v)
	_, x.tracked = d.delivery()
	if x.at.kind == kindShared {
		x.mid = d.reference()
		d.end()
	}
	if d.err != nil {
		return false, damaged(p.key, d.err)
	}
	return true, nil
}

// assign notes the packet identifier of an entry in flight, and its release.
func (p *plan) assign(s *session, op *store.Op) error {
	x, err := p.find(s, op.Entry.Number)
	if err != nil || x == nil || x.gone {
		return err
	}
	x.item.Released = op.Kind == store.Release
	x.state = true
	if op.Entry.PacketID != 0 || op.Kind == store.Assign {
		x.item.PacketID = op.Entry.PacketID
		return nil
	}
	if x.item.PacketID != 0 || x.fresh {
		return nil
	}
	p.key = place{s.sid, kindState, op.Entry.Number}.append(p.key[:0])
	v, c, err := p.db.Get(p.key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer c.Close()
	x.item.PacketID, _, err = decodeState(p.key, v)
	return err
}

// complete takes an entry out of its queue.
func (p *plan) complete(s *session, number uint64) error {
	x, err := p.find(s, number)
	if err != nil || x == nil || x.gone {
		return err
	}
	return p.remove(x)
}

// remove drops an entry and its reference.
func (p *plan) remove(x *entry) error {
	x.gone = true
	if x.mid == 0 {
		return nil
	}
	return p.share.release(p, x.mid)
}

// stamp notes a moment that has been.
func (p *plan) stamp(t time.Time) {
	if !t.IsZero() {
		p.newest = max(p.newest, t.UnixNano())
	}
}

// retain puts or drops the retained message of a topic.
func (p *plan) retain(m *mqtt.Message, put bool) error {
	name := mqtt.SessionKey{Mountpoint: m.Mountpoint, ClientID: m.Topic}
	k := p.retained[name]
	if k == nil {
		k = &keptMessage{}
		p.key = appendName(p.key[:0], tagRetained, name)
		v, c, err := p.db.Get(p.key)
		switch {
		case errors.Is(err, pebble.ErrNotFound):
		case err != nil:
			return err
		default:
			d := view(v)
			d.version()
			k.mid = d.reference()
			c.Close()
			if d.err != nil {
				return damaged(p.key, d.err)
			}
		}
		p.retained[name] = k
	}
	if k.mid != 0 {
		if err := p.share.release(p, k.mid); err != nil {
			return err
		}
	}
	k.message, k.mid = nil, 0
	if put {
		k.message, k.mid = m, p.share.refer(&p.ids, m)
	}
	return nil
}
