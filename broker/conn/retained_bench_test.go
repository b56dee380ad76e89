package conn_test

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// sink is an engine.Conn that takes everything and tells when it is enough.
type sink struct {
	h     engine.Handler
	left  atomic.Int64 // bytes
	full  chan struct{}
	woken atomic.Bool
}

func (s *sink) Write(p []byte) int {
	if n := s.left.Add(-int64(len(p))); n <= 0 && n+int64(len(p)) > 0 {
		s.full <- struct{}{}
	}
	return len(p)
}

func (s *sink) SetDeadline(time.Time) {}
func (s *sink) Wake()                 { s.woken.Store(true) }
func (s *sink) Close(error)           {}

// BenchmarkRetained is 50 thousand retained messages on their way to a new
// subscription to "#": while nothing changes, and while other topics do all the
// time.
func BenchmarkRetained(b *testing.B) {
	const n = 50_000
	for _, changing := range []bool{false, true} {
		b.Run(fmt.Sprint("changing=", changing), func(b *testing.B) {
			x := brokertest.Start(b, brokertest.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
			bytes := 0
			for i := range n {
				p := packet.Publish{Topic: fmt.Sprintf("site/%d/device/%d", i%100, i), Payload: make([]byte, 16), Retain: true}
				bytes += len(p.Append(nil, mqtt.V5))
				x.Router.Retained().Put(&mqtt.Message{Topic: p.Topic, Payload: p.Payload, Retain: true})
			}
			s := &sink{full: make(chan struct{}, 1)}
			d := &conn.Door{Info: hook.ListenerInfo{Name: "tcp.default"}, Versions: []int{5}, Chain: x.Server.Chain}
			s.h = conn.New(x.Server, d, s, &hook.Client{}, time.Now())
			defer s.h.Closed(time.Now(), nil)
			s.h.Receive(time.Now(), (&packet.Connect{Version: mqtt.V5, ClientID: "c", CleanStart: true}).Append(nil, mqtt.V5))
			var done atomic.Bool
			defer done.Store(true)
			if changing {
				go func() {
					for i := 0; !done.Load(); i++ {
						x.Router.Retained().Put(&mqtt.Message{Topic: fmt.Sprint("$other/", i%1000), Payload: []byte("x"), Retain: true})
						runtime.Gosched()
					}
				}()
			}
			subscribe := (&packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: "#"}}}).Append(nil, mqtt.V5)
			b.ReportAllocs()
			for b.Loop() {
				s.left.Store(int64(bytes))
				s.h.Receive(time.Now(), subscribe)
				<-s.full
			}
			b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
