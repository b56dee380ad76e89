package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// apart is traffic whose connections go nowhere: what is sent stays in out.
func apart(t testing.TB, o *options) *traffic {
	l, err := newLoop()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	o.prefix = "apart"
	x := newTraffic(l, o, o.shape("pair"))
	for _, p := range x.pubs {
		p.c = &conn{closed: true}
	}
	return x
}

// TestOpenLoop_IntendedTimes: late or early, each message carries the time at
// which it was to be sent, and none is left out.
func TestOpenLoop_IntendedTimes(t *testing.T) {
	x := apart(t, &options{pairs: 4, rate: 250, size: 64, version: mqtt.V311})
	x.began = 1000
	const interval = int64(1e6)
	for _, now := range []int64{0, 1000, 1000 + 3*interval, 1000 + 3*interval + 1, 1000 + 50*interval} {
		next, err := x.schedule(now)
		if err != nil {
			t.Fatal(err)
		}
		if next <= now || next > now+interval && now >= x.began {
			t.Errorf("at %d the next one is due at %d", now, next)
		}
	}
	total := 0
	for i, p := range x.pubs {
		in := p.c.out
		for k := int64(0); len(in) > 0; k++ {
			head, body, n, err := cut(in)
			if err != nil || n == 0 {
				t.Fatal(n, err)
			}
			d, err := parseDelivery(head, body, mqtt.V311)
			if err != nil {
				t.Fatal(err)
			}
			want := stamp{at: 1000 + (k*4+int64(i))*interval, sender: uint32(i), number: uint64(k)}
			if s := readStamp(d.payload); s != want {
				t.Errorf("publisher %d: got %+v, want %+v", i, s, want)
			}
			in = in[n:]
			total++
		}
	}
	if total != 51 {
		t.Errorf("%d messages in 50 intervals", total)
	}
}

// TestOpenLoop_DelayOfTheBrokerIsLatency: a broker that stands still for a
// while delays all messages that were due meanwhile, not one.
func TestOpenLoop_DelayOfTheBrokerIsLatency(t *testing.T) {
	x := apart(t, &options{pairs: 1, rate: 1000, size: 64, version: mqtt.V311})
	if _, err := x.schedule(100e6); err != nil {
		t.Fatal(err)
	}
	for in := x.pubs[0].c.out; len(in) > 0; {
		_, body, n, _ := cut(in)
		d, _ := parseDelivery(headPublish, body, mqtt.V311)
		x.arrive(0, d.payload, 100e6)
		in = in[n:]
	}
	if p50 := x.lat.quantile(0.5); x.lat.count != 101 || p50 < 49*time.Millisecond || p50 > 51*time.Millisecond {
		t.Errorf("%d arrived, median %v", x.lat.count, p50)
	}
}

// TestHotPath_NoAllocation: neither sending nor receiving allocates.
func TestHotPath_NoAllocation(t *testing.T) {
	for _, qos := range []mqtt.QoS{0, 1, 2} {
		x := apart(t, &options{pairs: 1, size: 128, qos: qos, window: 64, version: mqtt.V5})
		p, s, c := x.pubs[0], x.subs[0], &conn{closed: true}
		round := func() {
			p.c.out, c.out = p.c.out[:0], c.out[:0]
			if err := p.pump(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.bytes(c, p.c.out); err != nil {
				t.Fatal(err)
			}
			x.due, p.due = x.due[:0], false
			p.acked = p.sent
		}
		round()
		if n := testing.AllocsPerRun(100, round); n != 0 {
			t.Errorf("QoS %d: %v allocations for 64 messages", qos, n)
		}
		if x.missing() != 0 || p.sent < 64*100 {
			t.Errorf("QoS %d: %d sent, %d missing", qos, p.sent, x.missing())
		}
	}
}

func TestWire_AgainstCodec(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
		for _, qos := range []mqtt.QoS{0, 1, 2} {
			tmpl := newTemplate(numbered("a", "/t", 0), qos, true, 200, v)
			p := tmpl.append([]byte("before"), stamp{1, 2, 3}, 0x1234)[len("before"):]
			tmpl.number(p, 12345678)
			dec := packet.Decoder{Version: v}
			pkt, n, err := dec.Decode(p)
			if err != nil || n != len(p) {
				t.Fatal(n, err)
			}
			pub := pkt.(*packet.Publish)
			if pub.Topic != "a/12345678/t" || pub.QoS != qos || !pub.Retain || len(pub.Payload) != 200 || qos > 0 && pub.PacketID != 0x1234 {
				t.Errorf("%v QoS %d: %+v", v, qos, pub)
			}
			head, body, n, err := cut(p)
			if err != nil || n != len(p) {
				t.Fatal(n, err)
			}
			d, err := parseDelivery(head, body, v)
			if err != nil || d.qos != qos || d.id != pub.PacketID || !bytes.Equal(d.payload, pub.Payload) || readStamp(d.payload) != (stamp{1, 2, 3}) {
				t.Errorf("%v QoS %d: %+v %v", v, qos, d, err)
			}
			for i := range p {
				if _, _, n, err := cut(p[:i]); n != 0 || err != nil {
					t.Errorf("a packet was cut from its first %d bytes", i)
				}
			}
		}
	}
	if _, _, _, err := cut([]byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF}); err == nil {
		t.Error("an endless length was accepted")
	}
	for _, body := range [][]byte{{}, {0}, {0, 9, 'a'}} {
		if _, err := parseDelivery(headPublish, body, mqtt.V5); err == nil {
			t.Errorf("% x was accepted", body)
		}
	}
}

func TestProc_OwnProcess(t *testing.T) {
	pids := []int{os.Getpid()}
	before, err := consumed(pids)
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
	}
	after, err := consumed(pids)
	if err != nil {
		t.Fatal(err)
	}
	if used := after.cpu - before.cpu; used < 10*time.Millisecond || used > 5*time.Second {
		t.Errorf("50 ms of work took %v", used)
	}
	if n, err := resident(pids); err != nil || n < 1<<20 {
		t.Errorf("resident: %d, %v", n, err)
	}
	gone := []int{1 << 30}
	if _, err := consumed(gone); err == nil {
		t.Error("a process that is not there has CPU time")
	}
	if _, err := resident(gone); err == nil {
		t.Error("a process that is not there has memory")
	}
}
