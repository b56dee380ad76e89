package registry

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// events gathers what the registry does to others.
type events struct {
	mu    sync.Mutex
	list  []string
	chain *hook.Chain
}

func (e *events) add(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, s)
}

func (e *events) OnClientGone(k mqtt.SessionKey)     { e.add("gone " + k.ClientID) }
func (e *events) OnClientOffline(k mqtt.SessionKey)  { e.add("offline " + k.ClientID) }
func (e *events) OnSessionExpired(k mqtt.SessionKey) { e.add("expired " + k.ClientID) }

// door is an attachment that notes its end.
type door struct {
	e       *events
	evicted mqtt.ReasonCode
}

func (d *door) Deliver(time.Time, mqtt.Queued, *store.Batch) bool { return true }
func (d *door) Idle(func()) bool                                  { return true }
func (d *door) Joined(*Client)                                    {}
func (d *door) HasRoom() bool                                     { return true }
func (d *door) Flush(time.Time) func()                            { return nil }
func (d *door) Evict(_ time.Time, code mqtt.ReasonCode, _ string) { d.evicted = code }

func newTest() (*Registry, *events) {
	e := &events{}
	e.chain = hook.NewChain([]hook.Plugin{{Name: "events", Hooks: e}}, nil)
	r := New(Deps{Store: memstore.New(), Metrics: metric.NewBroker(), Chain: func() *hook.Chain { return e.chain },
		Unsubscribe: func(*Client, mqtt.Subscription) { e.add("unsubscribed") },
		Publish:     func(_ time.Time, _ *hook.Client, w *mqtt.Will) { e.add("will " + w.Message.Topic) },
		Redistribute: func(_ time.Time, _ *Client, _ bool, items []mqtt.Queued, _ *store.Batch) ([]mqtt.Queued, func()) {
			return items, func() {}
		}})
	return r, e
}

func attach(r *Registry, e *events, expiry time.Duration, will *mqtt.Will) (*Client, *door, bool) {
	d := &door{e: e}
	var b store.Batch
	c, present, flush := r.Attach(time.Now(), Connection{Attachment: d, Info: &hook.Client{Key: mqtt.SessionKey{ClientID: "c"}}, Expiry: expiry,
		Will: will, Offline: queue.Limits{Messages: 10}}, &b)
	b.Submit(r.Store, func(error) {})
	flush()
	c.Lock()
	c.Accepted()
	c.Unlock()
	return c, d, present
}

func will(delay time.Duration) *mqtt.Will {
	return &mqtt.Will{Message: &mqtt.Message{Topic: "w"}, Delay: delay}
}

func (e *events) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.list) != len(want) {
		t.Fatalf("got %q, want %q", e.list, want)
	}
	for i := range want {
		if e.list[i] != want[i] {
			t.Fatalf("got %q, want %q", e.list, want)
		}
	}
	e.list = nil
}

func pass(d time.Duration) { <-time.After(d) }

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := newTest()
		defer r.Close()
		c, d, _ := attach(r, e, time.Hour, nil)
		r.Detach(time.Now(), c, d, true)
		e.expect(t, "offline c")
		pass(59 * time.Minute)
		e.expect(t)
		if _, _, present := attach(r, e, time.Hour, nil); !present {
			t.Error("the session was gone before its time")
		}
		pass(2 * time.Hour) // connected sessions do not expire
		e.expect(t)
		r.Disconnect(time.Now(), c.Key(), mqtt.AdministrativeAction, false)
		e.expect(t, "offline c")
		pass(61 * time.Minute)
		e.expect(t, "expired c")
		if r.Len() != 0 {
			t.Error("the session is still there")
		}
		if _, _, present := attach(r, e, 0, nil); present {
			t.Error("an expired session was resumed")
		}
	})
}

func TestWill_Delay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := newTest()
		defer r.Close()
		c, d, _ := attach(r, e, time.Hour, will(10*time.Second))
		r.Detach(time.Now(), c, d, true)
		e.expect(t, "offline c")
		pass(9 * time.Second)
		c, d, _ = attach(r, e, time.Hour, will(10*time.Second)) // [MQTT-3.1.3-9]
		pass(time.Minute)
		e.expect(t)
		r.Detach(time.Now(), c, d, true)
		pass(11 * time.Second)
		e.expect(t, "offline c", "will w")
		c, d, _ = attach(r, e, 0, will(0))
		r.Detach(time.Now(), c, d, false) // a goodbye
		e.expect(t, "gone c")
		c, d, _ = attach(r, e, 5*time.Second, will(time.Hour))
		r.Detach(time.Now(), c, d, true)
		pass(6 * time.Second) // the session ends first
		e.expect(t, "offline c", "expired c", "will w")
	})
}

func TestTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := newTest()
		defer r.Close()
		c, old, _ := attach(r, e, time.Hour, will(0))
		_, _, present := attach(r, e, time.Hour, nil)
		if old.evicted != mqtt.SessionTakenOver || !present {
			t.Errorf("evicted with %v, present %v", old.evicted, present)
		}
		e.expect(t, "offline c", "will w")
		r.Detach(time.Now(), c, old, true) // the old connection reports its end
		e.expect(t)
	})
}

func TestSuspend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := newTest()
		defer r.Close()
		r.Suspend(time.Now().Add(time.Minute))
		r.Restore(time.Now(), &store.Session{Key: mqtt.SessionKey{ClientID: "c"}, Expiry: time.Second, Offline: time.Now().Add(-time.Hour)}, Kept{}, queue.Limits{})
		pass(59 * time.Second)
		e.expect(t)
		pass(2 * time.Second)
		e.expect(t, "expired c")
	})
}

// slow is a store whose synced commits wait for release, with its error.
type slow struct {
	*memstore.Store
	release chan error
}

func (s slow) Commit(b *store.Batch, done func(error)) {
	if !b.Sync {
		s.Store.Commit(b, done)
		return
	}
	own := store.Batch{Ops: slices.Clone(b.Ops), Sync: true}
	go func() {
		if err := <-s.release; err != nil {
			done(err)
			return
		}
		s.Store.Commit(&own, done)
	}()
}

// TestDisconnect_Stored: session disconnect --cleanup answers when the end of
// the session is in stable storage, or with the error that prevented it.
func TestDisconnect_Stored(t *testing.T) {
	for _, failure := range []error{nil, errors.New("store: broken")} {
		synctest.Test(t, func(t *testing.T) {
			r, e := newTest()
			defer r.Close()
			attach(r, e, time.Hour, nil)
			st := slow{r.Store.(*memstore.Store), make(chan error)}
			r.Store = st
			run := Commands(r, "node")[1].Run
			var got error
			answered := false
			go func() {
				_, got = run(t.Context(), &admin.Call{Args: map[string]string{"client-id": "c"}, Options: []admin.Option{{Name: "cleanup"}}})
				answered = true
			}()
			synctest.Wait()
			if answered {
				t.Fatal("answered before the commit")
			}
			st.release <- failure
			synctest.Wait()
			if !answered || got != failure {
				t.Fatalf("answered %v with %v, want %v", answered, got, failure)
			}
			if rec, _ := st.Session(mqtt.SessionKey{ClientID: "c"}); (rec == nil) != (failure == nil) {
				t.Errorf("in the store: %v", rec)
			}
		})
	}
}
