package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// twin is the dumb model of a store: maps of everything. Owned by its test.
type twin struct {
	sessions map[mqtt.SessionKey]*twinSession
	retained map[mqtt.SessionKey]*mqtt.Message
}

type twinSession struct {
	record  *store.Session
	subs    map[mqtt.Share]mqtt.Subscription
	entries map[uint64]store.Entry
	inbound map[uint16]bool
}

func newTwin() *twin {
	return &twin{map[mqtt.SessionKey]*twinSession{}, map[mqtt.SessionKey]*mqtt.Message{}}
}

func (t *twin) apply(op store.Op) {
	s := t.sessions[op.Key]
	switch op.Kind {
	case store.PutRetained:
		t.retained[mqtt.SessionKey{Mountpoint: op.Message.Mountpoint, ClientID: op.Message.Topic}] = op.Message
	case store.DropRetained:
		delete(t.retained, mqtt.SessionKey{Mountpoint: op.Message.Mountpoint, ClientID: op.Message.Topic})
	case store.PutSession:
		if s == nil {
			s = &twinSession{subs: map[mqtt.Share]mqtt.Subscription{}, entries: map[uint64]store.Entry{}, inbound: map[uint16]bool{}}
			t.sessions[op.Key] = s
		}
		r := *op.Session
		s.record = &r
	case store.DeleteSession:
		delete(t.sessions, op.Key)
	default:
		if s != nil {
			s.apply(op)
		}
	}
}

func (s *twinSession) apply(op store.Op) {
	e, found := s.entries[op.Entry.Number]
	switch op.Kind {
	case store.PutSubscription:
		s.subs[shareOf(op.Subscription)] = *op.Subscription
	case store.DeleteSubscription:
		delete(s.subs, shareOf(op.Subscription))
	case store.Append:
		if !found {
			s.entries[op.Entry.Number] = op.Entry
		}
	case store.Assign, store.Release:
		if found {
			e.PacketID, e.Released = op.Entry.PacketID, op.Kind == store.Release
			s.entries[op.Entry.Number] = e
		}
	case store.Complete:
		delete(s.entries, op.Entry.Number)
	case store.PutInbound:
		s.inbound[op.PacketID] = true
	case store.DropInbound:
		delete(s.inbound, op.PacketID)
	}
}

func shareOf(s *mqtt.Subscription) mqtt.Share {
	return mqtt.Share{Name: s.ShareName, Filter: s.Filter}
}

// show is everything in it, as text.
func (t *twin) show() (all []string) {
	for k, s := range t.sessions {
		s.record.Subscriptions = slices.Collect(maps.Values(s.subs))
		all = append(all, showSession(s.record))
		for _, n := range slices.Sorted(maps.Keys(s.entries)) {
			all = append(all, fmt.Sprint(k, showEntry(s.entries[n])))
		}
		all = append(all, fmt.Sprint(k, slices.Sorted(maps.Keys(s.inbound))))
	}
	for _, m := range t.retained {
		all = append(all, showMessage(m))
	}
	slices.Sort(all)
	return all
}

// Show is everything in a store as text, sorted, read through Reader; the text
// says so if a queue is out of order, or Loader reads something else. Nothing
// may be committed meanwhile.
func Show(s store.Store) (all []string, err error) {
	var errs error
	err = s.Sessions(func(r *store.Session) bool {
		lines, err := showAll(r, func(f func(store.Entry) bool) ([]uint16, error) { return s.Queue(r.Key, 0, f) })
		all, errs = append(all, lines...), errors.Join(errs, err)
		one, err := s.Session(r.Key)
		if err != nil || one == nil || showSession(one) != showSession(r) {
			all = append(all, fmt.Sprintf("%v: Session returns something else, %v", r.Key, err))
		}
		return true
	})
	if err = errors.Join(err, errs); err != nil {
		return nil, err
	}
	loaded, err := showLoaded(s)
	if err != nil {
		return nil, err
	}
	slices.Sort(all)
	if !slices.Equal(all, loaded) {
		all = append(all, "Load: "+Diff(loaded, all))
	}
	err = s.Retained(func(m *mqtt.Message) bool { all = append(all, showMessage(m)); return true })
	slices.Sort(all)
	return all, err
}

// showLoaded is what Load reads, as text, sorted.
func showLoaded(s store.Store) (all []string, err error) {
	var errs error
	n := 0
	err = s.Load(func(r *store.Session, queue store.QueueReader) bool {
		n++
		lines, err := showAll(r, queue)
		all, errs = append(all, lines...), errors.Join(errs, err)
		return true
	})
	if count, err := s.Count(); err != nil || count != n {
		all = append(all, fmt.Sprintf("Count returns %d, %v; there are %d", count, err, n))
	}
	slices.Sort(all)
	return all, errors.Join(err, errs)
}

// showAll is a session and its queue.
func showAll(r *store.Session, queue store.QueueReader) (all []string, err error) {
	all = append(all, showSession(r))
	last := uint64(0)
	inbound, err := queue(func(e store.Entry) bool {
		if e.Number <= last {
			all = append(all, fmt.Sprintf("%v: %d comes after %d", r.Key, e.Number, last))
		}
		last = e.Number
		all = append(all, fmt.Sprint(r.Key, showEntry(e)))
		return true
	})
	slices.Sort(inbound)
	return append(all, fmt.Sprint(r.Key, inbound)), err
}

// Random makes batches as brokers do, over few sessions, so that they meet.
// Owned by one goroutine.
type Random struct {
	r    *rand.Rand
	twin *twin
	next map[mqtt.SessionKey]uint64
	n    int
}

// NewRandom returns a source of batches.
func NewRandom(seed uint64) *Random {
	return &Random{r: rand.New(rand.NewPCG(seed, 1)), twin: newTwin(), next: map[mqtt.SessionKey]uint64{}}
}

// Batch returns the next batch; Show then includes its effect.
func (g *Random) Batch() *store.Batch {
	b := &store.Batch{Sync: g.r.IntN(3) > 0}
	for range 1 + g.r.IntN(6) {
		for _, op := range g.ops() {
			b.Add(op)
			g.twin.apply(op)
		}
	}
	return b
}

// Show is everything a store should hold after the batches made so far.
func (g *Random) Show() []string { return g.twin.show() }

func (g *Random) key() mqtt.SessionKey {
	return mqtt.SessionKey{Mountpoint: []string{"", "m"}[g.r.IntN(2)], ClientID: fmt.Sprint("c", g.r.IntN(6))}
}

func (g *Random) message() *mqtt.Message {
	g.n++
	return &mqtt.Message{Topic: fmt.Sprint("t", g.r.IntN(5)), Payload: fmt.Appendf(nil, "%d-%s", g.n, make([]byte, g.r.IntN(300))), QoS: mqtt.QoS(g.r.IntN(3)), Retain: g.r.IntN(3) == 0}
}

func (g *Random) append(k mqtt.SessionKey, m *mqtt.Message) store.Op {
	g.next[k] += 1 + uint64(g.r.IntN(20)/19)
	op := add(k, g.next[k], m)
	op.Entry.Delivery.SubscriptionID = uint32(g.r.IntN(3))
	return op
}

// existing picks an entry of a session, mostly the oldest.
func (g *Random) existing(k mqtt.SessionKey) uint64 {
	s := g.twin.sessions[k]
	if s == nil || len(s.entries) == 0 {
		return g.r.Uint64N(50)
	}
	all := slices.Sorted(maps.Keys(s.entries))
	if g.r.IntN(4) > 0 {
		return all[0]
	}
	return all[g.r.IntN(len(all))]
}

func (g *Random) ops() (ops []store.Op) {
	k := g.key()
	switch p := g.r.IntN(100); {
	case p < 12:
		op := put(k)
		op.Session.Username = fmt.Sprint(g.r.IntN(1000))
		ops = append(ops, op)
		for range g.r.IntN(4) {
			ops = append(ops, subscribed(k, mqtt.Subscription{Filter: fmt.Sprint("f", g.r.IntN(4)), QoS: mqtt.QoS(g.r.IntN(3))}))
		}
	case p < 15:
		ops = append(ops, drop(k))
		g.next[k] = 0
		if g.r.IntN(2) == 0 {
			ops = append(ops, put(k))
		}
	case p < 40: // to many
		m := g.message()
		if m.Retain {
			ops = append(ops, retained(store.PutRetained, m))
		}
		for range 1 + g.r.IntN(6) {
			ops = append(ops, g.append(g.key(), m))
		}
	case p < 55:
		ops = append(ops, g.append(k, g.message()))
	case p < 65:
		id := uint16(1 + g.r.IntN(9))
		n := g.existing(k)
		ops = append(ops, number(store.Assign, k, n, id))
		if g.r.IntN(2) == 0 {
			ops = append(ops, number(store.Release, k, n, id))
		}
	case p < 88:
		ops = append(ops, complete(k, g.existing(k)))
	case p < 92:
		ops = append(ops, inbound(store.PutInbound, k, uint16(g.r.IntN(9))))
	case p < 94:
		ops = append(ops, inbound(store.DropInbound, k, uint16(g.r.IntN(9))))
	case p < 96:
		ops = append(ops, subscribed(k, mqtt.Subscription{Filter: fmt.Sprint("f", g.r.IntN(4)), ShareName: []string{"", "g"}[g.r.IntN(2)], ID: uint32(g.n)}))
	case p < 98:
		ops = append(ops, unsubscribed(k, mqtt.Subscription{Filter: fmt.Sprint("f", g.r.IntN(4)), ShareName: []string{"", "g"}[g.r.IntN(2)]}))
	default:
		ops = append(ops, retained(store.DropRetained, g.message()))
	}
	return ops
}

// model compares the store with its twin under random batches.
func model(x *bench) {
	for seed := range uint64(4) {
		g := NewRandom(seed)
		if seed > 0 { // of an empty store
			if !x.clean() {
				return
			}
		}
		for round := range 60 {
			var waits []func()
			for range 1 + g.r.IntN(30) {
				waits = append(waits, x.later(slices.Clone(g.Batch().Ops)...))
			}
			for _, w := range waits {
				w()
			}
			if round%15 == 14 {
				x.reopen()
			}
			got, err := Show(x.s)
			if err != nil {
				x.Fatalf("seed %d, round %d: %v", seed, round, err)
			}
			if want := g.Show(); !slices.Equal(got, want) {
				x.Fatalf("seed %d, round %d: %s", seed, round, Diff(got, want))
			}
		}
	}
}

// clean deletes everything there is.
func (x *bench) clean() bool {
	var ops []store.Op
	x.s.Sessions(func(r *store.Session) bool { ops = append(ops, drop(r.Key)); return true })
	x.s.Retained(func(m *mqtt.Message) bool { ops = append(ops, retained(store.DropRetained, m)); return true })
	x.do(ops...)
	all, err := Show(x.s)
	if err != nil || len(all) > 0 {
		x.Fatalf("not empty: %v, %v", all, err)
	}
	return true
}

// Diff says what is in one sorted list and not in the other.
func Diff(got, want []string) string {
	var s string
	for _, g := range got {
		if _, found := slices.BinarySearch(want, g); !found {
			s += fmt.Sprintf("\nunexpected %.200s", g)
		}
	}
	for _, w := range want {
		if _, found := slices.BinarySearch(got, w); !found {
			s += fmt.Sprintf("\nmissing    %.200s", w)
		}
	}
	return fmt.Sprintf("%d, want %d:%.2000s", len(got), len(want), s)
}
