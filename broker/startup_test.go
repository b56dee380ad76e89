package broker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
)

// slowStore is a store whose Load waits before each session until the test
// lets it go on.
type slowStore struct {
	store.Store
	pass    chan struct{} // one session each; closed = all
	waits   chan struct{} // Load is before a session
	damaged atomic.Bool   // the rest of Load
	harmed  atomic.Bool   // Session
	singles atomic.Int32  // calls of Session
}

var errHarm = errors.New("a record is damaged")

// Load implements store.Loader.
func (s *slowStore) Load(f func(*store.Session, store.QueueReader) bool) error {
	var bad error
	err := s.Store.Load(func(r *store.Session, q store.QueueReader) bool {
		select {
		case s.waits <- struct{}{}:
		default:
		}
		<-s.pass
		if s.damaged.Load() {
			bad = errHarm
			return false
		}
		return f(r, q)
	})
	return errors.Join(err, bad)
}

// Session implements store.Loader.
func (s *slowStore) Session(key mqtt.SessionKey) (*store.Session, error) {
	s.singles.Add(1)
	if s.harmed.Load() {
		return nil, errHarm
	}
	return s.Store.Session(key)
}

// starting is a broker at its start. Owned by its test.
type starting struct {
	*brokertest.Broker
	t      *testing.T
	store  *slowStore
	loaded chan error
}

// start starts a broker over a store with the sessions of these names, each
// with a subscription to a/#, and waits until it reads the store.
func start(t *testing.T, share string, names ...string) *starting {
	t.Helper()
	s := &slowStore{Store: memstore.New(), pass: make(chan struct{}), waits: make(chan struct{}, 1)}
	var b store.Batch
	for _, n := range names {
		k := mqtt.SessionKey{ClientID: n}
		b.AddSession(&store.Session{Key: k, Expiry: time.Hour, Offline: time.Now(),
			Subscriptions: []mqtt.Subscription{{Filter: "a/#", ShareName: share, QoS: mqtt.AtLeastOnce}}})
	}
	s.Commit(&b, func(error) {})
	x := &starting{t: t, store: s, loaded: make(chan error, 1)}
	x.Broker = brokertest.Start(t, brokertest.Options{Store: s, Loading: true})
	go func() { x.loaded <- x.Load(context.Background()) }()
	<-s.waits
	return x
}

// keep puts a message into a stored queue.
func (x *starting) keep(name, text string, share *mqtt.Share) {
	k := mqtt.SessionKey{ClientID: name}
	m := &mqtt.Message{Topic: "a/kept", Payload: []byte(text), QoS: mqtt.AtLeastOnce}
	x.store.Commit(&store.Batch{Ops: []store.Op{{Kind: store.Append, Key: k, Entry: store.Entry{
		Queued: mqtt.Queued{Number: 1, Message: m, Delivery: mqtt.Delivery{QoS: mqtt.AtLeastOnce, Share: share}}}}}}, func(error) {})
}

// finish lets the store be read to its end.
func (x *starting) finish() {
	x.t.Helper()
	close(x.store.pass)
	if err := <-x.loaded; err != nil {
		x.t.Fatal(err)
	}
	x.SetReady()
}

func durable(name string) packet.Connect {
	return packet.Connect{ClientID: name, SessionExpiry: 3600, HasSessionExpiry: true}
}

// present connects a client and demands its session.
func (x *starting) present(c packet.Connect, want bool) *brokertest.Client {
	x.t.Helper()
	cl, ack := x.Connect(c)
	if ack.Code != mqtt.Success || ack.SessionPresent != want {
		x.t.Fatalf("%s: code %v, session present %v, want %v", c.ClientID, ack.Code, ack.SessionPresent, want)
	}
	return cl
}

// takes demands these payloads in order, and nothing more.
func (x *starting) takes(c *brokertest.Client, want ...string) {
	x.t.Helper()
	for _, w := range want {
		if p := c.Take(); string(p.Payload) != w {
			x.t.Errorf("got %q, want %q", p.Payload, w)
		}
	}
	c.Quiet()
}

func publish1(id uint16, text string) *packet.Publish {
	return &packet.Publish{QoS: mqtt.AtLeastOnce, PacketID: id, Topic: "a/b", Payload: []byte(text)}
}

// TestStart_Gate: while the store is being read, CONNECT is answered with the
// client's own session, PUBLISH and SUBSCRIBE are not; then nothing is lost.
func TestStart_Gate(t *testing.T) {
	x := start(t, "", "early", "late", "later")
	x.keep("early", "kept", nil)
	if len(x.Ready()) == 0 {
		t.Error("ready before the store is read")
	}
	early := x.present(durable("early"), true)
	if p := early.Take(); string(p.Payload) != "kept" {
		t.Errorf("got %q", p.Payload)
	}
	will := durable("will")
	will.CleanStart = true
	will.Will = &packet.Will{Topic: "a/will", Payload: []byte("will"), QoS: mqtt.AtLeastOnce}
	gone := x.present(will, false)
	gone.Close() // so that its will is due
	pub := x.present(packet.Connect{ClientID: "pub", CleanStart: true}, false)
	pub.Send(&packet.Pingreq{}, publish1(1, "one"), publish1(2, "two"))
	brokertest.Next[*packet.Pingresp](pub)
	sub := x.present(packet.Connect{ClientID: "sub", CleanStart: true}, false)
	sub.Send(&packet.Subscribe{PacketID: 9, Topics: []packet.TopicFilter{{Filter: "b"}}})
	if n := x.Inject(&mqtt.Message{Topic: "a/own", Payload: []byte("own"), QoS: mqtt.AtLeastOnce}); n != 0 {
		t.Errorf("%d copies of a message of the broker's own", n)
	}
	pub.Silent(50 * time.Millisecond)
	sub.Silent(50 * time.Millisecond)
	early.Quiet()
	x.finish()
	brokertest.Next[*packet.Puback](pub)
	brokertest.Next[*packet.Puback](pub)
	brokertest.Next[*packet.Suback](sub)
	got := map[string]int{}
	for _, name := range []string{"late", "later"} {
		c := x.present(durable(name), true)
		for range 4 {
			got[string(c.Take().Payload)]++
		}
		c.Quiet()
	}
	for range 4 {
		got[string(early.Take().Payload)]++
	}
	early.Quiet()
	if fmt.Sprint(got) != "map[one:3 own:3 two:3 will:3]" {
		t.Errorf("got %v", got)
	}
	if why := x.Ready(); len(why) != 0 {
		t.Errorf("not ready: %v", why)
	}
	x.Balanced()
}

// TestStart_GateLeftOpen shows that such a test notices a gate that is left
// open: the message is acknowledged and lost for whoever is not yet restored.
func TestStart_GateLeftOpen(t *testing.T) {
	x := start(t, "", "late")
	x.Server.Gate.Open()
	pub := x.present(packet.Connect{ClientID: "pub", CleanStart: true}, false)
	if code := pub.Publish(*publish1(1, "one")); code != mqtt.NoMatchingSubscribers {
		t.Fatalf("code %v", code)
	}
	x.finish()
	x.present(durable("late"), true).Quiet()
}

// TestStart_Once: a session is restored once, also when two connections ask
// for it, and when one of them ends it.
func TestStart_Once(t *testing.T) {
	x := start(t, "", "a", "b", "c")
	x.keep("a", "kept", nil)
	first := x.present(durable("a"), true)
	brokertest.Next[*packet.Publish](first)
	second := x.present(durable("a"), true)
	if d := first.Ended(); d == nil || d.Code != mqtt.SessionTakenOver {
		t.Errorf("got %v", d)
	}
	if p := brokertest.Next[*packet.Publish](second); !p.Dup || string(p.Payload) != "kept" {
		t.Errorf("got %+v", p)
	}
	clean := durable("b")
	clean.CleanStart = true
	x.present(clean, false)
	x.present(durable("b"), true)
	if n := x.store.singles.Load(); n != 2 {
		t.Errorf("%d sessions read out of turn, want 2", n)
	}
	x.finish()
	if n, subs := x.Registry.Len(), x.Router.Subscriptions(); n != 3 || subs != 2 {
		t.Errorf("%d clients with %d subscriptions, want 3 with 2", n, subs)
	}
	x.present(durable("c"), true)
}

// TestStart_Share: a session that a connection ends leaves the messages of its
// share group to members that are restored later.
func TestStart_Share(t *testing.T) {
	x := start(t, "g", "a", "b")
	x.keep("a", "kept", &mqtt.Share{Name: "g", Filter: "a/#"})
	c := brokertest.NewClient(t, x.Dial(), mqtt.V5)
	c.Send(&packet.Connect{Version: mqtt.V5, ClientID: "a", CleanStart: true})
	c.Silent(50 * time.Millisecond)
	x.finish()
	if ack := brokertest.Next[*packet.Connack](c); ack.SessionPresent {
		t.Error("session present after clean start")
	}
	x.takes(x.present(durable("b"), true), "kept")
	x.Balanced()
}

// TestStart_Damaged: a start that cannot be ended says why, and nobody is
// served.
func TestStart_Damaged(t *testing.T) {
	x := start(t, "", "a", "b")
	early := x.present(durable("a"), true)
	early.Send(publish1(1, "one"))
	x.store.damaged.Store(true)
	close(x.store.pass)
	if err := <-x.loaded; !errors.Is(err, errHarm) || !strings.Contains(err.Error(), "reading the store") {
		t.Errorf("got %v", err)
	}
	if _, ack := x.Connect(durable("b")); ack.Code != mqtt.ServerUnavailable {
		t.Errorf("code %v", ack.Code)
	}
	if len(x.Ready()) == 0 {
		t.Error("ready with half a store")
	}
	x.Stop()
	if d := early.Ended(); d == nil || d.Code != mqtt.ServerShuttingDown {
		t.Errorf("got %v", d)
	}
}

// TestStart_DamagedSession: a damaged record that is met out of turn ends the
// start as well.
func TestStart_DamagedSession(t *testing.T) {
	x := start(t, "", "a", "b")
	x.store.harmed.Store(true)
	if _, ack := x.Connect(durable("a")); ack.Code != mqtt.ServerUnavailable {
		t.Errorf("code %v", ack.Code)
	}
	close(x.store.pass)
	if err := <-x.loaded; !errors.Is(err, errHarm) {
		t.Errorf("got %v", err)
	}
}

// TestStart_Stopped: a start ends with its context.
func TestStart_Stopped(t *testing.T) {
	s := &slowStore{Store: memstore.New(), pass: make(chan struct{}), waits: make(chan struct{}, 1)}
	k := mqtt.SessionKey{ClientID: "a"}
	s.Commit(&store.Batch{Ops: []store.Op{{Kind: store.PutSession, Key: k, Session: &store.Session{Key: k, Expiry: time.Hour}}}}, func(error) {})
	b := brokertest.Start(t, brokertest.Options{Store: s, Loading: true})
	ctx, cancel := context.WithCancel(context.Background())
	loaded := make(chan error, 1)
	go func() { loaded <- b.Load(ctx) }()
	<-s.waits
	cancel()
	if _, ack := b.Connect(durable("a")); ack.Code != mqtt.ServerUnavailable && !ack.SessionPresent {
		t.Errorf("code %v", ack.Code)
	}
	close(s.pass)
	if err := <-loaded; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestStart_Timers: what has become due while the store was read is done once
// all is there.
func TestStart_Timers(t *testing.T) {
	s := &slowStore{Store: memstore.New(), pass: make(chan struct{}), waits: make(chan struct{}, 1)}
	close(s.pass)
	a, b := mqtt.SessionKey{ClientID: "a"}, mqtt.SessionKey{ClientID: "b"}
	past := time.Now().Add(-time.Minute)
	m := &mqtt.Message{Topic: "a/will", Payload: []byte("will"), QoS: mqtt.AtLeastOnce}
	var batch store.Batch
	batch.AddSession(&store.Session{Key: a, Expiry: time.Second, Offline: past, Will: &mqtt.Will{Message: m}, WillDue: past})
	batch.AddSession(&store.Session{Key: b, Expiry: time.Hour, Subscriptions: []mqtt.Subscription{{Filter: "a/#", QoS: mqtt.AtLeastOnce}}})
	s.Commit(&batch, func(error) {})
	x := brokertest.Start(t, brokertest.Options{Store: s})
	c, _ := x.Connect(durable("b"))
	if p := c.Take(); string(p.Payload) != "will" {
		t.Errorf("got %q", p.Payload)
	}
	x.Balanced()
	if x.Registry.Get(a) != nil {
		t.Error("the expired session is there")
	}
}
