package conn_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// publishes decodes what a socket has taken, and forgets it.
func (s *socket) publishes() (got []string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	dec := packet.Decoder{Version: mqtt.V5}
	for b := s.out.Bytes(); len(b) > 0; {
		p, n, err := dec.Decode(b)
		if err != nil || n == 0 {
			s.t.Fatalf("% x: %v", b, err)
		}
		if p, ok := p.(*packet.Publish); ok {
			got = append(got, fmt.Sprintf("%s=%s qos=%d retain=%v", p.Topic, p.Payload, p.QoS, p.Retain))
		}
		b = b[n:]
	}
	s.out.Reset()
	return got
}

// TestRetained_Overtaken: what changes between the reading of retained messages
// and their delivery, so that the client has got the live message already, is
// not followed by what was retained before.
func TestRetained_Overtaken(t *testing.T) {
	own := mqtt.SessionKey{ClientID: "c"}
	put := func(topic, payload string, q mqtt.QoS, from mqtt.SessionKey) *mqtt.Message {
		return &mqtt.Message{Topic: topic, Payload: []byte(payload), QoS: q, Retain: true, Publisher: from}
	}
	b := brokertest.Start(t, brokertest.Options{})
	for _, topic := range []string{"a", "b", "c", "d"} {
		b.Inject(put(topic, "1", 1, mqtt.SessionKey{}))
	}
	s := dial(t, b, "c", mqtt.V5)
	c := s.h.(*conn.Conn)
	s.feed((&packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: "#", QoS: 1, NoLocal: true, RetainHandling: mqtt.DoNotSendRetained}}}).Append(nil, mqtt.V5))
	s.publishes()

	deliver := c.RetainedPage(mqtt.Subscription{Filter: "#", QoS: 1, NoLocal: true})
	b.Inject(put("a", "2", 0, mqtt.SessionKey{}))
	b.Inject(put("b", "", 1, mqtt.SessionKey{}))
	b.Inject(put("c", "2", 1, own))
	b.Inject(put("e", "1", 1, mqtt.SessionKey{}))
	if got, want := s.publishes(), []string{"a=2 qos=0 retain=false", "b= qos=1 retain=false", "e=1 qos=1 retain=false"}; !slices.Equal(got, want) {
		t.Errorf("live: got %q, want %q", got, want)
	}
	deliver()
	if got, want := s.publishes(), []string{"a=2 qos=0 retain=true", "d=1 qos=1 retain=true"}; !slices.Equal(got, want) {
		t.Errorf("retained: got %q, want %q", got, want)
	}
	c.RetainedPage(mqtt.Subscription{Filter: "a"})()
	if got, want := s.publishes(), []string{"a=2 qos=0 retain=true"}; !slices.Equal(got, want) {
		t.Errorf("nothing has changed: got %q, want %q", got, want)
	}
	b.Balanced()
}
