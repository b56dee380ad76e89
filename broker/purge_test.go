package broker_test

import (
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store/memstore"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// TestRetain_Purge: expired retained messages leave memory and store.
func TestRetain_Purge(t *testing.T) {
	kept := memstore.New()
	b := brokertest.Start(t, brokertest.Options{Store: kept})
	pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
	pub.Publish(packet.Publish{QoS: 1, Topic: "short", Retain: true, Payload: []byte("x"), HasMessageExpiry: true, MessageExpiry: 10})
	pub.Publish(packet.Publish{QoS: 1, Topic: "long", Retain: true, Payload: []byte("x"), HasMessageExpiry: true, MessageExpiry: 1000})
	pub.Publish(packet.Publish{QoS: 1, Topic: "always", Retain: true, Payload: []byte("x")})
	if n := b.Router.PurgeExpired(time.Now().Add(11*time.Second), kept, func(err error) {
		if err != nil {
			t.Error(err)
		}
	}); n != 1 {
		t.Errorf("%d purged", n)
	}
	var left []string
	if err := kept.Retained(func(m *mqtt.Message) bool {
		left = append(left, m.Topic)
		return true
	}); err != nil || len(left) != 2 || b.Router.Retained().Len() != 2 {
		t.Errorf("%v %v, %d in memory", left, err, b.Router.Retained().Len())
	}
}
