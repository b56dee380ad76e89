package packet

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func TestDecoder_FirstByte(t *testing.T) {
	var cases []refusal
	for first := range 256 { // [MQTT-3.1.0-1]
		if first>>4 != int(TypeConnect) {
			cases = append(cases, refusal{"first packet", 0, []byte{byte(first)}, mqtt.ProtocolError})
		}
	}
	cases = append(cases, forVersions("type 0", []byte{0}, mqtt.ProtocolError, v31, v311, v5)...)
	// [MQTT-2.1.3-1]; one byte is enough.
	for _, typ := range []Type{TypeConnack, TypePuback, TypePubrec, TypePubrel, TypePubcomp, TypeSubscribe, TypeSuback,
		TypeUnsubscribe, TypeUnsuback, TypePingreq, TypePingresp, TypeDisconnect, TypeAuth} {
		for flags := range byte(16) {
			good := byte(0)
			if typ == TypePubrel || typ == TypeSubscribe || typ == TypeUnsubscribe {
				good = 2
			}
			if flags == good {
				continue
			}
			cases = append(cases, refusal{"flags of " + typ.String(), v5, []byte{byte(typ)<<4 | flags}, mqtt.MalformedPacket})
			if typ != TypeAuth {
				cases = append(cases, refusal{"flags of " + typ.String(), v311, []byte{byte(typ)<<4 | flags}, mqtt.MalformedPacket})
			}
		}
	}
	testRefusals(t, cases)
}

func TestDecoder_RemainingLength(t *testing.T) {
	for _, v := range []mqtt.Version{v31, v311, v5} {
		for _, p := range [][]byte{ // [MQTT-1.5.5-1]
			{0x30, 0x80, 0x80, 0x80, 0x80}, {0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, {0x30, 0x80, 0x00},
			{0x30, 0x83, 0x80, 0x00}, {0x30, 0xFF, 0xFF, 0x80, 0x00},
		} {
			testRefusals(t, []refusal{{"remaining length", v, p, mqtt.MalformedPacket}})
		}
	}
	for _, n := range []int{0, 1, 127, 128, 16383, 16384, 2097151, 2097152, MaxRemaining} {
		p := appendVarint(nil, uint32(n))
		got, k, ok := varint(p)
		if int(got) != n || k != len(p) || !ok || varintSize(n) != len(p) {
			t.Errorf("varint(% x) = %d, %d, %v, want %d", p, got, k, ok, n)
		}
		for i := range p {
			if _, k, ok := varint(p[:i]); k != 0 || !ok {
				t.Errorf("varint(% x) = %d, %v", p[:i], k, ok)
			}
		}
	}
}

// A packet above MaxSize is refused on its fixed header, whatever follows.
func TestDecoder_MaxSize(t *testing.T) {
	for _, c := range []struct {
		max int
		p   []byte
		ok  bool
	}{
		{10, frame(0x30, "abc", 'd', 'e', 'f'), true}, {9, frame(0x30, "abc", 'd', 'e'), true},
		{8, frame(0x30, "abc", 'd', 'e'), false}, {8, []byte{0x30, 7}, false}, {9, []byte{0x30, 7}, true},
		{1 << 20, []byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, false}, {0, []byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, true},
	} {
		d := Decoder{Version: v311, MaxSize: c.max}
		_, _, err := d.Decode(c.p)
		var e *mqtt.Error
		if c.ok != (err == nil) || !c.ok && (!errors.As(err, &e) || e.Code != mqtt.PacketTooLarge) {
			t.Errorf("MaxSize %d: Decode(% x): %v", c.max, c.p, err)
		}
	}
	d := Decoder{MaxSize: 10}
	if _, _, err := d.Decode(connectBytes("MQTT", 4, 2, "c")); err == nil {
		t.Error("CONNECT above MaxSize is accepted")
	}
}

// Each packet of a stream comes out when its last byte is there, and not
// before.
func TestDecoder_ByteByByte(t *testing.T) {
	for _, v := range []mqtt.Version{v31, v311, v5} {
		g := newGenerator(1)
		var stream []byte
		var want []Packet
		first := g.connect(v)
		first.CleanStart, first.Bridge = true, false
		for i, pkt := range append([]Packet{first}, g.packets(v, 200)...) {
			if i > 0 && pkt.Type() == TypeConnect {
				continue
			}
			stream, want = pkt.Append(stream, v), append(want, pkt)
		}
		var d Decoder
		start, got := 0, 0
		for end := range len(stream) + 1 {
			pkt, n, err := d.Decode(stream[start:end])
			if err != nil || n != 0 && n != end-start || (n == 0) != (pkt == nil) {
				t.Fatalf("%v: Decode(% x) = %v, %d, %v", v, stream[start:end], pkt, n, err)
			}
			if n == 0 {
				continue
			}
			if !reflect.DeepEqual(pkt, want[got]) {
				t.Fatalf("%v: got %+v, want %+v", v, pkt, want[got])
			}
			start, got = end, got+1
		}
		if got != len(want) || start != len(stream) {
			t.Errorf("%v: %d of %d packets, %d of %d bytes", v, got, len(want), start, len(stream))
		}
	}
}

// Several packets in one buffer come out one by one.
func TestDecoder_Several(t *testing.T) {
	p := raw(connectBytes("MQTT", 5, 2, 0, "c"), frame(0xC0), frame(0x30, "t", 0, 'x'), frame(0xE0))
	want := []Type{TypeConnect, TypePingreq, TypePublish, TypeDisconnect}
	var d Decoder
	for _, w := range want {
		pkt, n, err := d.Decode(p)
		if err != nil || pkt.Type() != w {
			t.Fatalf("Decode(% x) = %v, %d, %v", p, pkt, n, err)
		}
		p = p[n:]
	}
	if len(p) != 0 {
		t.Errorf("% x is left", p)
	}
}

// Every packet cut at any place, with the remaining length corrected, is
// refused or a shorter valid form, and never reads beyond its end.
func TestDecoder_Truncated(t *testing.T) {
	for _, v := range []mqtt.Version{v31, v311, v5} {
		g := newGenerator(2)
		for _, pkt := range g.packets(v, 200) {
			p := pkt.Append(nil, v)
			if len(p) > 1000 {
				continue // each is cut at every byte
			}
			_, k, _ := varint(p[1:])
			for body := p[1+k:]; len(body) > 0; {
				body = body[:len(body)-1]
				cut := frame(p[0], append([]byte(nil), body...))
				d := Decoder{Version: v}
				got, n, err := d.Decode(cut)
				if (err == nil) != (n == len(cut)) || (err == nil) != (got != nil) {
					t.Fatalf("%v Decode(% x) = %v, %d, %v", v, cut, got, n, err)
				}
			}
		}
	}
}

// A packet above MaxRemaining cannot be said and appends nothing.
func TestAppend_TooLarge(t *testing.T) {
	user := make([]mqtt.UserProperty, 4100)
	for i := range user { // all share one string
		user[i].Key = longText
	}
	ack := Ack{PacketID: 1, UserProperties: user}
	for _, pkt := range []Packet{
		&Connect{UserProperties: user}, &Connack{UserProperties: user}, &Puback{ack}, &Pubrec{ack}, &Pubrel{ack},
		&Pubcomp{ack}, &Subscribe{UserProperties: user}, &Suback{UserProperties: user}, &Unsubscribe{UserProperties: user},
		&Unsuback{UserProperties: user}, &Disconnect{UserProperties: user}, &Auth{UserProperties: user},
	} {
		if got := pkt.Append([]byte("x"), v5); string(got) != "x" {
			t.Errorf("%v: %d bytes written", pkt.Type(), len(got))
		}
		if s, ok := pkt.(interface{ Size(mqtt.Version) int }); ok && s.Size(v5) <= MaxRemaining {
			t.Errorf("%v: Size = %d", pkt.Type(), s.Size(v5))
		}
	}
	var w writer
	if w.begin(TypePublish, 0, MaxRemaining+1) || !w.begin(TypePublish, 0, MaxRemaining) {
		t.Error("MaxRemaining is not the limit")
	}
}

var longText = strings.Repeat("x", 65535)

// The error says which packet it was and shows the input.
func TestDecoder_ErrorText(t *testing.T) {
	d := Decoder{Version: v5}
	_, _, err := d.Decode(frame(0x30, "t", props(0x08, "a/#")))
	const want = `packet: publish: response topic "a/#" contains a wildcard (protocol_error)`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Property and reason code tables are complete.
func TestTables(t *testing.T) {
	var properties, codes int
	for _, p := range allowed {
		if p != 0 {
			properties++
		}
	}
	for _, p := range reasons {
		if p != 0 {
			codes++
		}
	}
	if properties != 27 || codes != 43 {
		t.Errorf("%d properties and %d reason codes", properties, codes)
	}
}
