package broker_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// vetter is a plugin compiled in, under the name lua, that is asked about
// deliveries. A message on "wait" is answered when the test says so.
type vetter struct {
	api         *broker.API
	on, blocks  atomic.Bool
	asked       chan string // clients, for messages on "wait"
	answer      chan struct{}
	calls, busy atomic.Int64 // busy: of client "s" at this moment
	overlap     atomic.Bool
}

func (*vetter) Name() string                  { return "lua" }
func (v *vetter) Start(api *broker.API) error { v.api = api; return nil }
func (*vetter) Configure() error              { return nil }
func (*vetter) Close()                        {}

func (v *vetter) Plugin() hook.Plugin {
	on, blocks := v.on.Load(), v.blocks.Load()
	return hook.Plugin{Name: "lua", Hooks: v, Blocks: func(string) bool { return blocks }, Has: func(string) bool { return on }}
}

// OnDeliver lets everything through; "drop" is dropped, "mine/..." written anew.
func (v *vetter) OnDeliver(_ context.Context, d *hook.Deliver) (hook.Verdict, *hook.DeliverResult) {
	v.calls.Add(1)
	if d.Client.Key.ClientID == "s" {
		if v.busy.Add(1) > 1 {
			v.overlap.Store(true)
		}
		defer v.busy.Add(-1)
	}
	switch topic := d.Message.Topic; {
	case topic == "wait":
		v.asked <- d.Client.Key.ClientID
		<-v.answer
	case topic == "bad":
		return hook.Accept, &hook.DeliverResult{Topic: new(string)}
	case topic == "drop":
		return hook.Verdict{Decision: hook.Deny}, nil
	case strings.HasPrefix(topic, "mine/"):
		topic = "for/" + d.Client.Key.ClientID
		return hook.Accept, &hook.DeliverResult{Topic: &topic}
	}
	return hook.Verdict{}, nil
}

func startVetter(t *testing.T, blocks bool, set ...string) (*brokertest.Broker, *vetter) {
	v := &vetter{asked: make(chan string, 10), answer: make(chan struct{})}
	v.on.Store(true)
	v.blocks.Store(blocks)
	b := brokertest.Start(t, brokertest.Options{Set: append([]string{"plugins.lua=on"}, set...), Extensions: []broker.Extension{v}})
	return b, v
}

func durableConnect(id string, v mqtt.Version) packet.Connect {
	return packet.Connect{ClientID: id, Version: v, HasSessionExpiry: v == mqtt.V5, SessionExpiry: 1000}
}

func payloads(t *testing.T, c *brokertest.Client, want ...string) {
	t.Helper()
	for _, w := range want {
		if p := c.Take(); string(p.Payload) != w || p.Dup {
			t.Errorf("got %q, DUP %v, want %q", p.Payload, p.Dup, w)
		}
	}
	c.Quiet()
}

// TestOnDeliver_Takeover: a message that a plugin is asked about when its
// connection loses the client is sent to the next one, once and in order.
func TestOnDeliver_Takeover(t *testing.T) {
	for _, version := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			b, v := startVetter(t, true)
			first, _ := b.Connect(durableConnect("s", version))
			first.Subscribe(2, "#")
			pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
			pub.Publish(packet.Publish{Topic: "wait", Payload: []byte("1"), QoS: 2})
			<-v.asked
			pub.Publish(packet.Publish{Topic: "mine/2", Payload: []byte("2"), QoS: 1})
			pub.Publish(packet.Publish{Topic: "drop", Payload: []byte("3"), QoS: 1})
			next, _ := b.Connect(durableConnect("s", version))
			<-v.asked // the same, for the next connection
			pub.Publish(packet.Publish{Topic: "4", Payload: []byte("4"), QoS: 1})
			v.answer <- struct{}{}
			v.answer <- struct{}{}
			payloads(t, next, "1", "2", "4")
			first.Ended()
			b.Balanced()
		})
	}
}

// TestOnDeliver_Closed: a connection that ends while a plugin is asked leaves
// its message to the session, or to be counted with it.
func TestOnDeliver_Closed(t *testing.T) {
	for _, c := range []packet.Connect{durableConnect("s", 4), durableConnect("s", 5), {ClientID: "s", Version: 4, CleanStart: true}, {ClientID: "s", CleanStart: true}} {
		t.Run(fmt.Sprint(c.Version, c.CleanStart), func(t *testing.T) {
			t.Parallel()
			b, v := startVetter(t, true)
			sub, _ := b.Connect(c)
			sub.Subscribe(1, "#")
			pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
			pub.Publish(packet.Publish{Topic: "wait", Payload: []byte("1"), QoS: 1})
			<-v.asked
			pub.Publish(packet.Publish{Topic: "2", Payload: []byte("2")})
			pub.Publish(packet.Publish{Topic: "3", Payload: []byte("3"), QoS: 1})
			sub.Close()
			for b.Registry.Get(mqtt.SessionKey{ClientID: "s"}) != nil {
				if i, ok := b.Registry.Get(mqtt.SessionKey{ClientID: "s"}).Info(false); ok && !i.Online {
					break
				}
				<-time.After(time.Millisecond)
			}
			b.Balanced()
			close(v.answer)
			b.Balanced()
			sub, _ = b.Connect(c)
			if c.CleanStart {
				sub.Quiet()
			} else {
				payloads(t, sub, "1", "3")
			}
			b.Balanced()
		})
	}
}

// TestOnDeliver_SlowBlocksOneClient: nobody but the receiver waits for a plugin
// that takes its time, and what is for the receiver stays in order.
func TestOnDeliver_SlowBlocksOneClient(t *testing.T) {
	b, v := startVetter(t, true)
	slow, _ := b.Connect(packet.Connect{ClientID: "s", CleanStart: true})
	slow.Subscribe(2, "#")
	other, _ := b.Connect(packet.Connect{ClientID: "other", Version: 4, CleanStart: true})
	other.Subscribe(2, "t")
	pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
	pub.Publish(packet.Publish{Topic: "t", Payload: []byte("first")})
	pub.Publish(packet.Publish{Topic: "wait"})
	if got := <-v.asked; got != "s" {
		t.Fatal(got)
	}
	if string(slow.Take().Payload) != "first" {
		t.Error("what was let through waits for the next answer")
	}
	var want []string
	for i := range 200 {
		want = append(want, strconv.Itoa(i))
		pub.Publish(packet.Publish{Topic: "t", Payload: []byte(want[i]), QoS: mqtt.QoS(i % 3)})
	}
	other.Take()
	payloads(t, other, want...)
	slow.Quiet() // its requests are answered all the same
	v.answer <- struct{}{}
	slow.Take()
	payloads(t, slow, want...)
	if v.overlap.Load() {
		t.Error("the plugin was asked about two messages for one client at once")
	}
	b.Balanced()
}

// TestOnDeliver_Share: copies for a member that waits for a plugin go to others
// when it leaves.
func TestOnDeliver_Share(t *testing.T) {
	b, v := startVetter(t, true)
	one, _ := b.Connect(packet.Connect{ClientID: "s", CleanStart: true})
	one.Subscribe(1, "$share/g/#")
	pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
	pub.Publish(packet.Publish{Topic: "wait", Payload: []byte("1"), QoS: 1})
	<-v.asked
	pub.Publish(packet.Publish{Topic: "mine/2", Payload: []byte("2"), QoS: 1})
	two, _ := b.Connect(packet.Connect{ClientID: "two", CleanStart: true})
	two.Subscribe(1, "$share/g/#")
	one.Close()
	if got := <-v.asked; got != "two" {
		t.Errorf("%s was asked about next", got)
	}
	close(v.answer)
	if got := two.Take(); string(got.Payload) != "1" {
		t.Errorf("got %q", got.Payload)
	}
	if got := two.Take(); got.Topic != "for/two" {
		t.Errorf("got %q", got.Topic)
	}
	two.Quiet()
	b.Balanced()
}

// TestOnDeliver_Switched: a plugin that is switched on and off, and from the
// loop to workers, under traffic loses and doubles nothing, and order is kept.
func TestOnDeliver_Switched(t *testing.T) {
	for _, version := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			b, v := startVetter(t, false, "max_online_messages=-1", "max_inflight_messages=10", "receive_max_client=10")
			const publishers, each = 3, 2000
			sub, _ := b.Connect(packet.Connect{ClientID: "s", Version: version, CleanStart: true})
			sub.Subscribe(2, "#")
			stop := make(chan struct{})
			var all sync.WaitGroup
			all.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					case <-time.After(500 * time.Microsecond):
						v.on.Store(i%3 != 0)
						v.blocks.Store(i%2 == 0)
						v.api.Changed()
					}
				}
			})
			for p := range publishers {
				pub, _ := b.Connect(packet.Connect{ClientID: fmt.Sprint("pub", p), CleanStart: true})
				all.Go(func() {
					for n := range each {
						pub.Publish(packet.Publish{Topic: fmt.Sprint("mine/", p), Payload: fmt.Appendf(nil, "%d %d", p, n), QoS: mqtt.QoS(p % 3)})
					}
				})
			}
			next := [publishers]int{}
			for range publishers * each {
				var p, n int
				m := sub.Take()
				if _, err := fmt.Sscan(string(m.Payload), &p, &n); err != nil {
					t.Fatal(err)
				}
				if n != next[p] {
					t.Fatalf("publisher %d: got %d, want %d", p, n, next[p])
				}
				next[p]++
			}
			close(stop)
			all.Wait()
			sub.Quiet()
			b.Balanced()
			if n := v.calls.Load(); n == 0 || n > publishers*each+1000 || v.overlap.Load() {
				t.Errorf("asked %d times, overlapping %v", n, v.overlap.Load())
			}
		})
	}
}

// TestOnDeliver_Backlog: what waits in the store is vetted page by page when
// the client returns.
func TestOnDeliver_Backlog(t *testing.T) {
	for _, blocks := range []bool{false, true} {
		t.Run(fmt.Sprint(blocks), func(t *testing.T) {
			t.Parallel()
			b, _ := startVetter(t, blocks, "max_offline_messages=-1", "max_online_messages=-1")
			con := durableConnect("s", mqtt.V5)
			con.ReceiveMaximum = 10
			sub, _ := b.Connect(con)
			sub.Subscribe(2, "#")
			sub.Send(&packet.Disconnect{})
			sub.Ended()
			pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
			var want []string
			for i := range 400 {
				topic := []string{"t", "drop", "mine/t"}[i%3]
				if topic != "drop" {
					want = append(want, strconv.Itoa(i))
				}
				pub.Publish(packet.Publish{Topic: topic, Payload: []byte(strconv.Itoa(i)), QoS: mqtt.QoS(1 + i%2)})
			}
			b.Registry.SpillAll()
			sub, _ = b.Connect(con)
			payloads(t, sub, want...)
			b.Balanced()
		})
	}
}

// TestOnDeliver_Invalid: a topic name that may not be sent is not.
func TestOnDeliver_Invalid(t *testing.T) {
	b, _ := startVetter(t, false)
	sub, _ := b.Connect(packet.Connect{ClientID: "s", CleanStart: true})
	sub.Subscribe(1, "#")
	sub.Publish(packet.Publish{Topic: "bad", QoS: 1})
	sub.Publish(packet.Publish{Topic: "t", QoS: 1, Payload: []byte("good")})
	payloads(t, sub, "good")
	if b.Metrics.HookErrors.Count() != 1 || b.Metrics.Dropped(int(mqtt.DropHook)).Count() != 1 {
		t.Error("not counted")
	}
	b.Balanced()
}

// TestOnDeliver_Burst: more messages of QoS 0 than max_online_messages in one
// piece, whoever is asked.
func TestOnDeliver_Burst(t *testing.T) {
	for _, blocks := range []bool{false, true} {
		t.Run(fmt.Sprint(blocks), func(t *testing.T) {
			t.Parallel()
			b, _ := startVetter(t, blocks, "max_online_messages=10")
			sub, _ := b.Connect(packet.Connect{ClientID: "s", CleanStart: true})
			sub.Subscribe(0, "#")
			pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
			var ps []packet.Packet
			var want []string
			for i := range 1000 {
				want = append(want, strconv.Itoa(i))
				ps = append(ps, &packet.Publish{Topic: "t", Payload: []byte(want[i])})
			}
			pub.Send(ps...)
			payloads(t, sub, want...)
			b.Balanced()
		})
	}
}
