package broker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/store"
)

// startup is the time in which clients may connect already while durable
// sessions are still being read. Each session is restored once: in its turn,
// or when its client connects before that. What needs all of them waits behind
// the gate. Safe for concurrent use.
type startup struct {
	b        *Broker
	gate     conn.Gate
	restored atomic.Int64 // sessions
	failed   atomic.Pointer[error]

	mu      sync.Mutex // a leaf
	changed sync.Cond  // one of the following
	over    bool       // the gate is open, or never will be
	reading int        // calls of fetch that read the store
	asked   map[mqtt.SessionKey]*fetched
	passing map[mqtt.SessionKey]struct{} // read in their turn, not yet restored
}

// fetched is a session that a client has asked for. Guarded by startup.mu.
type fetched struct{ done bool }

func newStartup(b *Broker) *startup {
	s := &startup{b: b, asked: map[mqtt.SessionKey]*fetched{}, passing: map[mqtt.SessionKey]struct{}{}}
	s.changed.L = &s.mu
	return s
}

// Load reads durable sessions and retained messages back, and then lets go on
// what had to wait for them. It returns the error that prevented it, or that
// of ctx: then the broker must be stopped. Called once, after Open.
func (b *Broker) Load(ctx context.Context) error {
	s := b.start
	stop := context.AfterFunc(ctx, func() { s.fail(context.Cause(ctx)) })
	defer stop()
	began := time.Now()
	shown := make(chan struct{})
	go s.show(shown)
	err := s.load()
	close(shown)
	if err == nil {
		err = s.end()
	}
	if err == nil {
		err = context.Cause(ctx) // AfterFunc may not have come round to it
	}
	if err != nil {
		s.fail(err)
		return fmt.Errorf("broker: reading the store: %w", err)
	}
	s.gate.Open()
	b.Registry.Release()
	b.Log.Info("durable sessions are restored", "sessions", s.restored.Load(), "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// show reports the progress of a long start.
func (s *startup) show(end <-chan struct{}) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for total := -1; ; {
		select {
		case <-end:
			return
		case <-t.C:
		}
		select {
		case <-end: // at the same moment
			return
		default:
		}
		if total < 0 {
			total, _ = s.b.Store.Count() // what is wrong with it, load meets as well
		}
		s.b.Log.Info("durable sessions are being restored", "restored", s.restored.Load(), "of", total)
	}
}

// cause is the error that ends the start, nil if none.
func (s *startup) cause() error {
	if e := s.failed.Load(); e != nil {
		return *e
	}
	return nil
}

// fail ends the start for those who wait: the gate will not open. Nothing
// happens after its end.
func (s *startup) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.failed.CompareAndSwap(nil, &err)
		s.over = true
		s.changed.Broadcast()
	}
}

// end waits for the sessions that clients have asked for. From then on fetch
// has nothing to do.
func (s *startup) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.reading > 0 && !s.over {
		s.changed.Wait()
	}
	s.over, s.asked, s.passing = true, nil, nil
	s.changed.Broadcast()
	return s.cause()
}

// page is how many sessions are handed from the reader of the store to those
// who restore them.
const page = 256

// stored is a session as it was read.
type stored struct {
	rec    *store.Session
	kept   registry.Kept
	client *registry.Client // once it is in the registry
}

// load restores everything that nobody asks for.
func (s *startup) load() error {
	now, limits := time.Now(), s.b.settings.Load().Session.OfflineLimits()
	pages, placed := make(chan []stored, 2), make(chan []stored, 2)
	var workers sync.WaitGroup
	workers.Go(func() { // one for each lock that would be waited for
		defer close(placed)
		for list := range pages {
			for i := range list {
				list[i].client = s.b.Registry.Restore(now, list[i].rec, list[i].kept, limits)
			}
			placed <- list
		}
	})
	workers.Go(func() {
		for list := range placed {
			for i := range list {
				s.subscribe(&list[i])
			}
			s.passed(list)
		}
	})
	var inner error
	var list []stored
	err := s.b.Store.Load(func(rec *store.Session, queue store.QueueReader) bool {
		if inner = s.cause(); inner != nil || !s.pass(rec.Key) {
			return inner == nil
		}
		x := stored{rec: rec}
		if x.kept, inner = registry.Read(rec, queue); inner != nil {
			return false
		}
		if list = append(list, x); len(list) == page {
			pages <- list
			list = make([]stored, 0, page)
		}
		return true
	})
	pages <- list
	close(pages)
	workers.Wait()
	if err == nil {
		err = inner
	}
	if err == nil {
		err = s.b.Store.Retained(func(m *mqtt.Message) bool {
			s.b.Router.Retained().Put(m)
			inner = s.cause()
			return inner == nil
		})
	}
	if err == nil {
		err = inner
	}
	return err
}

// restore gives a session its place in registry and routing table.
func (s *startup) restore(now time.Time, x stored, limits queue.Limits) {
	x.client = s.b.Registry.Restore(now, x.rec, x.kept, limits)
	s.subscribe(&x)
}

// subscribe gives a session that is in the registry its place in the routing
// table.
func (s *startup) subscribe(x *stored) {
	for _, sub := range x.rec.Subscriptions {
		s.b.Router.Subscribe(x.rec.Key.Mountpoint, sub, x.client)
	}
	s.restored.Add(1)
}

// pass says that a session is about to be read in its turn; false = its client
// was here before.
func (s *startup) pass(key mqtt.SessionKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked[key] != nil {
		return false
	}
	s.passing[key] = struct{}{}
	return true
}

// passed says that sessions have their places.
func (s *startup) passed(list []stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		delete(s.passing, list[i].rec.Key)
	}
	s.changed.Broadcast()
}

// fetch returns when a client's session is in the registry, if it has one. A
// session that the connection may end must first be able to leave messages of
// share groups to the other members, so that all must be there.
func (s *startup) fetch(key mqtt.SessionKey, ends bool) error {
	if err := s.obtain(key); err != nil {
		return err
	}
	if !ends || !s.inGroup(key) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.over {
		s.changed.Wait()
	}
	return s.cause()
}

// obtain reads the session unless it has been read, or is being read. What a
// client has asked for once is never read again: its session may have ended
// since, and the store not know it yet.
func (s *startup) obtain(key mqtt.SessionKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return s.cause()
	}
	x := s.asked[key]
	first := x == nil
	if first {
		x = &fetched{}
		s.asked[key] = x
	}
	waits := func() bool {
		if !first {
			return !x.done
		}
		_, passing := s.passing[key]
		return passing
	}
	for !s.over && waits() {
		s.changed.Wait()
	}
	if s.over || !first {
		return s.cause()
	}
	s.reading++
	s.mu.Unlock()
	err := s.read(key)
	if err != nil {
		s.fail(err)
	}
	s.mu.Lock()
	x.done = true
	s.reading--
	s.changed.Broadcast()
	return err
}

// read restores one session out of its turn.
func (s *startup) read(key mqtt.SessionKey) error {
	if s.b.Registry.Get(key) != nil {
		return nil
	}
	rec, err := s.b.Store.Session(key)
	if err != nil || rec == nil {
		return err
	}
	kept, err := registry.Read(rec, func(f func(store.Entry) bool) ([]uint16, error) { return s.b.Store.Queue(key, 0, f) })
	if err != nil {
		return err
	}
	s.restore(time.Now(), stored{rec: rec, kept: kept}, s.b.settings.Load().Session.OfflineLimits())
	return nil
}

// inGroup reports whether a session has a shared subscription.
func (s *startup) inGroup(key mqtt.SessionKey) bool {
	c := s.b.Registry.Get(key)
	if c == nil {
		return false
	}
	c.Lock()
	defer c.Unlock()
	if st := c.Session(); st != nil {
		for _, sub := range st.Subscriptions() {
			if sub.ShareName != "" {
				return true
			}
		}
	}
	return false
}

// afterStart makes commands that change sessions or retained messages wait
// until all are there.
func (s *startup) afterStart(list []admin.Command) []admin.Command {
	for i := range list {
		if run := list[i].Run; list[i].Changes {
			list[i].Run = func(ctx context.Context, c *admin.Call) (admin.Result, error) {
				if err := s.wait(ctx); err != nil {
					return nil, err
				}
				return run(ctx, c)
			}
		}
	}
	return list
}

// wait returns once the start is over.
func (s *startup) wait(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.over && ctx.Err() == nil {
		s.changed.Wait()
	}
	if err := s.cause(); err != nil {
		return err
	}
	return ctx.Err()
}
