package broker_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// socket is an engine.Conn that takes everything.
type socket struct {
	written  int
	deadline time.Time
}

func (s *socket) Write(p []byte) int      { s.written += len(p); return len(p) }
func (s *socket) SetDeadline(t time.Time) { s.deadline = t }
func (*socket) Wake()                     {}
func (*socket) Close(error)               {}
func (s *socket) open(b *brokertest.Broker, now time.Time) engine.Handler {
	return conn.New(b.Server, &conn.Door{Versions: []int{3, 4, 5}, Chain: b.Server.Chain}, s, &hook.Client{}, now)
}

// TestConnect_Deadline: once a client is accepted, its connection has no
// deadline but those it needs.
func TestConnect_Deadline(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Log: quiet})
	now := time.Now()
	for keepAlive, want := range map[uint16]time.Time{0: {}, 600: now.Add(900 * time.Second)} {
		s := &socket{}
		h := s.open(b, now)
		if s.deadline.IsZero() {
			t.Error("no deadline for CONNECT")
		}
		p := packet.Connect{Version: 4, ClientID: fmt.Sprint(keepAlive), CleanStart: true, KeepAlive: keepAlive}
		h.Receive(now, p.Append(nil, mqtt.V311))
		if !s.deadline.Equal(want) || s.written == 0 {
			t.Errorf("keep alive %d: %d bytes written, deadline %s after CONNECT", keepAlive, s.written, s.deadline.Sub(now))
		}
		h.Closed(now, nil)
	}
}

// TestIdle_Bytes bounds what a client with one subscription costs beside its
// socket: connection, session, registry and routing table.
func TestIdle_Bytes(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Log: quiet})
	const n, budget = 5000, 1900
	now := time.Now()
	sockets, handlers := make([]socket, n), make([]engine.Handler, n)
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("client-%05d", i)
	}
	heap := func() int {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	var buf []byte
	before := heap()
	for i := range n {
		handlers[i] = sockets[i].open(b, now)
		con := packet.Connect{Version: 4, ClientID: names[i], CleanStart: true, KeepAlive: 600}
		sub := packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: "idle/" + names[i], QoS: 1}}}
		buf = sub.Append(con.Append(buf[:0], mqtt.V311), mqtt.V311)
		handlers[i].Receive(now, buf)
	}
	each := (heap() - before) / n
	t.Logf("%d bytes per client", each)
	if each > budget {
		t.Errorf("%d bytes per idle client, the budget is %d", each, budget)
	}
	for i := range n {
		handlers[i].Closed(now, nil)
	}
}
