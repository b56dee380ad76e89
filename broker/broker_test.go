package broker_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
)

// versions runs a test for 3.1.1 and for 5.0.
func versions(t *testing.T, f func(t *testing.T, v mqtt.Version)) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		t.Run(v.String(), func(t *testing.T) { f(t, v) })
	}
}

func TestPublish_EachQoS(t *testing.T) {
	versions(t, func(t *testing.T, v mqtt.Version) {
		b := brokertest.Start(t, brokertest.Options{})
		sub, _ := b.Connect(packet.Connect{Version: v, CleanStart: true, ClientID: "sub"})
		sub.Subscribe(mqtt.ExactlyOnce, "a/+")
		pub, _ := b.Connect(packet.Connect{Version: v, CleanStart: true, ClientID: "pub"})
		for q := range mqtt.QoS(3) {
			if code := pub.Publish(packet.Publish{QoS: q, Topic: "a/b", Payload: []byte{byte(q)}}); code != mqtt.Success {
				t.Errorf("QoS %d: %v", q, code)
			}
			if p := sub.Take(); p.QoS != q || p.Payload[0] != byte(q) {
				t.Errorf("QoS %d: got %+v", q, p)
			}
		}
	})
}

func TestSession_Resume(t *testing.T) {
	versions(t, func(t *testing.T, v mqtt.Version) {
		b := brokertest.Start(t, brokertest.Options{})
		con := packet.Connect{Version: v, ClientID: "s", SessionExpiry: 100, HasSessionExpiry: true}
		sub, _ := b.Connect(con)
		sub.Subscribe(mqtt.ExactlyOnce, "a")
		sub.Close()
		pub, _ := b.Connect(packet.Connect{Version: v, CleanStart: true, ClientID: "pub"})
		for i := range 10 {
			pub.Publish(packet.Publish{QoS: mqtt.QoS(1 + i%2), Topic: "a", Payload: fmt.Append(nil, i)})
		}
		sub, ack := b.Connect(con)
		if !ack.SessionPresent { // [MQTT-3.2.2-2]
			t.Error("session not present")
		}
		for i := range 10 {
			if p := sub.Take(); string(p.Payload) != fmt.Sprint(i) {
				t.Fatalf("got %s at %d", p.Payload, i)
			}
		}
		sub.Quiet()
	})
}

// TestBalance_UnderLoad drives publishers and subscribers of all kinds against
// each other and demands that every copy is accounted for.
func TestBalance_UnderLoad(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Set: []string{"max_online_messages=50", "max_offline_messages=20"}})
	const pairs, each = 6, 300
	var wg sync.WaitGroup
	var subs []*brokertest.Client
	for i := range pairs {
		sub, _ := b.Connect(packet.Connect{ClientID: fmt.Sprint("sub", i), SessionExpiry: 1000, HasSessionExpiry: true, ReceiveMaximum: 5})
		sub.Subscribe(mqtt.QoS(i%3), fmt.Sprintf("load/%d", i%3), "load/#")
		subs = append(subs, sub)
	}
	for i := range pairs {
		wg.Go(func() {
			for range 8 * (i + 1) { // then it goes away with messages in flight
				subs[i].Take()
			}
			subs[i].Close()
		})
		pub, _ := b.Connect(packet.Connect{ClientID: fmt.Sprint("pub", i), CleanStart: true})
		wg.Go(func() {
			for n := range each {
				pub.Publish(packet.Publish{QoS: mqtt.QoS(n % 3), Topic: fmt.Sprintf("load/%d", i%3), Payload: []byte("x"), Retain: n%10 == 0})
			}
			pub.Send(&packet.Disconnect{})
			pub.Ended()
		})
	}
	wg.Wait()
	b.Balanced()
	m := b.Metrics
	if in, made := m.QueueMessageIn.Count(), m.CopiesMade.Count(); in != made {
		t.Errorf("queue_message_in is %d after %d copies", in, made)
	}
	for name, n := range map[string]int64{
		"store_commit": m.StoreCommit.Count(), "storage_write": m.StorageWrite.Count(), "storage_delete": m.StorageDelete.Count(), "storage_scan": m.StorageScan.Count(),
	} {
		if n == 0 {
			t.Errorf("%s_microseconds has not moved", name)
		}
	}
}

// TestShared_Redistribution: messages of a member that goes away reach another
// one, in order; what the client was sent and did not acknowledge goes on only
// when its session ends (MQTT 5.0 §4.8.2).
func TestShared_Redistribution(t *testing.T) {
	versions(t, func(t *testing.T, v mqtt.Version) {
		b := brokertest.Start(t, brokertest.Options{Set: []string{"max_inflight_messages=2"}})
		durable := func(id string) packet.Connect {
			return packet.Connect{Version: v, ClientID: id, SessionExpiry: 1000, HasSessionExpiry: true, ReceiveMaximum: 2}
		}
		first, _ := b.Connect(durable("first"))
		first.Subscribe(mqtt.AtLeastOnce, "$share/g/t")
		pub, _ := b.Connect(packet.Connect{Version: v, ClientID: "pub", CleanStart: true})
		for i := range 6 {
			pub.Publish(packet.Publish{QoS: 1, Topic: "t", Payload: fmt.Append(nil, i)})
		}
		second, _ := b.Connect(durable("second"))
		second.Subscribe(mqtt.AtLeastOnce, "$share/g/t")
		second.Quiet() // the first is online and keeps what it has
		first.Close()
		for _, want := range []string{"2", "3", "4", "5"} { // never sent
			if p := second.Take(); string(p.Payload) != want || p.Dup {
				t.Fatalf("got %q dup %v, want %q", p.Payload, p.Dup, want)
			}
		}
		second.Quiet() // 0 and 1 were sent to the first
		first, _ = b.Connect(packet.Connect{Version: v, ClientID: "first", CleanStart: true})
		for _, want := range []string{"0", "1"} {
			if p := second.Take(); string(p.Payload) != want || p.Dup {
				t.Fatalf("got %q dup %v, want %q", p.Payload, p.Dup, want)
			}
		}
		second.Close()
		first.Quiet()
		b.Balanced()
	})
}

// TestShared_MemberEndsMeanwhile: the session of the chosen member ends before
// it takes the message, which then goes to another one (MQTT 5.0 §4.8.2).
func TestShared_MemberEndsMeanwhile(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{})
	stays, _ := b.Connect(packet.Connect{ClientID: "stays", SessionExpiry: 100, HasSessionExpiry: true})
	stays.Subscribe(mqtt.AtLeastOnce, "$share/g/x")
	leaves, _ := b.Connect(packet.Connect{ClientID: "leaves"})
	leaves.Subscribe(mqtt.AtLeastOnce, "$share/g/x")
	key := mqtt.SessionKey{ClientID: "leaves"}
	c := b.Registry.Get(key)
	b.Registry.Disconnect(time.Now(), key, mqtt.AdministrativeAction, true)

	var batch store.Batch
	m := &mqtt.Message{Topic: "x", Payload: []byte("hello"), QoS: mqtt.AtLeastOnce}
	flush := c.Deliver(time.Now(), m, mqtt.Delivery{QoS: mqtt.AtLeastOnce, Share: &mqtt.Share{Name: "g", Filter: "x"}}, &batch)
	batch.Submit(b.Store, func(error) {})
	if !flush {
		t.Fatal("nothing to flush: the message was dropped")
	}
	c.Flush(time.Now())
	if p := stays.Take(); string(p.Payload) != "hello" {
		t.Errorf("got %q", p.Payload)
	}
}

// TestShared_WaitsForMember: what came while all members were offline goes to
// the first that returns.
func TestShared_WaitsForMember(t *testing.T) {
	versions(t, func(t *testing.T, v mqtt.Version) {
		b := brokertest.Start(t, brokertest.Options{})
		member := func(id string) *brokertest.Client {
			c, _ := b.Connect(packet.Connect{Version: v, ClientID: id, SessionExpiry: 1000, HasSessionExpiry: true})
			return c
		}
		one, two := member("one"), member("two")
		one.Subscribe(mqtt.AtLeastOnce, "$share/g/t")
		two.Subscribe(mqtt.AtLeastOnce, "$share/g/t")
		for _, c := range []*brokertest.Client{one, two} {
			c.Send(&packet.Disconnect{})
			c.Ended()
		}
		pub, _ := b.Connect(packet.Connect{Version: v, ClientID: "pub", CleanStart: true})
		for i := range 10 {
			pub.Publish(packet.Publish{QoS: 1, Topic: "t", Payload: fmt.Append(nil, i)})
		}
		got := map[string]bool{}
		one = member("one")
		for range 10 {
			got[string(one.Take().Payload)] = true
		}
		if len(got) != 10 {
			t.Errorf("got %v", got)
		}
		member("two").Quiet()
		b.Balanced()
	})
}
