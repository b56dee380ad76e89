package session

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
)

// vetting is a machine that vets.
func vetting(t testing.TB, change func(*Params)) (*Machine, *State) {
	m, st := connected(t, mqtt.V5, change)
	m.Vet(true)
	return m, st
}

// TestVetted_Quota: only what may be sent is asked about, and the answer counts
// only while that is so.
func TestVetted_Quota(t *testing.T) {
	m, st := vetting(t, func(p *Params) { p.MaxInflight = 1 })
	var b store.Batch
	for n := range uint64(3) {
		m.Deliver(t0, message(n+1, mqtt.AtLeastOnce), &b)
	}
	m.Flow(t0, &b)
	if len(m.Output()) > 0 {
		t.Fatal("sent without a verdict")
	}
	q, ok := m.Question()
	if again, _ := m.Question(); !ok || q.Item.Number != 1 || again.Item.Number != 1 {
		t.Fatalf("asked about %d, then %d", q.Item.Number, again.Item.Number)
	}
	m.Vetted(t0, q, Answer{}, &b)
	m.Vetted(t0, q, Answer{Drop: true}, &b) // a second answer
	if _, ok = m.Question(); ok || len(received(t, m)) != 1 || st.Queue.Len() != 2 {
		t.Fatalf("asked %v with the quota used up, %d wait", ok, st.Queue.Len())
	}
	_, _ = m.Receive(t0, &packet.Puback{Ack: packet.Ack{PacketID: 1}}, &b)
	if q, ok = m.Question(); !ok || q.Item.Number != 2 {
		t.Fatal("not asked when there is room again")
	}
	m.Vet(false)
	m.Flow(t0, &b) // switched off meanwhile: sends it
	m.Vet(true)
	m.Vetted(t0, q, Answer{}, &b)
	if got := received(t, m); len(got) != 1 || st.Queue.Len() != 1 {
		t.Fatalf("%d sent, %d wait", len(got), st.Queue.Len())
	}
}

// TestVetted_Rewritten: what is in flight is repeated as it was written anew,
// while others are given the original.
func TestVetted_Rewritten(t *testing.T) {
	m, st := vetting(t, nil)
	st.Expiry = store.Forever
	var b store.Batch
	st.PutRecord(&b, true)
	share := &mqtt.Share{Name: "g", Filter: "#"}
	for n := range uint64(2) {
		it := message(n+1, mqtt.QoS(n+1))
		it.Delivery.Share = share
		m.Deliver(t0, it, &b)
		q, _ := m.Question()
		m.Vetted(t0, q, Answer{Message: &mqtt.Message{Topic: "new", Payload: []byte("for c")}}, &b)
	}
	if !m.Flow(t0, &b) || m.Flow(t0, &b) {
		t.Error("Flow does not say, once, that an identifier is to be stored")
	}
	if got := received(t, m); len(got) != 1 || got[0].(*packet.Publish).Topic != "new" {
		t.Fatalf("got %v", got)
	}
	m.Assigned(t0, m.Assigning())
	if got := received(t, m); len(got) != 1 || got[0].(*packet.Publish).Topic != "new" {
		t.Fatalf("got %v", got)
	}
	next, _ := vetting(t, nil)
	next.Accept(t0, st, Accepted{SessionPresent: true}, &b)
	next.Flow(t0, &b)
	got := received(t, next)
	if _, ok := next.Question(); ok || len(got) != 3 {
		t.Fatalf("%d packets, a question: %v", len(got), ok)
	}
	for _, p := range got[1:] {
		if p := p.(*packet.Publish); p.Topic != "new" || !p.Dup {
			t.Errorf("repeated %+v", p)
		}
	}
	st.End(func(mqtt.Queued) {}, func(it mqtt.Queued) {
		if it.Message.Topic != "a/b" {
			t.Errorf("another member gets %q", it.Message.Topic)
		}
	})
}

// TestVetted_Restored: what the store says was in flight is asked about before
// it is repeated. What is dropped then is completed, but not with QoS 2: its
// identifier is the client's too.
func TestVetted_Restored(t *testing.T) {
	for _, drop := range []bool{false, true} {
		m, _ := vetting(t, nil)
		st := NewState(mqtt.SessionKey{ClientID: "c"}, t0, 0)
		var entries []store.Entry
		for n := range uint64(4) {
			entries = append(entries, store.Entry{Queued: message(n+1, mqtt.QoS(1+n%2)), PacketID: uint16(n + 1), Released: n == 3})
		}
		st.Restore(&store.Session{Expiry: store.Forever}, entries, nil, 0, 0, 0)
		var b store.Batch
		m.Accept(t0, st, Accepted{SessionPresent: true}, &b)
		m.Deliver(t0, message(5, mqtt.AtMostOnce), &b) // does not overtake
		asked := 0
		for m.Flow(t0, &b); ; m.Flow(t0, &b) {
			q, ok := m.Question()
			if !ok {
				break
			}
			if asked++; q.Sent != (q.Item.Number < 4) {
				t.Errorf("number %d: Sent %v", q.Item.Number, q.Sent)
			}
			m.Vetted(t0, q, Answer{Drop: drop && q.Sent, Message: &mqtt.Message{Topic: fmt.Sprint("new", q.Item.Number)}}, &b)
		}
		var text string
		for _, p := range received(t, m)[1:] {
			switch p := p.(type) {
			case *packet.Publish:
				text += fmt.Sprint(p.Topic, "#", p.PacketID, " ")
			case *packet.Pubrel:
				text += fmt.Sprint("rel#", p.PacketID, " ")
			}
		}
		want, completed := "new1#1 new2#2 new3#3 rel#4 new5#0 ", 0
		if drop { // as stored, not as the answer to drop it would have it
			want, completed = "a/b#2 rel#4 new5#0 ", 2
		}
		if text != want || asked != 4 || len(b.Ops) != completed {
			t.Errorf("drop %v: got %q, want %q; %d questions, %d changes", drop, text, want, asked, len(b.Ops))
		}
	}
}

// TestDeliver_VettedLimits: what waits for nothing but a verdict takes no place
// of others, and is bounded by max_output_bytes.
func TestDeliver_VettedLimits(t *testing.T) {
	m, st := vetting(t, func(p *Params) { p.Online.Messages, p.MaxInflight = 3, 2 })
	var b store.Batch
	for range 100 {
		m.Deliver(t0, message(0, mqtt.AtMostOnce), &b)
	}
	for n := range uint64(7) {
		m.Deliver(t0, message(n+1, mqtt.AtLeastOnce), &b)
	}
	if st.Queue.Len() != 105 || !m.HasRoom() == (st.Queue.Len()-100 < 3) {
		t.Errorf("%d wait, want 100 of QoS 0 and 2 + 3", st.Queue.Len())
	}
	m.cfg.MaxOutputBytes = 20000
	for range 100 {
		m.Deliver(t0, message(0, mqtt.AtMostOnce), &b)
	}
	tally := takeTally(m)
	reasons := map[mqtt.DropReason]int{}
	for _, d := range tally.Drops {
		reasons[d.Reason]++
	}
	if reasons[mqtt.DropQueueFull] != 2 || reasons[mqtt.DropOutputFull] == 0 || st.Queue.Bytes() > 20200 {
		t.Errorf("%v dropped, %d bytes wait", reasons, st.Queue.Bytes())
	}
}

// askers puts messages through a machine that is asked by several at once, in
// no order, while it is switched on and off; it returns what the client got and
// what was dropped. fault, unless it is nil, is called now and then.
func askers(t *testing.T, seed uint64, lifo bool, fault func(*State)) (got []string) {
	chance := rand.New(rand.NewPCG(seed, 1))
	m, st := vetting(t, func(p *Params) { p.MaxInflight, p.Online.LIFO, p.Online.Messages = 5, lifo, -1 })
	var b store.Batch
	var open []Question
	acked, sent := uint16(0), 0
	take := func() {
		for _, p := range received(t, m) {
			got = append(got, p.(*packet.Publish).Topic)
			if p.(*packet.Publish).QoS > 0 {
				sent++
			}
		}
		tally := takeTally(m)
		for _, d := range tally.Drops {
			got = append(got, d.Item.Message.Topic)
		}
	}
	for n := 0; n < 200 || st.Queue.Len() > 0; {
		switch chance.IntN(8) {
		case 0, 1:
			if n < 200 {
				it := message(uint64(n+1), mqtt.QoS(n%2))
				if n%2 == 0 {
					it.Number = 0
				}
				it.Message.Topic = fmt.Sprintf("%03d", n)
				m.Deliver(t0, it, &b)
				n++
			}
		case 2, 3, 4:
			if q, ok := m.Question(); ok {
				open = append(open, q)
			}
		case 5:
			if len(open) > 0 {
				i := chance.IntN(len(open))
				m.Vetted(t0, open[i], Answer{Drop: chance.IntN(3) == 0}, &b)
				take()
				open[i] = open[len(open)-1]
				open = open[:len(open)-1]
			}
		case 6:
			m.Vet(chance.IntN(10) > 0)
			m.Flow(t0, &b)
			take()
		case 7:
			if int(acked) < sent {
				acked++
				for _, f := range st.window.list[st.window.head:] {
					if f.step == stepSent {
						_, _ = m.Receive(t0, &packet.Puback{Ack: packet.Ack{PacketID: f.id()}}, &b)
						break
					}
				}
			}
			if fault != nil && chance.IntN(20) == 0 {
				fault(st)
			}
		}
	}
	return got
}

// judge says what is wrong with 200 messages that should be there once, and
// unless lifo in order.
func judge(got []string, lifo bool) string {
	seen := map[string]bool{}
	for i, g := range got {
		if seen[g] {
			return "twice: " + g
		}
		if seen[g] = true; !lifo && i > 0 && got[i-1] > g {
			return got[i-1] + " before " + g
		}
	}
	if len(got) != 200 {
		return fmt.Sprintf("%d messages", len(got))
	}
	return ""
}

// TestVetted_Askers: however questions and answers interleave, each message is
// sent or dropped once, in order.
func TestVetted_Askers(t *testing.T) {
	for seed := range uint64(100) {
		for _, lifo := range []bool{false, true} {
			if bad := judge(askers(t, seed, lifo, nil), lifo); bad != "" {
				t.Fatalf("seed %d, lifo %v: %s", seed, lifo, bad)
			}
		}
	}
}

// TestVetted_PlantedFaults: a message that loses its place, is lost or doubled
// is noticed.
func TestVetted_PlantedFaults(t *testing.T) {
	for name, fault := range map[string]func(*State){
		"order": func(s *State) {
			if it, ok := s.Queue.Pop(false); ok {
				s.Push(it, unlimited)
			}
		},
		"loss": func(s *State) { s.Queue.Pop(false) },
		"twice": func(s *State) {
			if it, ok := s.Queue.Next(false); ok {
				it.Message = &mqtt.Message{Topic: it.Message.Topic}
				s.Push(it, unlimited)
			}
		},
	} {
		noticed := 0
		for seed := range uint64(10) {
			if judge(askers(t, seed, false, fault), false) != "" {
				noticed++
			}
		}
		if noticed < 8 {
			t.Errorf("%s: noticed in %d runs of 10", name, noticed)
		}
	}
}

var unlimited = queue.Limits{Messages: -1}
