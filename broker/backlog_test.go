package broker_test

import (
	"fmt"
	"testing"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// TestBacklog: messages of an offline session that are left to the store, and
// those that come after, reach the client in order when it returns.
func TestBacklog(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Set: []string{"max_offline_messages=-1", "max_online_messages=-1"}})
	con := packet.Connect{ClientID: "s", SessionExpiry: 1000, HasSessionExpiry: true, ReceiveMaximum: 10}
	sub, _ := b.Connect(con)
	sub.Subscribe(mqtt.ExactlyOnce, "t")
	sub.Send(&packet.Disconnect{})
	sub.Ended()
	pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
	sent := 0
	publish := func(n int) {
		for range n {
			pub.Publish(packet.Publish{QoS: mqtt.QoS(1 + sent%2), Topic: "t", Payload: fmt.Append(nil, sent)})
			sent++
		}
	}
	publish(300)
	b.Registry.SpillAll()
	publish(300)
	c := b.Registry.Get(mqtt.SessionKey{ClientID: "s"})
	if i, _ := c.Info(false); i.Queued != 600 || c.InMemory() != 0 {
		t.Fatalf("%d queued, %d in memory", i.Queued, c.InMemory())
	}
	b.Balanced()
	sub, _ = b.Connect(con)
	for n := range 100 {
		if p := sub.Take(); string(p.Payload) != fmt.Sprint(n) {
			t.Fatalf("got %s at %d", p.Payload, n)
		}
	}
	if n := c.InMemory(); n > 200 {
		t.Errorf("%d of the backlog are in memory at once", n)
	}
	publish(50) // behind what waits
	for n := 100; n < 650; n++ {
		if p := sub.Take(); string(p.Payload) != fmt.Sprint(n) {
			t.Fatalf("got %s at %d", p.Payload, n)
		}
	}
	sub.Quiet()
	b.Balanced()
}

// TestBacklog_Ends: what is only in the store is counted when it is dropped.
func TestBacklog_Ends(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Set: []string{"max_offline_messages=100", "max_online_messages=40"}})
	con := packet.Connect{ClientID: "s", SessionExpiry: 1000, HasSessionExpiry: true, ReceiveMaximum: 1}
	sub, _ := b.Connect(con)
	sub.Subscribe(mqtt.AtLeastOnce, "t")
	sub.Send(&packet.Disconnect{})
	sub.Ended()
	pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
	for n := range 150 {
		if n == 80 {
			b.Registry.SpillAll()
		}
		pub.Publish(packet.Publish{QoS: 1, Topic: "t", Payload: fmt.Append(nil, n)})
	}
	if i, _ := b.Registry.Get(mqtt.SessionKey{ClientID: "s"}).Info(false); i.Queued != 100 {
		t.Errorf("%d queued, the limit is 100", i.Queued)
	}
	sub, _ = b.Connect(con)
	for n := range 40 { // what is above max_online_messages is dropped
		if p := sub.Take(); string(p.Payload) != fmt.Sprint(n) {
			t.Fatalf("got %s at %d", p.Payload, n)
		}
	}
	b.Balanced()
	sub.Send(&packet.Disconnect{})
	sub.Ended()
	for range 60 {
		pub.Publish(packet.Publish{QoS: 1, Topic: "t"})
	}
	b.Registry.SpillAll()
	b.Registry.Disconnect(b.Started(), mqtt.SessionKey{ClientID: "s"}, mqtt.AdministrativeAction, true)
	b.Balanced()
}
