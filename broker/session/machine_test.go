package session

import (
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
)

var t0 = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// connected returns a machine that has accepted a client, its output empty.
func connected(t testing.TB, v mqtt.Version, change func(*Params)) (*Machine, *State) {
	t.Helper()
	cfg := &Config{MaxClientIDSize: 100, MaxInflight: 20, ReceiveMaxClient: 65535, ReceiveMaxBroker: 65535, MaxQoS: 2, RetainAvailable: true,
		MaxOnline: 1000, MaxOffline: 1000, QueueType: "fifo", MaxOutputBytes: 1 << 20, MaxPacketSize: packet.MaxRemaining}
	m := NewMachine(cfg, t0)
	var b store.Batch
	if _, err := m.Receive(t0, &packet.Connect{Version: v, CleanStart: true, ClientID: "c"}, &b); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(m.Params())
	}
	st := NewState(mqtt.SessionKey{ClientID: "c"}, t0, 0)
	m.Accept(t0, st, Accepted{Shared: true}, &b)
	m.Flow(t0, &b)
	m.Taken(len(m.Output()))
	return m, st
}

// received decodes all that the machine has to send and takes it.
func received(t testing.TB, m *Machine) (out []packet.Packet) {
	t.Helper()
	for p := append([]byte(nil), m.Output()...); len(p) > 0; {
		d := packet.Decoder{Version: m.version}
		pkt, n, err := d.Decode(p)
		if err != nil || n == 0 {
			t.Fatalf("decode % x: %v", p, err)
		}
		out, p = append(out, pkt), p[n:]
	}
	m.Taken(len(m.Output()))
	return out
}

func takeTally(m *Machine) Tally {
	if t := m.TakeTally(); t != nil {
		return *t
	}
	return Tally{}
}

func message(n uint64, q mqtt.QoS) mqtt.Queued {
	return mqtt.Queued{Number: n, Message: &mqtt.Message{Topic: "a/b", Payload: []byte("x"), QoS: q}, Delivery: mqtt.Delivery{QoS: q}}
}

func TestDeliver_Quota(t *testing.T) {
	m, st := connected(t, mqtt.V5, func(p *Params) { p.MaxInflight = 2 })
	var b store.Batch
	for n := range uint64(5) {
		m.Deliver(t0, message(n+1, mqtt.AtLeastOnce), &b)
	}
	m.Deliver(t0, message(6, mqtt.AtMostOnce), &b) // waits behind the others
	if got := received(t, m); len(got) != 2 || st.Queue.Len() != 4 {
		t.Fatalf("sent %d, queued %d", len(got), st.Queue.Len())
	}
	if _, err := m.Receive(t0, &packet.Puback{Ack: packet.Ack{PacketID: 2}}, &b); err != nil {
		t.Fatal(err)
	}
	m.Flow(t0, &b)
	if got := received(t, m); len(got) != 1 || got[0].(*packet.Publish).PacketID != 3 {
		t.Fatalf("got %v", got)
	}
	if _, err := m.Receive(t0, &packet.Puback{Ack: packet.Ack{PacketID: 99}}, &b); err != nil {
		t.Fatal("an unknown PUBACK is only counted:", err)
	}
	for _, id := range []uint16{1, 3} {
		_, _ = m.Receive(t0, &packet.Puback{Ack: packet.Ack{PacketID: id}}, &b)
	}
	m.Flow(t0, &b)
	if got := received(t, m); len(got) != 3 || got[2].(*packet.Publish).QoS != mqtt.AtMostOnce {
		t.Fatalf("got %d packets", len(got))
	}
}

func TestPublish_QoS2Duplicate(t *testing.T) {
	m, _ := connected(t, mqtt.V311, nil)
	var b store.Batch
	p := &packet.Publish{QoS: mqtt.ExactlyOnce, Topic: "a", PacketID: 7}
	ev, err := m.Receive(t0, p, &b)
	if err != nil || ev.Kind != WantPublish {
		t.Fatalf("%v %v", ev, err)
	}
	m.Settle(ev.Slot, mqtt.Success, "")
	p.Dup = true
	again, err := m.Receive(t0, p, &b) // [MQTT-4.3.3-10]
	if err != nil || again.Kind != None {
		t.Fatalf("a repeat was routed again: %v %v", again, err)
	}
	if got := received(t, m); len(got) != 2 {
		t.Fatalf("%d PUBREC, want 2", len(got))
	}
	if ev, err := m.Receive(t0, &packet.Pubrel{Ack: packet.Ack{PacketID: 7}}, &b); err != nil || ev.Kind != None {
		t.Fatal(ev, err)
	}
	if got := received(t, m); len(got) != 1 || got[0].Type() != packet.TypePubcomp {
		t.Fatalf("got %v", got)
	}
	if ev, _ := m.Receive(t0, p, &b); ev.Kind != WantPublish { // the identifier is free again
		t.Error("a new message under the released identifier was not routed")
	}
}

func TestOutgoing_QoS2AndResume(t *testing.T) {
	m, st := connected(t, mqtt.V5, nil)
	var b store.Batch
	m.Deliver(t0, message(1, mqtt.ExactlyOnce), &b)
	m.Deliver(t0, message(2, mqtt.ExactlyOnce), &b)
	m.Deliver(t0, message(3, mqtt.AtLeastOnce), &b)
	if _, err := m.Receive(t0, &packet.Pubrec{Ack: packet.Ack{PacketID: 1}}, &b); err != nil {
		t.Fatal(err)
	}
	if got := received(t, m); len(got) != 4 || got[3].Type() != packet.TypePubrel {
		t.Fatalf("got %v", got)
	}
	next := NewMachine(m.cfg, t0)
	_, _ = next.Receive(t0, &packet.Connect{Version: mqtt.V5, ClientID: "c"}, &b)
	next.Accept(t0, st, Accepted{SessionPresent: true}, &b)
	next.Flow(t0, &b)
	got := received(t, next) // [MQTT-4.4.0-1], in the original order
	if len(got) != 4 || got[1].Type() != packet.TypePubrel || !got[2].(*packet.Publish).Dup || got[2].(*packet.Publish).PacketID != 2 || got[3].(*packet.Publish).PacketID != 3 {
		t.Fatalf("got %v", got)
	}
}

func TestReceiveMaximum(t *testing.T) {
	m, _ := connected(t, mqtt.V5, func(p *Params) { p.ReceiveMaximum = 2 })
	var b store.Batch
	for id := uint16(1); id <= 2; id++ {
		if _, err := m.Receive(t0, &packet.Publish{QoS: 1, Topic: "a", PacketID: id}, &b); err != nil {
			t.Fatal(err)
		}
	}
	_, err := m.Receive(t0, &packet.Publish{QoS: 1, Topic: "a", PacketID: 3}, &b)
	if e, ok := err.(*mqtt.Error); !ok || e.Code != mqtt.ReceiveMaximumExceeded { // [MQTT-3.3.4-9]
		t.Fatal(err)
	}
}

func TestDeadline_KeepAlive(t *testing.T) {
	m, _ := connected(t, mqtt.V5, nil)
	m.keepAlive = 10 * time.Second
	if d := m.NextDeadline(); !d.Equal(t0.Add(15 * time.Second)) {
		t.Fatal(d)
	}
	if err := m.Deadline(t0.Add(14 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := m.Deadline(t0.Add(15 * time.Second)); err == nil {
		t.Fatal("still alive after 1.5 times the keep alive")
	}
}

func TestDeliver_OutputFull(t *testing.T) {
	m, _ := connected(t, mqtt.V5, nil)
	m.cfg.MaxOutputBytes = 100
	var b store.Batch
	for n := range uint64(50) {
		m.Deliver(t0, message(n+1, mqtt.AtMostOnce), &b)
	}
	tally := takeTally(m)
	if len(tally.Drops) == 0 || int(tally.Completed)+len(tally.Drops) != 50 || tally.Drops[0].Reason != mqtt.DropOutputFull {
		t.Fatalf("completed %d, dropped %d", tally.Completed, len(tally.Drops))
	}
}

func TestDeliver_LimitsAndExpiry(t *testing.T) {
	m, st := connected(t, mqtt.V5, func(p *Params) { p.MaxInflight, p.Online = 1, queue.Limits{Messages: 2} })
	var b store.Batch
	for n := range uint64(4) {
		m.Deliver(t0, message(n+1, mqtt.AtLeastOnce), &b)
	}
	tally := takeTally(m)
	if len(tally.Drops) != 1 || tally.Drops[0].Item.Number != 4 || st.Queue.Len() != 2 {
		t.Fatalf("drops %v", tally.Drops)
	}
	it, _ := st.Queue.Next(false)
	it.Message.Expires = t0.Add(time.Second)
	received(t, m)
	_, _ = m.Receive(t0, &packet.Puback{Ack: packet.Ack{PacketID: 1}}, &b)
	m.Flow(t0.Add(2*time.Second), &b)
	tally = takeTally(m)
	if len(tally.Drops) != 1 || tally.Drops[0].Reason != mqtt.DropExpired {
		t.Fatalf("drops %v", tally.Drops)
	}
}

func TestDeliver_ZeroAlloc(t *testing.T) {
	for _, q := range []mqtt.QoS{0, 1} {
		m, _ := connected(t, mqtt.V5, nil)
		var b store.Batch
		buf := make([]byte, 0, 1024)
		it := message(1, q)
		id := uint16(0)
		ack := &packet.Puback{}
		n := testing.AllocsPerRun(1000, func() {
			m.Lend(buf)
			m.Deliver(t0, it, &b)
			buf = m.Taken(len(m.Output()))
			if q > 0 {
				id++
				ack.PacketID = id
				_, _ = m.Receive(t0, ack, &b)
			}
		})
		if n != 0 {
			t.Errorf("QoS %d: %v allocations per delivery", q, n)
		}
	}
}

func BenchmarkDeliver(b *testing.B) {
	m, _ := connected(b, mqtt.V5, nil)
	var batch store.Batch
	buf := make([]byte, 0, 1024)
	it := message(1, mqtt.AtMostOnce)
	it.Message.Payload = make([]byte, 128)
	b.ReportAllocs()
	for b.Loop() {
		m.Lend(buf)
		m.Deliver(t0, it, &batch)
		buf = m.Taken(len(m.Output()))
	}
}
