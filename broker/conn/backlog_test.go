package conn_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
)

// lateStore is a store that can be told to end a commit late.
type lateStore struct {
	*memstore.Store
	hold bool
	held []func()
	// panics makes the reading of queues panic.
	panics atomic.Bool
}

func (s *lateStore) Queue(key mqtt.SessionKey, after uint64, f func(store.Entry) bool) ([]uint16, error) {
	if s.panics.Load() {
		panic("on purpose")
	}
	return s.Store.Queue(key, after, f)
}

func (s *lateStore) Commit(b *store.Batch, done func(error)) {
	if !s.hold {
		s.Store.Commit(b, done)
		return
	}
	c := *b
	c.Ops = append([]store.Op(nil), b.Ops...)
	s.held = append(s.held, func() { s.Store.Commit(&c, done) })
}

// TestBacklog_NotAccepted: while the record of a session is on its way to the
// store its client is not served yet, and nothing is read for it.
func TestBacklog_NotAccepted(t *testing.T) {
	st := &lateStore{Store: memstore.New()}
	b := brokertest.Start(t, brokertest.Options{Store: st, Set: []string{"max_offline_messages=-1", "max_online_messages=-1"}})
	con := packet.Connect{Version: mqtt.V5, ClientID: "s", HasSessionExpiry: true, SessionExpiry: 1000, KeepAlive: 60}
	sub, _ := b.Connect(con)
	sub.Subscribe(mqtt.AtLeastOnce, "t")
	sub.Send(&packet.Disconnect{})
	sub.Ended()
	for range 10 {
		b.Inject(&mqtt.Message{Topic: "t", QoS: mqtt.AtLeastOnce})
	}
	b.Registry.SpillAll()

	s := &socket{t: t, room: 1 << 20, name: "s"}
	c := conn.New(b.Server, &conn.Door{Info: hook.ListenerInfo{Name: "tcp.default"}, Versions: []int{5}, Chain: b.Server.Chain}, s, &hook.Client{}, time.Now())
	s.h = c
	t.Cleanup(func() { c.Closed(time.Now(), nil) })
	con.SessionExpiry = 2000 // so that the record is stored anew
	st.hold = true
	s.feed(con.Append(nil, mqtt.V5))
	st.hold = false
	if len(st.held) == 0 || s.out.Len() > 0 {
		t.Fatalf("%d commits are late, %d bytes are sent", len(st.held), s.out.Len())
	}
	if c.Loading() {
		t.Error("the backlog is read for a client that is not accepted")
	}
	for _, commit := range st.held {
		commit()
	}
	got := 0
	brokertest.Eventually(t, func() bool {
		got += len(s.publishes())
		return got == 10
	})
}

// TestBacklog_Panics: a panic while a backlog is read ends that connection, not
// the broker.
func TestBacklog_Panics(t *testing.T) {
	st := &lateStore{Store: memstore.New()}
	b := brokertest.Start(t, brokertest.Options{Store: st, Set: []string{"max_offline_messages=-1", "max_online_messages=-1"}})
	con := packet.Connect{ClientID: "s", HasSessionExpiry: true, SessionExpiry: 1000}
	sub, _ := b.Connect(con)
	sub.Subscribe(mqtt.AtLeastOnce, "t")
	sub.Send(&packet.Disconnect{})
	sub.Ended()
	b.Inject(&mqtt.Message{Topic: "t", QoS: mqtt.AtLeastOnce, Payload: []byte("kept")})
	b.Registry.SpillAll()
	st.panics.Store(true)
	sub, _ = b.Connect(con)
	sub.Ended()
	st.panics.Store(false)
	sub, _ = b.Connect(con)
	if p := sub.Take(); string(p.Payload) != "kept" {
		t.Errorf("got %+v", p)
	}
}
