package packet

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func TestPublish_Golden(t *testing.T) {
	all := &Publish{Dup: true, QoS: 2, Retain: true, Topic: "a/b", PacketID: 10, Payload: []byte("hi")}
	testGolden(t, []golden{
		{"3.1", v31, all, []byte{0x3D, 9, 0, 3, 'a', '/', 'b', 0, 10, 'h', 'i'}},
		{"3.1.1", v311, all, []byte{0x3D, 9, 0, 3, 'a', '/', 'b', 0, 10, 'h', 'i'}},
		{"3.1.1 QoS 0", v311, &Publish{Topic: "a", Payload: []byte{}}, []byte{0x30, 3, 0, 1, 'a'}},
		// MQTT 5.0 §3.3.2, figure 3-9: topic a/b, packet identifier 10, no properties.
		{"5.0", v5, all, []byte{0x3D, 10, 0, 3, 'a', '/', 'b', 0, 10, 0, 'h', 'i'}},
		{"5.0 properties", v5, &Publish{Topic: "a", TopicAlias: 7, HasTopicAlias: true, MessageExpiry: 1, HasMessageExpiry: true,
			SubscriptionIDs: []uint32{1, 128}, Properties: raw(0x01, 1, 0x03, "ct"), Payload: []byte("x")},
			[]byte{0x30, 25, 0, 1, 'a', 20, 0x23, 0, 7, 2, 0, 0, 0, 1, 0x0B, 1, 0x0B, 0x80, 1, 1, 1, 3, 0, 2, 'c', 't', 'x'}},
		{"5.0 alias only", v5, &Publish{HasTopicAlias: true, Payload: []byte{}}, []byte{0x30, 6, 0, 0, 3, 0x23, 0, 0}},
	})
}

func TestPublish_Refused(t *testing.T) {
	const mal, pro = mqtt.MalformedPacket, mqtt.ProtocolError
	p5 := func(parts ...any) []byte { return frame(0x30, "t", props(parts...), 'x') }
	var cases []refusal
	for name, p := range map[string][]byte{
		"QoS 3":                frame(0x36, "t", n16(1)), // [MQTT-3.3.1-4]
		"DUP with QoS 0":       frame(0x38, "t"),         // [MQTT-3.3.1-2]
		"topic not UTF-8":      frame(0x30, "\xff"),      // [MQTT-3.3.2-1] [MQTT-1.5.4-1]
		"topic with U+0000":    frame(0x30, "a\x00"),     // [MQTT-1.5.4-2]
		"topic with surrogate": frame(0x30, "\xed\xa0\x80"),
		"topic overlong":       frame(0x30, "\xc1\xbf"),
		"topic cut":            frame(0x30, n16(3), 'a'),
		"no topic":             frame(0x30),
		"no packet identifier": frame(0x32, "t"),
	} {
		cases = append(cases, forVersions(name, p, mal, v31, v311, v5)...)
	}
	cases = append(cases, forVersions("packet identifier 0", frame(0x32, "t", n16(0), 0), pro, v31, v311, v5)...) // [MQTT-2.2.1-3]
	testRefusals(t, append(cases, []refusal{
		{"no property length", v5, frame(0x30, "t"), mal},
		{"property length beyond the end", v5, frame(0x30, "t", 2, 1), mal},
		{"property length of five bytes", v5, frame(0x30, "t", 0x80, 0x80, 0x80, 0x80, 1), mal},
		{"property length overlong", v5, frame(0x30, "t", 0x80, 0), mal}, // [MQTT-1.5.5-1]
		{"property length cut", v5, frame(0x30, "t", 0x80), mal},
		{"payload format 2", v5, p5(0x01, 2), pro},
		{"payload format twice", v5, p5(0x01, 0, 0x01, 0), pro},
		{"message expiry twice", v5, p5(0x02, n32(0), 0x02, n32(0)), pro},
		{"topic alias twice", v5, p5(0x23, n16(1), 0x23, n16(1)), pro},
		{"content type twice", v5, p5(0x03, "a", 0x03, "a"), pro},
		{"content type not UTF-8", v5, p5(0x03, "\xff"), mal}, // [MQTT-3.3.2-19]
		{"response topic twice", v5, p5(0x08, "a", 0x08, "a"), pro},
		{"response topic not UTF-8", v5, p5(0x08, "\xff"), mal}, // [MQTT-3.3.2-13]
		{"response topic with +", v5, p5(0x08, "a/+"), pro},     // [MQTT-3.3.2-14]
		{"response topic with #", v5, p5(0x08, "#"), pro},
		{"correlation data twice", v5, p5(0x09, "a", 0x09, "a"), pro},
		{"correlation data cut", v5, p5(0x09, n16(2), 1), mal},
		{"subscription identifier 0", v5, p5(0x0B, 0), pro},
		{"subscription identifier overlong", v5, p5(0x0B, 0x81, 0), mal},
		{"user property without value", v5, p5(0x26, "k"), mal},
		{"user property with U+0000", v5, p5(0x26, "k", "\x00"), mal},
		{"server keep alive", v5, p5(0x13, n16(1)), mal},
		{"will delay", v5, p5(0x18, n32(1)), mal},
		{"property 0", v5, p5(0x00, 1), mal},
		{"property beyond its section", v5, frame(0x30, "t", 2, 0x02, 0, 0, 0, 0), mal},
	}...))
}

// The message's own properties keep their order; scattered ones are put
// together, contiguous ones stay where they are.
func TestPublish_Properties(t *testing.T) {
	user, expiry, alias, format := raw(0x26, "k", "v"), raw(0x02, n32(9)), raw(0x23, n16(3)), raw(0x01, 1)
	id := raw(0x0B, 200, 1)
	for _, c := range []struct {
		props []any
		want  []byte
		view  bool
	}{
		{[]any{}, nil, false},
		{[]any{expiry, alias}, nil, false},
		{[]any{user, format}, raw(user, format), true},
		{[]any{expiry, user, format, user, alias}, raw(user, format, user), true},
		{[]any{user, expiry, format}, raw(user, format), false},
		{[]any{alias, user, expiry, format, id, user, id, user, user}, raw(user, format, user, user, user), false},
	} {
		p := frame(0x30, "t", props(c.props...), 'x')
		got := mustDecode(t, v5, p).(*Publish)
		if !reflect.DeepEqual(got.Properties, c.want) || string(got.Payload) != "x" {
			t.Errorf("% x: got % x, want % x", p, got.Properties, c.want)
		}
		if inside(p, unsafe.SliceData(got.Properties)) != c.view {
			t.Errorf("% x: points into the packet: want %v", p, c.view)
		}
	}
}

func inside(p []byte, at *byte) bool {
	first, last := uintptr(unsafe.Pointer(&p[0])), uintptr(unsafe.Pointer(&p[len(p)-1]))
	return uintptr(unsafe.Pointer(at)) >= first && uintptr(unsafe.Pointer(at)) <= last
}

// Nothing of one PUBLISH is left in the next.
func TestPublish_Reuse(t *testing.T) {
	d := Decoder{Version: v5}
	first := frame(0x3B, "topic", n16(9), props(0x0B, 5, 0x26, "k", "v", 0x02, n32(1), 0x26, "k", "v", 0x23, n16(1)), 'x')
	second := frame(0x30, "t", 0)
	for range 3 {
		if _, _, err := d.Decode(first); err != nil {
			t.Fatal(err)
		}
		pkt, _, err := d.Decode(second)
		if want := (&Publish{Topic: "t", Payload: []byte{}}); err != nil || !reflect.DeepEqual(pkt, want) {
			t.Fatalf("got %+v, %v", pkt, err)
		}
	}
}

// Large scratch memory is not kept for ever.
func TestPublish_ScratchLimit(t *testing.T) {
	d := Decoder{Version: v5}
	many := frame(0x30, "t", props(times(5000, raw(0x0B, 1, 0x26, "k", "v"))))
	pkt, _, err := d.Decode(many)
	if err != nil || len(pkt.(*Publish).SubscriptionIDs) != 5000 || len(pkt.(*Publish).Properties) != 35000 {
		t.Fatalf("%v, %v", pkt, err)
	}
	if d.ids != nil || d.props != nil {
		t.Error("scratch memory is kept")
	}
}

func TestPublish_AppendHeader(t *testing.T) {
	p := &Publish{QoS: 1, PacketID: 1, Topic: "t", Properties: raw(0x01, 1), Payload: []byte("payload")}
	for _, v := range []mqtt.Version{v31, v311, v5} {
		head := p.AppendHeader([]byte{}, v)
		rest := p.Payload
		if v == v5 {
			rest = raw(p.Properties, p.Payload)
		}
		if got, want := raw(head, rest), p.Append(nil, v); !bytes.Equal(got, want) || len(want) != p.Size(v) {
			t.Errorf("%v: got % x, want % x (%d)", v, got, want, p.Size(v))
		}
	}
	p = &Publish{Dup: true, Topic: "t"}
	if got := p.Append(nil, v311)[0]; got != 0x30 { // [MQTT-3.3.1-2]
		t.Errorf("DUP with QoS 0 written: %02x", got)
	}
}

// The lengths stay right when a field or the packet is larger than MQTT knows.
func TestPublish_Oversize(t *testing.T) {
	p := &Publish{Topic: strings.Repeat("ä", 40000)} // the limit falls into a character
	got := p.Append(nil, v5)
	d := mustDecode(t, v5, got).(*Publish)
	if len(d.Topic) != 65534 || p.Size(v5) != len(got) {
		t.Errorf("topic of %d bytes, %d bytes, Size %d", len(d.Topic), len(got), p.Size(v5))
	}
	p = &Publish{Topic: "t", SubscriptionIDs: []uint32{1 << 31}}
	if got := p.Append(nil, v5); len(got) != p.Size(v5) {
		t.Errorf("% x, Size %d", got, p.Size(v5))
	}
}

func TestMessageProperties(t *testing.T) {
	m := MessageProperties{PayloadFormat: 1, HasPayloadFormat: true, ContentType: "c", HasContentType: true,
		ResponseTopic: "r", HasResponseTopic: true, CorrelationData: []byte{}, HasCorrelationData: true,
		UserProperties: []mqtt.UserProperty{{Key: "b", Value: "1"}, {Key: "a", Value: "2"}, {Key: "b", Value: "3"}}}
	p := m.Append(nil)
	want := raw(0x01, 1, 0x03, "c", 0x08, "r", 0x09, "", 0x26, "b", "1", 0x26, "a", "2", 0x26, "b", "3")
	if !bytes.Equal(p, want) {
		t.Errorf("Append = % x, want % x", p, want)
	}
	got, err := DecodeProperties(p)
	clear(p)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("DecodeProperties = %+v, %v", got, err)
	}
	if got, err := DecodeProperties(nil); err != nil || !reflect.DeepEqual(got, MessageProperties{}) {
		t.Errorf("DecodeProperties(nil) = %+v, %v", got, err)
	}
	if got := (&MessageProperties{}).Append(nil); len(got) != 0 {
		t.Errorf("Append of the zero value = % x", got)
	}
	for _, c := range []struct {
		p    []byte
		want mqtt.ReasonCode
	}{
		{raw(0x02, n32(1)), mqtt.MalformedPacket}, {raw(0x0B, 1), mqtt.MalformedPacket}, {raw(0x01, 0, 0x01, 0), mqtt.ProtocolError},
		{raw(0x01, 2), mqtt.ProtocolError}, {raw(0x08, "#"), mqtt.ProtocolError}, {raw(0x26, "k"), mqtt.MalformedPacket},
		{raw(0x01), mqtt.MalformedPacket}, {raw(0x7F), mqtt.MalformedPacket},
	} {
		_, err := DecodeProperties(c.p)
		if e, ok := err.(*mqtt.Error); !ok || e.Code != c.want {
			t.Errorf("DecodeProperties(% x): %v, want %v", c.p, err, c.want)
		}
	}
}
