package broker_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
)

var errUnwritten = errors.New("it cannot be written")

// held is a store whose commits end when the test says so, once it holds.
type held struct {
	store.Store
	mu    sync.Mutex
	more  sync.Cond
	holds bool
	list  []*heldCommit
}

type heldCommit struct {
	s     *held
	batch store.Batch
	done  func(error)
}

func newHeld() *held {
	h := &held{Store: memstore.New()}
	h.more.L = &h.mu
	return h
}

func (h *held) Commit(b *store.Batch, done func(error)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.holds {
		h.mu.Unlock()
		h.Store.Commit(b, done)
		h.mu.Lock()
		return
	}
	h.list = append(h.list, &heldCommit{h, store.Batch{Ops: slices.Clone(b.Ops), Sync: b.Sync}, done})
	h.more.Broadcast()
}

func (h *held) hold(holds bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holds = holds
}

// take waits for n commits.
func (h *held) take(n int) []*heldCommit {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.list) < n {
		h.more.Wait()
	}
	list := h.list
	h.list = nil
	return list
}

func (c *heldCommit) end(fails bool) {
	if fails {
		c.done(errUnwritten)
		return
	}
	c.s.Store.Commit(&c.batch, c.done)
}

// subscribed is what a session is subscribed to, as "filter:QoS", which memory,
// routing table and store must agree about.
func subscribed(t *testing.T, b *brokertest.Broker, s store.Store, name string) string {
	t.Helper()
	key := mqtt.SessionKey{ClientID: name}
	text := func(list []mqtt.Subscription) string {
		var all []string
		for _, x := range list {
			all = append(all, fmt.Sprintf("%s:%d", x.Filter, x.QoS))
		}
		slices.Sort(all)
		return fmt.Sprint(all)
	}
	c := b.Registry.Get(key)
	c.Lock()
	var list []mqtt.Subscription
	for _, x := range c.Session().Subscriptions() {
		list = append(list, x)
	}
	c.Unlock()
	rec, err := s.Session(key)
	if err != nil || rec == nil || text(rec.Subscriptions) != text(list) {
		t.Errorf("the store has %+v, %v; the session %v", rec, err, list)
	}
	if n := b.Router.Subscriptions(); n != len(list) {
		t.Errorf("%d subscriptions in the routing table, %d of the session", n, len(list))
	}
	return text(list)
}

// TestSubscribe_NotStored: what cannot be stored is refused and taken back,
// whether it makes, changes or removes a subscription.
func TestSubscribe_NotStored(t *testing.T) {
	s := &failing{Store: memstore.New()}
	b := brokertest.Start(t, brokertest.Options{Store: s})
	c, _ := b.Connect(durable("c"))
	c.Subscribe(mqtt.AtLeastOnce, "a", "b")
	s.err.Store(&errUnwritten)
	for _, code := range c.Subscribe(mqtt.ExactlyOnce, "a", "new", "new") {
		if !code.IsError() {
			t.Errorf("SUBACK %v", code)
		}
	}
	c.Send(&packet.Unsubscribe{PacketID: 9, Filters: []string{"a", "b", "new"}})
	for _, code := range brokertest.Next[*packet.Unsuback](c).Codes {
		if !code.IsError() {
			t.Errorf("UNSUBACK %v", code)
		}
	}
	s.err.Store(nil)
	if got := subscribed(t, b, s, "c"); got != "[a:1 b:1]" {
		t.Errorf("subscriptions are %s", got)
	}
}

// TestSubscribe_FailureInOrder: commits of one filter fail or not, told in this
// order or the other; the session has what the last that succeeded made.
func TestSubscribe_FailureInOrder(t *testing.T) {
	for _, c := range []struct {
		fails   [3]bool
		reverse bool // the last is refused at once, before the others end
		want    string
	}{
		{[3]bool{true, false, false}, false, "[f:2]"}, {[3]bool{true, true, false}, false, "[f:2]"}, {[3]bool{true, true, true}, false, "[]"},
		{[3]bool{false, true, true}, false, "[f:0]"}, {[3]bool{true, false, true}, false, "[f:1]"}, {[3]bool{false, false, true}, true, "[f:1]"},
		{[3]bool{true, true, true}, true, "[]"}, {[3]bool{true, false, true}, true, "[f:1]"},
	} {
		s := newHeld()
		b := brokertest.Start(t, brokertest.Options{Store: s})
		cl, _ := b.Connect(durable("c"))
		s.hold(true)
		var list []*heldCommit
		for q := range 3 {
			cl.Send(&packet.Subscribe{PacketID: uint16(q + 1), Topics: []packet.TopicFilter{{Filter: "f", QoS: mqtt.QoS(q)}}})
			list = append(list, s.take(1)...)
		}
		s.hold(false)
		if c.reverse {
			list[2].end(c.fails[2])
			list = list[:2]
		}
		for i, x := range list {
			x.end(c.fails[i])
		}
		for i := range 3 {
			if got := brokertest.Next[*packet.Suback](cl).Codes[0]; got.IsError() != c.fails[i] {
				t.Errorf("%+v: SUBACK %d is %v", c, i, got)
			}
		}
		if got := subscribed(t, b, s, "c"); got != c.want {
			t.Errorf("%+v: subscriptions are %s", c, got)
		}
		cl.Close()
	}
}

// TestReceive_Bounded: packets that are sent at once do not make a batch, or
// several that wait for the store, beyond a megabyte; none is lost by that.
func TestReceive_Bounded(t *testing.T) {
	const packets, size = 400, 10_000
	s := newHeld()
	b := brokertest.Start(t, brokertest.Options{Store: s})
	cl, _ := b.Connect(packet.Connect{Version: mqtt.V311, ClientID: "c", CleanStart: true})
	s.hold(true)
	var raw []byte
	for i := range packets {
		raw = (&packet.Publish{QoS: 1, PacketID: uint16(i + 1), Topic: fmt.Sprint("t/", i), Retain: true, Payload: make([]byte, size)}).Append(raw, mqtt.V311)
	}
	go cl.Raw(raw)
	acked, most := 0, 0
	for acked < packets {
		n := 0
		list := s.take(1)
		if acked == 0 { // all that is read without an answer
			cl.Silent(100 * time.Millisecond)
			list = append(list, s.take(0)...)
		}
		for _, x := range list {
			n += len(x.batch.Ops)
			x.end(false)
		}
		most = max(most, n)
		for range n {
			brokertest.Next[*packet.Puback](cl)
		}
		acked += n
	}
	if most*size > 1<<20+2*size || most < 1<<20/size/2 {
		t.Errorf("%d packets of %d bytes waited for the store at once", most, size)
	}
	s.hold(false)
}

// TestSubscribe_Cost: what a SUBSCRIBE, an UNSUBSCRIBE and a return of the
// client store does not depend on how many subscriptions there are.
func TestSubscribe_Cost(t *testing.T) {
	s := newHeld()
	b := brokertest.Start(t, brokertest.Options{Store: s})
	cl, _ := b.Connect(durable("c"))
	var filters []string
	for i := range 3000 {
		filters = append(filters, fmt.Sprint("a/", i))
	}
	cl.Subscribe(mqtt.AtLeastOnce, filters...)
	s.hold(true)
	cost := func(n int, p packet.Packet) {
		t.Helper()
		cl.Send(p)
		x := s.take(1)[0]
		if len(x.batch.Ops) != n || !x.batch.Sync {
			t.Errorf("%s stores %d changes, want %d, synced: %v", p.Type(), len(x.batch.Ops), n, x.batch.Sync)
		}
		for _, op := range x.batch.Ops {
			if op.Session != nil {
				t.Errorf("%s stores the session", p.Type())
			}
		}
		cl.Silent(0)
		x.end(false)
	}
	cost(2, &packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: "b"}, {Filter: "a/1", QoS: mqtt.ExactlyOnce}}})
	brokertest.Next[*packet.Suback](cl)
	cost(1, &packet.Unsubscribe{PacketID: 2, Filters: []string{"a/2", "unknown"}})
	brokertest.Next[*packet.Unsuback](cl)
	s.hold(false)
	if n := len(subscribed(t, b, s, "c")); n < 3000 {
		t.Errorf("%d bytes of subscriptions", n)
	}
}
