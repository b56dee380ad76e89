package conn_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/pressure"
)

// announced is the begin of a PUBLISH of 256 MB, with n bytes of it.
func announced(n int) []byte { return append([]byte{0x30, 0xff, 0xff, 0xff, 0x7f}, make([]byte, n)...) }

// message is a PUBLISH of QoS 1 with n bytes.
func message(id uint16, topic string, n int) []byte {
	return (&packet.Publish{QoS: 1, Topic: topic, PacketID: id, Payload: make([]byte, n)}).Append(nil, mqtt.V5)
}

// wait lets the time until now pass for the connection: pauses end.
func (s *socket) wait(now time.Time) {
	s.h.Deadline(now)
	if s.parked {
		s.feedAt(now, nil)
	}
}

// sheds has b end connections because of x, and returns which of list it ended.
func sheds(b *brokertest.Broker, now time.Time, x pressure.Shortage, list ...*socket) (ended []int) {
	b.Server.Shed(now, x)
	for i, s := range list {
		if s.ended() {
			ended = append(ended, i)
		}
	}
	return ended
}

// TestIntake_Slows: bytes of a packet that is not whole count when they come, and
// near the limit those that send are slowed down, none is ended.
func TestIntake_Slows(t *testing.T) {
	w := pressure.Still(80<<20, 100<<20)
	b := brokertest.Start(t, brokertest.Options{Pressure: w})
	big, small := dial(t, b, "big", mqtt.V5), dial(t, b, "small", mqtt.V5)
	big.feed(announced(1 << 20))
	small.feed(announced(100 << 10))
	if big.parked || small.parked {
		t.Fatal("slowed down although memory is ample")
	}
	w.Hold(4 << 20) // so much has come to others since the last sample
	small.feed(make([]byte, 300<<10))
	if !small.parked {
		t.Error("not slowed down by what is not whole")
	}
	w.Took(1 << 20)
	big.feed(make([]byte, 600<<10))
	if !big.parked || big.ended() || small.ended() {
		t.Errorf("big is read on: %v, ended: big %v, small %v", !big.parked, big.ended(), small.ended())
	}
}

// TestIntake_Counts: what comes in counts before a sample, and so does what each
// message takes in the queues that it is put into.
func TestIntake_Counts(t *testing.T) {
	const limit = 100 << 20
	w := pressure.Still(0, limit)
	b := brokertest.Start(t, brokertest.Options{Pressure: w, Set: []string{"max_online_messages=-1"}})
	for _, name := range []string{"a", "b", "c"} {
		s := dial(t, b, name, mqtt.V5)
		s.feed((&packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: "many", QoS: 1}}}).Append(nil, mqtt.V5))
		s.mu.Lock()
		s.room = 0
		s.mu.Unlock()
	}
	pub := dial(t, b, "pub", mqtt.V5)
	w.Say(limit/10*9 - 64<<10)
	if pub.feed(message(1, "none", 65<<10)); w.Allowance() == 0 {
		t.Error("a large message does not count")
	}
	w.Say(limit/10*9 - 64<<10)
	for i := range uint16(200) {
		pub.feed(message(i+1, "many", 0))
	}
	if w.Allowance() == 0 {
		t.Error("messages in queues do not count")
	}
}

// TestIntake_Pauses: who has sent more than it may is not read until that is made
// up for, in steps of a second, but at once when memory is ample again; until a
// sample has confirmed that it is scarce, only for moments.
func TestIntake_Pauses(t *testing.T) {
	w := pressure.Still(97<<20, 100<<20) // 4 kB/s
	b := brokertest.Start(t, brokertest.Options{Pressure: w, Set: []string{"allow_anonymous=on"}})
	w.Say(0)
	c := dial(t, b, "c", mqtt.V5)
	w.Say(97 << 20)
	now := time.Now()
	c.feedAt(now, message(1, "t", 16<<10))
	for i := range 3 { // 16 kB are 4 s' worth, of which one is free
		if !c.stuck() {
			t.Fatalf("read after %d s", i)
		}
		now = now.Add(time.Second)
		c.wait(now)
	}
	now = now.Add(time.Second)
	if c.wait(now); c.stuck() {
		t.Error("not read although all is made up for")
	}
	c.feedAt(now, message(2, "t", 16<<10))
	if w.Say(0); !c.stuck() {
		t.Error("read")
	}
	if c.wait(now.Add(time.Second)); c.stuck() {
		t.Error("not read although memory is ample")
	}
	w.Took(97 << 20)
	now = now.Add(time.Minute)
	if c.feedAt(now, message(3, "t", 16<<10)); !c.stuck() {
		t.Error("read before a sample")
	}
	if c.wait(now.Add(time.Second / 4)); !c.stuck() {
		t.Error("read on although there is still no sample")
	}
	w.Say(50 << 20)
	if c.wait(now.Add(time.Second / 2)); c.stuck() {
		t.Error("not read although the sample shows that memory is ample")
	}
}

// TestShed_Stuck: a subscriber whose socket takes nothing goes before publishers
// that are not read by us, and before one that still takes something.
func TestShed_Stuck(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Pressure: pressure.Still(0, 100<<20)})
	now := time.Now()
	var subs []*socket
	for _, name := range []string{"less", "most", "moves"} {
		s := dial(t, b, name, mqtt.V5)
		s.feed((&packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: name, QoS: 1}}}).Append(nil, mqtt.V5))
		s.mu.Lock()
		s.room = 0
		s.mu.Unlock()
		subs = append(subs, s)
	}
	pub := dial(t, b, "pub", mqtt.V5)
	for i := range uint16(10) {
		pub.feedAt(now, message(i+1, "most", 300<<10))
		pub.feedAt(now, message(i+1, "moves", 400<<10))
	}
	pub.feedAt(now, message(20, "less", 200<<10))
	b.Pressure.Say(97 << 20)
	pub.feedAt(now, announced(20<<20))
	all := append(subs, pub)
	later := now.Add(11 * time.Second)
	pub.h.Deadline(now.Add(time.Second))
	pub.feedAt(now.Add(time.Second), nil)
	subs[2].room = 1 << 10
	subs[2].h.Writable(later.Add(-time.Second))
	if ended := sheds(b, now.Add(5*time.Second), pressure.Shortage{Stopped: 1 << 20}, all...); len(ended) > 0 {
		t.Fatalf("%v ended after 5 s", ended)
	}
	if ended := sheds(b, later, pressure.Shortage{Stopped: 1 << 20}, all...); len(ended) != 1 || ended[0] != 1 {
		t.Fatalf("%v ended, want the stuck one that holds most", ended)
	}
	if ended := sheds(b, later, pressure.Shortage{Stopped: 100 << 20}, all...); len(ended) != 2 || ended[0] != 0 {
		t.Errorf("%v ended, want the stuck ones", ended)
	}
	if n := subs[0].h.(*conn.Conn).Waiting(); n > 0 {
		t.Errorf("%d bytes of output are kept although nobody will get them", n)
	}
	if n := b.Metrics.ConnectionsShed.Count(); n != 2 {
		t.Errorf("%d are counted", n)
	}
	if ended := sheds(b, later, pressure.Shortage{Stopped: 10 << 20, Any: 1 << 20}, all...); len(ended) != 3 || ended[2] != 2 {
		t.Errorf("%v ended, want the subscriber before the publisher that we do not read", ended)
	}
	if ended := sheds(b, later, pressure.Shortage{Stopped: 10 << 20, Any: 1 << 20}, all...); len(ended) != 4 {
		t.Errorf("%v ended, want all that hold much", ended)
	}
	if out := pub.out.Bytes(); !bytes.HasSuffix(out, []byte{0xe0, 1, byte(mqtt.QuotaExceeded)}) && !bytes.HasSuffix(out, []byte{0xe0, 2, byte(mqtt.QuotaExceeded), 0}) {
		t.Errorf("the end is % x", out[max(0, len(out)-8):])
	}
}

// TestShed_Parts: of those that have sent a part of a large packet, those go that
// have stopped or nearly so although they were read, biggest first.
func TestShed_Parts(t *testing.T) {
	w := pressure.Still(0, 1<<40)
	b := brokertest.Start(t, brokertest.Options{Pressure: w})
	now := time.Now()
	stops, crawls, goesOn, paused := dial(t, b, "stops", mqtt.V5), dial(t, b, "crawls", mqtt.V5), dial(t, b, "goes on", mqtt.V5), dial(t, b, "paused", mqtt.V5)
	all := []*socket{stops, crawls, goesOn, paused}
	for i, s := range all {
		s.feedAt(now, announced((5-i)<<20))
	}
	w.Say(99 << 40 / 100)
	paused.feedAt(now, make([]byte, 1<<20))
	for range 11 {
		now = now.Add(time.Second)
		crawls.feedAt(now, make([]byte, 1))
		crawls.wait(now)
		goesOn.feedAt(now, make([]byte, 500)) // as much as it may
		goesOn.wait(now)
		paused.wait(now)
	}
	w.Say(0)
	if ended := sheds(b, now, pressure.Shortage{Stopped: 1}, all...); len(ended) != 1 || ended[0] != 0 {
		t.Errorf("%v ended, want who has stopped", ended)
	}
	if ended := sheds(b, now, pressure.Shortage{Stopped: 1 << 40}, all...); len(ended) != 2 || ended[1] != 1 {
		t.Errorf("%v ended, want who has stopped or crawls", ended)
	}
	if ended := sheds(b, now, pressure.Shortage{Stopped: 1 << 40, Any: 1}, all...); len(ended) != 3 || ended[2] != 2 {
		t.Errorf("%v ended, want who holds most of the others", ended)
	}
}

// TestDeliver_Large: large messages are given to their receivers one after the
// other, not encoded for all of them first.
func TestDeliver_Large(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{})
	var subs []*socket
	for _, name := range []string{"a", "b", "c"} {
		s := dial(t, b, name, mqtt.V5)
		s.feed((&packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: "t"}}}).Append(nil, mqtt.V5))
		subs = append(subs, s)
	}
	for _, s := range subs {
		s.onWrite = func(p []byte) {
			for _, x := range subs {
				if n := x.h.(*conn.Conn).Waiting(); x != s && n > 0 {
					t.Errorf("%d bytes wait for %s while %d are written", n, x.name, len(p))
				}
			}
		}
	}
	pub := dial(t, b, "pub", mqtt.V5)
	pub.feed((&packet.Publish{Topic: "t", Payload: make([]byte, 300<<10)}).Append(nil, mqtt.V5))
	for _, s := range subs {
		if n := s.out.Len(); n < 300<<10 {
			t.Errorf("%s got %d bytes", s.name, n)
		}
	}
}
