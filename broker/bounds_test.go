package broker_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/pressure"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// squeezed starts a broker whose limits are set so that they are passed, or
// not, by what this process and machine are.
func squeezed(t *testing.T, set ...string) *brokertest.Broker {
	t.Helper()
	cfg := brokertest.Config(t, set...)
	alarms := new(alarm.List)
	w := pressure.New(&cfg.Pressure, t.TempDir(), alarms)
	t.Cleanup(func() {
		w.Apply(&brokertest.Config(t).Pressure)
		w.Close()
	})
	return brokertest.Start(t, brokertest.Options{Pressure: w, Alarms: alarms})
}

// TestDisk_Full: nothing durable is acknowledged, all else goes on.
func TestDisk_Full(t *testing.T) {
	b := squeezed(t, "memory_limit=100GB", "min_free_disk=100%")
	pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
	if code := pub.Publish(packet.Publish{QoS: 1, Topic: "t", Retain: true, Payload: []byte("x")}); code != mqtt.QuotaExceeded {
		t.Errorf("retained: %v", code)
	}
	live, _ := b.Connect(packet.Connect{ClientID: "live", CleanStart: true})
	live.Subscribe(mqtt.AtLeastOnce, "u")
	if code := pub.Publish(packet.Publish{QoS: 1, Topic: "u", Payload: []byte("x")}); code != mqtt.Success {
		t.Errorf("to a session that ends with its connection: %v", code)
	}
	live.Take()
	if _, ack := b.Connect(packet.Connect{ClientID: "durable", SessionExpiry: 100, HasSessionExpiry: true}); !ack.Code.IsError() {
		t.Error("a durable session was accepted")
	}
	old, _ := b.Connect(packet.Connect{Version: mqtt.V311, ClientID: "old", CleanStart: true})
	old.Send(&packet.Publish{QoS: 1, Topic: "t", PacketID: 1, Retain: true, Payload: []byte("x")})
	old.Ended() // without an acknowledgement
}

// TestDisk_Refused: what is refused while the disk is low nobody gets, and it is
// not retained. What nobody waits for is retained in memory and in the store,
// also when it comes together with what is refused, and so is a deletion.
func TestDisk_Refused(t *testing.T) {
	ample := []string{"memory_limit=100GB", "min_free_disk=0"}
	b := squeezed(t, ample...)
	least := func(n int64) []string { return []string{"memory_limit=100GB", fmt.Sprint("min_free_disk=", n)} }
	low, full := least(b.Pressure.FreeDisk()*5/4), least(b.Pressure.FreeDisk()*4)
	sub, _ := b.Connect(packet.Connect{ClientID: "sub", SessionExpiry: 100, HasSessionExpiry: true})
	sub.Subscribe(mqtt.ExactlyOnce, "t")
	pub, _ := b.Connect(packet.Connect{ClientID: "pub", SessionExpiry: 100, HasSessionExpiry: true})
	for _, topic := range []string{"r", "gone"} {
		pub.Publish(packet.Publish{QoS: 1, Topic: topic, Retain: true, Payload: []byte("old")})
	}
	b.Pressure.Apply(&brokertest.Config(t, low...).Pressure)
	message := packet.Publish{QoS: 2, Topic: "t", PacketID: 7, Payload: []byte("x")}
	for range 3 {
		if code := pub.Publish(message); code != mqtt.QuotaExceeded {
			t.Errorf("QoS 2: %v", code)
		}
	}
	if code := pub.Publish(packet.Publish{QoS: 1, Topic: "r", Retain: true, Payload: []byte("new")}); code != mqtt.QuotaExceeded {
		t.Errorf("retained: %v", code)
	}
	if code := pub.Publish(packet.Publish{QoS: 1, Topic: "gone", Retain: true}); code.IsError() {
		t.Errorf("deleted: %v", code)
	}
	b.Inject(&mqtt.Message{Topic: "will", QoS: 1, Retain: true, Payload: []byte("will")})
	pub.Send(&packet.Publish{Topic: "zero", Retain: true, Payload: []byte("zero")},
		&packet.Subscribe{PacketID: 9, Topics: []packet.TopicFilter{{Filter: "nothing"}}})
	if codes := brokertest.Await[*packet.Suback](pub).Codes; codes[0] != mqtt.QuotaExceeded {
		t.Errorf("SUBSCRIBE: %v", codes)
	}
	var inMemory, stored []string
	b.Router.Retained().Each(func(m *mqtt.Message) bool {
		inMemory = append(inMemory, m.Topic+"="+string(m.Payload))
		return true
	})
	if err := b.Store.Retained(func(m *mqtt.Message) bool {
		stored = append(stored, m.Topic+"="+string(m.Payload))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(stored)
	b.Pressure.Apply(&brokertest.Config(t, full...).Pressure)
	b.Inject(&mqtt.Message{Topic: "unstored", Retain: true, Payload: []byte("x")})
	n := 0
	if err := b.Store.Retained(func(*mqtt.Message) bool { n++; return true }); err != nil || n != 3 {
		t.Errorf("%d retained messages are stored, %v: the rest of the disk is filled with them", n, err)
	}
	if want := []string{"r=old", "will=will", "zero=zero"}; !slices.Equal(inMemory, want) || !slices.Equal(stored, want) {
		t.Errorf("retained in memory %q, in the store %q, want %q", inMemory, stored, want)
	}
	b.Pressure.Apply(&brokertest.Config(t, ample...).Pressure)
	if code := pub.Publish(message); code.IsError() {
		t.Errorf("once there is room: %v", code)
	}
	sub.Take()
	sub.Quiet()
	b.Balanced()
}

// TestMemory_Severe: no new clients, and those who send much are slowed down.
func TestMemory_Severe(t *testing.T) {
	b := squeezed(t, "memory_limit=1MB", "min_free_disk=0")
	for v, want := range map[mqtt.Version]mqtt.ReasonCode{mqtt.V5: mqtt.QuotaExceeded, mqtt.V311: mqtt.ServerUnavailable} {
		if _, ack := b.Connect(packet.Connect{Version: v, ClientID: "c", CleanStart: true}); ack.Code != want {
			t.Errorf("%s: %v, want %v", v, ack.Code, want)
		}
	}
	b.Pressure.Apply(&brokertest.Config(t, "memory_limit=100GB").Pressure)
	c, ack := b.Connect(packet.Connect{ClientID: "c", CleanStart: true})
	if ack.Code != mqtt.Success {
		t.Fatal(ack.Code)
	}
	b.Pressure.Apply(&brokertest.Config(t, "memory_limit=1MB").Pressure)
	start := time.Now()
	for range 2 {
		c.Publish(packet.Publish{QoS: 1, Topic: "t", Payload: make([]byte, 8192)})
	}
	if d := time.Since(start); d < 500*time.Millisecond {
		t.Errorf("two large messages took %s", d)
	}
}
