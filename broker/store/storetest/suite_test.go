package storetest_test

import (
	"cmp"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
	"github.com/lunemq/lunemq/broker/store/storetest"
)

// faulty is a store that does something wrong with every nth batch.
type faulty struct {
	store.Store
	every     int32
	count     atomic.Int32
	harm      func(ops []store.Op) []store.Op
	doneTwice bool
}

func (f *faulty) Commit(b *store.Batch, done func(error)) {
	c := store.Batch{Ops: append([]store.Op(nil), b.Ops...), Sync: b.Sync}
	if f.count.Add(1)%f.every == 0 {
		if f.doneTwice {
			first := done
			done = func(err error) { first(err); first(err) }
		} else {
			c.Ops = f.harm(c.Ops)
		}
	}
	f.Store.Commit(&c, done)
}

// hasty is a store whose Load does not look into queues, or forgets a session,
// or the subscriptions of one.
type hasty struct {
	store.Store
	forgets, bare bool
}

func (h *hasty) Load(f func(*store.Session, store.QueueReader) bool) error {
	n := 0
	return h.Store.Load(func(r *store.Session, q store.QueueReader) bool {
		if n++; h.forgets && n == 5 {
			return true
		}
		if h.bare && n == 1 {
			r.Subscriptions = nil
		} else if !h.forgets && !h.bare {
			q = func(func(store.Entry) bool) ([]uint16, error) { return nil, nil }
		}
		return f(r, q)
	})
}

// TestPlantedFaults_Load shows that the suite notices a Load that reads less
// than everything.
func TestPlantedFaults_Load(t *testing.T) {
	for _, h := range []hasty{{}, {forgets: true}, {bare: true}} {
		bad := storetest.Check(func() storetest.Opener {
			return storetest.Opener{Open: func() (store.Store, error) {
				h.Store = memstore.New()
				return &h, nil
			}}
		})
		if len(bad) == 0 {
			t.Errorf("a store whose Load is incomplete (sessions: %v, subscriptions: %v) passes the suite", h.forgets, h.bare)
		}
	}
}

// without drops the last op of a kind.
func without(k store.OpKind) func([]store.Op) []store.Op {
	return func(ops []store.Op) []store.Op {
		for i := len(ops) - 1; i >= 0; i-- {
			if ops[i].Kind == k {
				return append(ops[:i], ops[i+1:]...)
			}
		}
		return ops
	}
}

// mixesSubscriptions is a store that gives a session that begins anew the
// subscriptions of the one before, or, with wipes, forgets a session's
// subscriptions when its record changes.
func mixesSubscriptions(wipes bool) func([]store.Op) []store.Op {
	var mu sync.Mutex
	made, ended := map[mqtt.SessionKey][]store.Op{}, map[mqtt.SessionKey]bool{}
	return func(ops []store.Op) (all []store.Op) {
		mu.Lock()
		defer mu.Unlock()
		for _, op := range ops {
			all = append(all, op)
			switch op.Kind {
			case store.PutSubscription:
				made[op.Key] = append(made[op.Key], op)
			case store.DeleteSession:
				ended[op.Key] = true
			case store.PutSession:
				for _, sub := range made[op.Key] {
					if wipes {
						sub.Kind = store.DeleteSubscription
					}
					if wipes || ended[op.Key] {
						all = append(all, sub)
					}
				}
			}
		}
		return all
	}
}

func reversed(ops []store.Op) []store.Op {
	for i, j := 0, len(ops)-1; i < j; i, j = i+1, j-1 {
		ops[i], ops[j] = ops[j], ops[i]
	}
	return ops
}

// TestPlantedFaults shows that the suite notices stores that lose or reorder.
func TestPlantedFaults(t *testing.T) {
	check := func(harm func([]store.Op) []store.Op, every int32, twice bool) map[string]string {
		return storetest.Check(func() storetest.Opener {
			return storetest.Opener{Open: func() (store.Store, error) {
				return &faulty{Store: memstore.New(), every: every, harm: harm, doneTwice: twice}, nil
			}}
		})
	}
	if bad := check(func(ops []store.Op) []store.Op { return ops }, 1, false); len(bad) > 0 {
		t.Fatalf("a sound store fails: %v", bad)
	}
	swap := func(ops []store.Op) []store.Op { // two neighbours' messages
		for i := 1; i < len(ops); i++ {
			if ops[i].Kind == store.Append && ops[i-1].Kind == store.Append && ops[i].Key == ops[i-1].Key {
				ops[i].Entry.Number, ops[i-1].Entry.Number = ops[i-1].Entry.Number, ops[i].Entry.Number
				return ops
			}
		}
		return ops
	}
	for name, f := range map[string]struct {
		harm  func([]store.Op) []store.Op
		every int32 // 0 = 3
		twice bool
	}{
		"loses Append": {harm: without(store.Append)}, "loses Complete": {harm: without(store.Complete)}, "loses Assign": {harm: without(store.Assign)},
		"loses Release": {harm: without(store.Release)}, "loses PutInbound": {harm: without(store.PutInbound)}, "loses DropInbound": {harm: without(store.DropInbound)},
		"loses PutSession": {harm: without(store.PutSession)}, "loses DeleteSession": {harm: without(store.DeleteSession)},
		"loses PutSubscription": {harm: without(store.PutSubscription)}, "loses DeleteSubscription": {harm: without(store.DeleteSubscription)},
		"loses PutRetained": {harm: without(store.PutRetained)}, "loses DropRetained": {harm: without(store.DropRetained)},
		"reverses batches": {harm: reversed}, "swaps messages": {harm: swap},
		"keeps subscriptions of ended sessions": {harm: mixesSubscriptions(false), every: 1}, "wipes subscriptions": {harm: mixesSubscriptions(true), every: 1},
		"calls done twice": {twice: true},
	} {
		if bad := check(f.harm, cmp.Or(f.every, 3), f.twice); len(bad) == 0 {
			t.Errorf("a store that %s passes the suite", name)
		}
	}
}
