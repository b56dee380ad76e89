package broker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// slow is a plugin compiled in, under a name of its own: its answer to the topic
// "wait" comes when the test says so.
type slow struct {
	api    *broker.API
	asked  chan struct{}
	answer chan struct{}
	refuse chan string // filters refused from now on
	denied map[string]bool
}

func (*slow) Name() string                  { return "slow" }
func (s *slow) Start(api *broker.API) error { s.api = api; return nil }
func (*slow) Configure() error              { return nil }
func (*slow) Close()                        {}

func (s *slow) Plugin() hook.Plugin {
	return hook.Plugin{Name: "slow", Hooks: s, Blocks: func(string) bool { return true }}
}

func (s *slow) AuthOnPublish(_ context.Context, p *hook.Publish) (hook.Verdict, *hook.PublishResult) {
	if p.Message.Topic == "wait" {
		s.asked <- struct{}{}
		<-s.answer
	}
	return hook.Accept, nil
}

func (s *slow) AuthOnSubscribe(_ context.Context, q *hook.Subscribe) (hook.Verdict, *hook.SubscribeResult) {
	select {
	case f := <-s.refuse:
		s.denied[f] = true
	default:
	}
	if s.denied[q.Topics[0].Filter] {
		return hook.Refuse, nil
	}
	return hook.Accept, nil
}

func startSlow(t *testing.T) (*brokertest.Broker, *slow) {
	s := &slow{asked: make(chan struct{}, 1), answer: make(chan struct{}), refuse: make(chan string, 1), denied: map[string]bool{}}
	b := brokertest.Start(t, brokertest.Options{Set: []string{"plugins.acl=off", "plugins.slow=on"}, Extensions: []broker.Extension{s}})
	return b, s
}

// TestTakeover_Order: what a connection has taken of a client is routed before
// what the client sends through the next one.
func TestTakeover_Order(t *testing.T) {
	b, s := startSlow(t)
	sub, _ := b.Connect(packet.Connect{ClientID: "sub", CleanStart: true})
	sub.Subscribe(1, "#")
	connect := packet.Connect{ClientID: "pub", HasSessionExpiry: true, SessionExpiry: 100}
	first, _ := b.Connect(connect)
	first.Send(&packet.Publish{Topic: "wait", Payload: []byte("0"), QoS: 1, PacketID: 1})
	<-s.asked
	for i := 1; i <= 3; i++ { // takeovers of a takeover
		next, _ := b.Connect(connect)
		next.Send(&packet.Publish{Topic: "t", Payload: fmt.Append(nil, i), QoS: 1, PacketID: uint16(1 + i)})
		next.Send(&packet.Pingreq{})
	}
	last, _ := b.Connect(connect)
	last.Send(&packet.Publish{Topic: "t", Payload: []byte("last"), QoS: 1, PacketID: 9})
	sub.Silent(20 * time.Millisecond)
	close(s.answer)
	if got := string(sub.Take().Payload); got != "0" {
		t.Errorf("the first message is %q, want the one that the first connection had taken", got)
	}
	for got := ""; got != "last"; {
		got = string(sub.Take().Payload)
	}
	b.Balanced()
}

// TestReauthorize removes subscriptions that are refused now.
func TestReauthorize(t *testing.T) {
	b, s := startSlow(t)
	c, _ := b.Connect(packet.Connect{ClientID: "c", CleanStart: true})
	c.Subscribe(1, "a")
	c.Subscribe(1, "b")
	key := mqtt.SessionKey{ClientID: "c"}
	s.refuse <- "a"
	s.api.Reauthorize("user", key)
	for deadline := time.Now().Add(10 * time.Second); ; {
		subs, ok := s.api.Subscriptions(key)
		if ok && len(subs) == 1 && subs[0].Filter == "b" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %v, %t", subs, ok)
		}
		<-time.After(time.Millisecond)
	}
	s.api.Publish(time.Now(), &mqtt.Message{Topic: "a", QoS: 1})
	s.api.Publish(time.Now(), &mqtt.Message{Topic: "b", QoS: 1})
	if got := c.Take(); got.Topic != "b" {
		t.Errorf("got %q", got.Topic)
	}
	c.Quiet()
	if !s.api.Disconnect(key, true) || s.api.Disconnect(key, true) {
		t.Error("Disconnect does not say whether there was a client")
	}
	b.Balanced()
}
