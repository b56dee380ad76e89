package broker_test

import (
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/router"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// BenchmarkRoute is the whole way of a message over loopback: one publisher,
// one subscriber, 128 bytes, up to 256 messages on their way.
func BenchmarkRoute(b *testing.B) {
	for q := range mqtt.QoS(3) {
		b.Run(fmt.Sprint("QoS", q), func(b *testing.B) { route(b, q) })
	}
}

// BenchmarkRoute_Vetted is the same with a plugin that is asked about each
// delivery, by the loop or by a worker, and lets it through.
func BenchmarkRoute_Vetted(b *testing.B) {
	for q := range mqtt.QoS(2) {
		for _, blocks := range []bool{false, true} {
			v := &vetter{}
			v.on.Store(true)
			v.blocks.Store(blocks)
			b.Run(fmt.Sprint("QoS", q, "/blocks=", blocks), func(b *testing.B) { route(b, q, v) })
		}
	}
}

func route(b *testing.B, q mqtt.QoS, plugins ...broker.Extension) {
	x := brokertest.Start(b, brokertest.Options{Log: quiet, Set: []string{"max_online_messages=-1", "plugins.lua=" + map[bool]string{true: "on", false: "off"}[len(plugins) > 0]}, Extensions: plugins})
	sub, _ := x.Connect(packet.Connect{ClientID: "sub", CleanStart: true})
	sub.Subscribe(q, "bench/+")
	pub, _ := x.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
	window := make(chan struct{}, 256)
	done := make(chan struct{})
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		defer close(done)
		for range b.N {
			sub.Take()
			<-window
		}
	}()
	p := packet.Publish{QoS: q, Topic: "bench/topic", Payload: make([]byte, 128)}
	go func() { // answers to the publisher
		for {
			a, err := pub.Receive()
			if err != nil {
				return
			}
			if rec, ok := a.(*packet.Pubrec); ok {
				pub.Send(&packet.Pubrel{Ack: packet.Ack{PacketID: rec.PacketID}})
			}
		}
	}()
	for i := range b.N {
		window <- struct{}{}
		p.PacketID = uint16(i%65535) + 1
		if q < 2 {
			pub.Send(&p)
		} else {
			x.Inject(&mqtt.Message{Topic: p.Topic, Payload: p.Payload, QoS: q})
		}
	}
	<-done
}

// BenchmarkFanOut is one message to 500 subscribers, per delivery.
func BenchmarkFanOut(b *testing.B) {
	x := brokertest.Start(b, brokertest.Options{Log: quiet})
	const n = 500
	for i := range n {
		sub, _ := x.Connect(packet.Connect{ClientID: fmt.Sprint("sub", i), CleanStart: true})
		sub.Subscribe(mqtt.AtMostOnce, "bench/fan")
		go func() {
			for {
				if _, err := sub.Receive(); err != nil {
					return
				}
			}
		}()
	}
	m := &mqtt.Message{Topic: "bench/fan", Payload: make([]byte, 128)}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += n {
		x.Inject(m)
	}
}

// TestDeliver_ZeroAlloc: a message costs its publisher memory, not each of its
// receivers.
func TestDeliver_ZeroAlloc(t *testing.T) {
	x := brokertest.Start(t, brokertest.Options{Log: quiet, Set: []string{"max_output_bytes=1GB"}})
	allocs := func(receivers int) float64 {
		topic := fmt.Sprint("alloc/", receivers)
		for i := range receivers {
			sub, _ := x.Connect(packet.Connect{ClientID: fmt.Sprint(topic, i), CleanStart: true})
			sub.Subscribe(mqtt.AtMostOnce, topic)
			go func() {
				for {
					if _, err := sub.Receive(); err != nil {
						return
					}
				}
			}()
		}
		m := &mqtt.Message{Topic: topic, Payload: make([]byte, 16)}
		var b router.Batch
		return testing.AllocsPerRun(100, func() {
			x.Router.Publish(x.Started(), m, &b)
		})
	}
	if one, many := allocs(1), allocs(50); many > one+2 {
		t.Errorf("%v allocations for one receiver, %v for fifty", one, many)
	}
}
