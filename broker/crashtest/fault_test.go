package crashtest_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/crashtest"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
)

// faulty is a store that outlives its broker and may be broken on purpose.
type faulty struct {
	*memstore.Store
	lose    func(op *store.Op) bool // changes that never happen
	reverse bool                    // queues are read backwards
	shift   uint64                  // is added to the numbers of what is read
	dead    *atomic.Bool            // since the last kill: nothing is stored, as by a dead process
}

func (f *faulty) Commit(b *store.Batch, done func(error)) {
	if f.dead.Load() {
		return // and nobody is told
	}
	if f.lose != nil {
		kept := &store.Batch{Sync: b.Sync}
		for i := range b.Ops {
			if !f.lose(&b.Ops[i]) {
				kept.Add(b.Ops[i])
			}
		}
		b = kept
	}
	f.Store.Commit(b, done)
}

func (f *faulty) Queue(key mqtt.SessionKey, after uint64, g func(store.Entry) bool) ([]uint16, error) {
	if !f.reverse {
		return f.Store.Queue(key, after, f.shifted(g))
	}
	var all []store.Entry
	inbound, err := f.Store.Queue(key, after, func(e store.Entry) bool {
		all = append(all, e)
		return true
	})
	for _, e := range slices.Backward(all) {
		if !g(e) {
			break
		}
	}
	return inbound, err
}

func (f *faulty) Load(g func(*store.Session, store.QueueReader) bool) error {
	return f.Store.Load(func(r *store.Session, q store.QueueReader) bool {
		return g(r, func(h func(store.Entry) bool) ([]uint16, error) { return q(f.shifted(h)) })
	})
}

func (f *faulty) shifted(g func(store.Entry) bool) func(store.Entry) bool {
	return func(e store.Entry) bool {
		e.Number += f.shift
		return g(e)
	}
}

func (f *faulty) Close() error { return nil }

// target is a broker in this process; a kill leaves the store as it is.
type target struct {
	t     *testing.T
	store *faulty
	b     *brokertest.Broker
	vets  bool // a plugin that may wait is asked about each delivery
}

// vetter is that plugin, under the name lua.
type vetter struct{}

func (vetter) Name() string            { return "lua" }
func (vetter) Start(*broker.API) error { return nil }
func (vetter) Configure() error        { return nil }
func (vetter) Close()                  {}

func (v vetter) Plugin() hook.Plugin {
	return hook.Plugin{Name: "lua", Hooks: v, Blocks: func(string) bool { return true }}
}

// OnDeliver lets everything through.
func (vetter) OnDeliver(context.Context, *hook.Deliver) (hook.Verdict, *hook.DeliverResult) {
	return hook.Accept, nil
}

func (x *target) Start() (string, error) {
	x.store = &faulty{Store: x.store.Store, lose: x.store.lose, reverse: x.store.reverse, shift: x.store.shift, dead: new(atomic.Bool)}
	set := []string{"max_offline_messages=-1", "max_online_messages=-1"}
	if x.vets {
		set = append(set, "plugins.lua=on")
	}
	x.b = brokertest.Start(x.t, brokertest.Options{Store: x.store, Set: set, Extensions: []broker.Extension{vetter{}}})
	return x.b.Addr, nil
}

func (x *target) Kill() {
	x.store.dead.Store(true)
	x.b.Stop()
}

func play(t *testing.T, f *faulty, odds int, seed uint64) []string {
	t.Helper()
	return run(t, &target{t: t, store: f}, odds, seed)
}

func run(t *testing.T, x *target, odds int, seed uint64) []string {
	t.Helper()
	x.store.Store = memstore.New()
	check, err := crashtest.Run(x, crashtest.Plan{Rounds: 4, Publishers: 3, Subscribers: 2,
		Min: 100 * time.Millisecond, Max: 150 * time.Millisecond, Drain: 3 * time.Second, Seed: seed, CutOdds: odds})
	if err != nil {
		t.Fatal(err)
	}
	if check.Acks() < 30 {
		t.Fatalf("only %d messages acknowledged", check.Acks())
	}
	return check.Verdict()
}

func TestRun_Healthy(t *testing.T) {
	t.Parallel()
	for _, v := range play(t, &faulty{}, 100, 1) {
		t.Error(v)
	}
}

// TestRun_Vetted: on_deliver between queue and client changes no promise.
func TestRun_Vetted(t *testing.T) {
	t.Parallel()
	for _, v := range run(t, &target{t: t, store: &faulty{}, vets: true}, 100, 1) {
		t.Error(v)
	}
}

// TestRun_PlantedFaults breaks the store on purpose and demands that the judge
// says so.
func TestRun_PlantedFaults(t *testing.T) {
	for name, c := range map[string]struct {
		store *faulty
		want  string
	}{
		"lost queue entries":       {&faulty{lose: func(op *store.Op) bool { return op.Kind == store.Append }}, "lost"},
		"lost inbound identifiers": {&faulty{lose: func(op *store.Op) bool { return op.Kind == store.PutInbound }}, "times"},
		"lost releases":            {&faulty{lose: func(op *store.Op) bool { return op.Kind == store.Release || op.Kind == store.Complete }}, "times"},
		"other identifiers":        {&faulty{shift: 7, lose: func(op *store.Op) bool { return op.Kind == store.Complete }}, "came again under"},
		"queues read backwards":    {&faulty{reverse: true}, "first came after"},
		"lost sessions":            {&faulty{lose: func(op *store.Op) bool { return op.Kind == store.PutSession }}, "session is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var v string
			for seed := range uint64(5) { // what is lost may by chance be of no consequence
				odds := 20
				if c.store.shift > 0 { // only what its publisher has not repeated counts
					odds = 1000
				}
				if v = strings.Join(play(t, c.store, odds, seed), "\n"); strings.Contains(v, c.want) {
					return
				}
			}
			t.Errorf("not noticed; the verdict was %q", v)
		})
	}
}
