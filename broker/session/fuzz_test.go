package session

import (
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
)

// FuzzMachine plays a script against a connection: each byte is something the
// client sends, the broker delivers, or time that passes. Whatever happens, the
// machine must not panic, must keep its quotas, and must write packets that a
// client can read.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, uint8(5), true)
	f.Add([]byte{0x10, 0x20, 0x30, 0x40, 0x51, 0x62, 0x73, 0x84, 0xf5}, uint8(4), false)
	f.Add([]byte{6, 6, 6, 4, 4, 4, 15, 2, 2, 15, 14, 9, 8}, uint8(3), true)
	f.Add([]byte{0x70, 0x80, 0x90, 0x81, 0xf0, 0x30, 0x40, 0x60, 0xd0, 0x82, 0x91, 0xd0, 0x31}, uint8(0x82), true)
	f.Fuzz(func(t *testing.T, script []byte, version uint8, durable bool) {
		v := mqtt.Version(3 + version%3)
		p := &play{t: t, vets: version&0x80 != 0, now: t0, st: NewState(mqtt.SessionKey{ClientID: "c"}, t0, 0)}
		if durable {
			p.st.Expiry = store.Forever
			p.st.PutRecord(&p.b, true)
		}
		p.connect(v)
		for _, b := range script {
			p.step(b>>4, uint16(b&3)+1)
			p.check()
		}
	})
}

// play is one run of a script.
type play struct {
	t      *testing.T
	now    time.Time
	m      *Machine
	st     *State
	b      store.Batch
	number uint64
	vets   bool // deliveries are vetted, now and then
	asked  int
}

const playInflight = 3

func (p *play) connect(v mqtt.Version) {
	cfg := &Config{MaxClientIDSize: 100, MaxInflight: playInflight, ReceiveMaxClient: playInflight, ReceiveMaxBroker: 4, MaxQoS: 2, RetainAvailable: true,
		MaxOnline: 10, MaxOffline: 10, QueueType: "fifo", MaxOutputBytes: 1 << 20, MaxPacketSize: packet.MaxRemaining, TopicAliasMaxBroker: 2, TopicAliasMaxClient: 2}
	p.m = NewMachine(cfg, p.now)
	if _, err := p.m.Receive(p.now, &packet.Connect{Version: v, ClientID: "c", CleanStart: v == mqtt.V31, TopicAliasMaximum: 2}, &p.b); err != nil {
		p.t.Fatal(err)
	}
	p.m.Vet(p.vets)
	p.m.Accept(p.now, p.st, Accepted{}, &p.b)
	p.flow()
}

// flow sends what may be sent and takes it, as a socket would.
func (p *play) flow() {
	for ok := true; ok; {
		if p.m.Flow(p.now, &p.b) {
			p.m.Assigned(p.now, p.m.Assigning())
		}
		var q Question
		if q, ok = p.m.Question(); ok {
			p.asked++
			a := Answer{Drop: p.asked%3 == 0}
			if p.asked%2 == 0 {
				a.Message = &mqtt.Message{Topic: "other"}
			}
			p.m.Vetted(p.now, q, a, &p.b)
		}
	}
	p.b.Reset()
	out := p.m.Output()
	for len(out) > 0 {
		d := packet.Decoder{Version: p.m.Version()}
		_, n, err := d.Decode(out)
		if err != nil || n == 0 {
			p.t.Fatalf("the output is not readable: % x: %v", out, err)
		}
		out = out[n:]
	}
	p.m.Taken(len(p.m.Output()))
}

func (p *play) step(what byte, id uint16) {
	a := packet.Ack{PacketID: id}
	switch what {
	case 0, 1, 2:
		p.receive(&packet.Publish{QoS: mqtt.QoS(what), Topic: "t", PacketID: id})
	case 3:
		p.receive(&packet.Puback{Ack: a})
	case 4:
		p.receive(&packet.Pubrec{Ack: a})
	case 5:
		p.receive(&packet.Pubrel{Ack: a})
	case 6:
		p.receive(&packet.Pubcomp{Ack: a})
	case 7, 8, 9:
		p.number++
		it := message(p.number, mqtt.QoS(what-7))
		it.Message.Expires = p.now.Add(time.Duration(id) * time.Minute)
		p.m.Deliver(p.now, it, &p.b)
		p.flow()
	case 10:
		p.receive(&packet.Subscribe{PacketID: id, Topics: []packet.TopicFilter{{Filter: "t"}}})
	case 11:
		p.receive(&packet.Unsubscribe{PacketID: id, Filters: []string{"t"}})
	case 12:
		p.receive(&packet.Publish{QoS: mqtt.AtMostOnce, HasTopicAlias: true, TopicAlias: id})
	case 13:
		p.m.Vet(p.vets && id%2 == 0)
		p.receive(&packet.Pingreq{})
	case 14:
		p.now = p.now.Add(time.Minute)
		_ = p.m.Deadline(p.now)
		p.flow()
	case 15:
		p.connect(p.m.Version())
	}
}

// receive plays the broker's side of what a packet asks for; after an error
// the client connects again.
func (p *play) receive(pkt packet.Packet) {
	ev, err := p.m.Receive(p.now, pkt, &p.b)
	if err != nil {
		p.m.Fail(err.(*mqtt.Error))
		p.connect(p.m.Version())
		return
	}
	switch ev.Kind {
	case WantPublish, WantSettle:
		p.m.Settle(ev.Slot, mqtt.Success, "")
	case WantSubscribe:
		p.m.SettleSubscribe(ev.Slot, []mqtt.ReasonCode{mqtt.GrantedQoS1}, "", nil)
	case WantUnsubscribe:
		p.m.SettleUnsubscribe(ev.Slot, []mqtt.ReasonCode{mqtt.Success})
	}
	p.flow()
}

// check demands the invariants.
func (p *play) check() {
	m := p.m
	if m.onWire > playInflight || m.onWire < 0 || m.awaiting < 0 || m.assigning != 0 {
		p.t.Fatalf("%d in flight of %d, %d unanswered, %d being assigned", m.onWire, playInflight, m.awaiting, m.assigning)
	}
	live, wire := 0, 0
	p.st.window.each(func(f *inflight) {
		live++
		if f.onWire {
			wire++
		}
	})
	if live != p.st.window.live || wire != m.onWire {
		p.t.Fatalf("%d in the window, counted %d; %d on the wire, counted %d", live, p.st.window.live, wire, m.onWire)
	}
	if n := len(m.responses.list) - m.responses.head; n != 0 {
		p.t.Fatalf("%d answers are owed at rest", n)
	}
}
