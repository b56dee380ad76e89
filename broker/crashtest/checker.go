package crashtest

import (
	"fmt"
	"sync"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// stream is what one publisher sends with one QoS.
type stream struct {
	publisher int
	qos       mqtt.QoS
}

// Checker gathers what publishers were promised and subscribers got. Safe for
// concurrent use.
type Checker struct {
	mu    sync.Mutex
	sent  map[stream]int          // highest sequence number handed to the network
	again map[stream]map[int]bool // handed to the network more than once
	acked map[stream]map[int]bool // acknowledged: PUBACK or PUBREC
	got   map[int]map[stream]*receipt
	bad   []string
}

// receipt is what one subscriber got of one stream.
type receipt struct {
	times map[int]int    // by sequence number
	ids   map[int]uint16 // packet identifiers of QoS 1 messages, by sequence number
	last  int            // highest number got
}

// NewChecker returns a judge for subscribers 0 to n-1.
func NewChecker(n int) *Checker {
	c := &Checker{sent: map[stream]int{}, again: map[stream]map[int]bool{}, acked: map[stream]map[int]bool{}, got: map[int]map[stream]*receipt{}}
	for i := range n {
		c.got[i] = map[stream]*receipt{}
	}
	return c
}

// Sent says that a message was handed to the network.
func (c *Checker) Sent(publisher int, q mqtt.QoS, seq int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent[stream{publisher, q}] = seq
}

// SentAgain says that a message was repeated because its acknowledgement was
// missing, so that the broker may make a second copy of it.
func (c *Checker) SentAgain(publisher int, q mqtt.QoS, seq int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := stream{publisher, q}
	if c.again[s] == nil {
		c.again[s] = map[int]bool{}
	}
	c.again[s][seq] = true
}

// Acked says that the broker has acknowledged a message: from here on it must
// not be lost.
func (c *Checker) Acked(publisher int, q mqtt.QoS, seq int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := stream{publisher, q}
	if c.acked[s] == nil {
		c.acked[s] = map[int]bool{}
	}
	c.acked[s][seq] = true
}

// Got says that a subscriber's application was given a message.
func (c *Checker) Got(subscriber, publisher int, q mqtt.QoS, seq int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := stream{publisher, q}
	r := c.got[subscriber][s]
	if r == nil {
		r = &receipt{times: map[int]int{}, ids: map[int]uint16{}}
		c.got[subscriber][s] = r
	}
	r.times[seq]++
	if seq > c.sent[s] {
		c.say("subscriber %d: %v number %d was never sent", subscriber, s, seq)
	}
	if r.times[seq] == 1 && seq < r.last {
		c.say("subscriber %d: %v number %d first came after %d", subscriber, s, seq, r.last)
	}
	if r.times[seq] > 1 && q == mqtt.ExactlyOnce {
		c.say("subscriber %d: %v number %d came %d times", subscriber, s, seq, r.times[seq])
	}
	r.last = max(r.last, seq)
}

// Under says which packet identifier and DUP flag a QoS 1 message came with, to
// be called after Got: a copy that comes again does so under its identifier, as
// a repeat.
//
// Spec: MQTT 5.0 §4.4 [MQTT-4.4.0-1].
func (c *Checker) Under(subscriber, publisher, seq int, id uint16, dup bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := stream{publisher, mqtt.AtLeastOnce}
	r := c.got[subscriber][s]
	if r.times[seq] > 1 && !c.again[s][seq] && (r.ids[seq] != id || !dup) {
		c.say("subscriber %d: %v number %d came again under identifier %d instead of %d, DUP %v", subscriber, s, seq, id, r.ids[seq], dup)
	}
	r.ids[seq] = id
}

// Missing returns how many acknowledged messages subscribers have not got yet.
func (c *Checker) Missing() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.missing(func(int, stream, int) { n++ })
	return n
}

func (c *Checker) missing(f func(subscriber int, s stream, seq int)) {
	for sub, streams := range c.got {
		for s, acked := range c.acked {
			for seq := range acked {
				if r := streams[s]; r == nil || r.times[seq] == 0 {
					f(sub, s, seq)
				}
			}
		}
	}
}

// Acks returns how many messages were acknowledged.
func (c *Checker) Acks() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.acked {
		n += len(a)
	}
	return n
}

// Verdict returns everything that went wrong, at most fifty lines.
func (c *Checker) Verdict() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.missing(func(sub int, s stream, seq int) {
		c.say("subscriber %d: %v number %d was acknowledged and lost", sub, s, seq)
	})
	return c.bad
}

func (c *Checker) say(format string, args ...any) {
	if len(c.bad) < 50 {
		c.bad = append(c.bad, fmt.Sprintf(format, args...))
	}
}

// String names a stream.
func (s stream) String() string { return fmt.Sprintf("publisher %d QoS %d", s.publisher, s.qos) }
