package packet

import (
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func TestSubscribe_Golden(t *testing.T) {
	// MQTT 3.1.1 and 5.0 §3.8.3: a/b with QoS 1, c/d with QoS 2.
	two := []TopicFilter{{Filter: "a/b", QoS: 1}, {Filter: "c/d", QoS: 2}}
	testGolden(t, []golden{
		{"3.1", v31, &Subscribe{PacketID: 10, Topics: two},
			[]byte{0x82, 14, 0, 10, 0, 3, 'a', '/', 'b', 1, 0, 3, 'c', '/', 'd', 2}},
		{"3.1.1", v311, &Subscribe{PacketID: 10, Topics: two},
			[]byte{0x82, 14, 0, 10, 0, 3, 'a', '/', 'b', 1, 0, 3, 'c', '/', 'd', 2}},
		{"5.0", v5, &Subscribe{PacketID: 10, Topics: two},
			[]byte{0x82, 15, 0, 10, 0, 0, 3, 'a', '/', 'b', 1, 0, 3, 'c', '/', 'd', 2}},
		{"5.0 all", v5, &Subscribe{PacketID: 1, SubscriptionID: MaxRemaining,
			Topics:         []TopicFilter{{"#", 2, true, true, mqtt.DoNotSendRetained}, {"$share/g/#", 1, false, true, mqtt.SendRetainedIfNew}},
			UserProperties: []mqtt.UserProperty{{Key: "", Value: ""}}},
			frame(0x82, n16(1), props(0x0B, 0xFF, 0xFF, 0xFF, 0x7F, 0x26, "", ""), "#", 0x2E, "$share/g/#", 0x19)},
	})
	s := &Subscribe{PacketID: 1, SubscriptionID: 1, Topics: []TopicFilter{{"#", 1, true, true, 2}}}
	if got := string(s.Append(nil, v311)); got != "\x82\x06\x00\x01\x00\x01#\x01" { // nothing of 5.0 leaks
		t.Errorf("Append = % x", got)
	}
}

func TestSubscribe_Refused(t *testing.T) {
	const mal, pro = mqtt.MalformedPacket, mqtt.ProtocolError
	var cases []refusal
	cases = append(cases, forVersions("flags", frame(0x80, n16(1), "t", 0), mal, v311)...)  // [MQTT-3.8.1-1]
	cases = append(cases, forVersions("no filter", frame(0x82, n16(1)), pro, v31, v311)...) // [MQTT-3.8.3-2], 3.1.1: [MQTT-3.8.3-3]
	cases = append(cases, forVersions("packet identifier 0", frame(0x82, n16(0), "t", 0), pro, v31, v311)...)
	cases = append(cases, forVersions("QoS 3", frame(0x82, n16(1), "t", 3), mal, v31, v311)...) // 3.1.1: [MQTT-3.8.3-4]
	cases = append(cases, forVersions("option of 5.0", frame(0x82, n16(1), "t", 0x08), mal, v31, v311)...)
	cases = append(cases, forVersions("filter without QoS", frame(0x82, n16(1), "t"), mal, v31, v311)...)
	cases = append(cases, forVersions("second filter cut", frame(0x82, n16(1), "t", 0, n16(5), 'x'), mal, v31, v311)...)
	p5 := func(options int) []byte { return frame(0x82, n16(1), 0, "t", options) }
	with := func(parts ...any) []byte { return frame(0x82, n16(1), props(parts...), "t", 0) }
	testRefusals(t, append(cases, []refusal{
		{"flags", v5, frame(0x83, n16(1), 0, "t", 0), mal},
		{"no filter", v5, frame(0x82, n16(1), 0), pro}, // [MQTT-3.8.3-2]
		{"no properties", v5, frame(0x82, n16(1)), mal},
		{"packet identifier 0", v5, frame(0x82, n16(0), 0, "t", 0), pro}, // [MQTT-2.2.1-3]
		{"filter not UTF-8", v5, frame(0x82, n16(1), 0, "\xff", 0), mal}, // [MQTT-3.8.3-1]
		{"filter not UTF-8", v311, frame(0x82, n16(1), "\xff", 0), mal},
		{"QoS 3", v5, p5(3), pro},
		{"retain handling 3", v5, p5(0x30), pro},
		{"reserved bit 6", v5, p5(0x40), mal}, // [MQTT-3.8.3-5]
		{"reserved bit 7", v5, p5(0x80), mal},
		{"no local and shared", v5, frame(0x82, n16(1), 0, "$share/g/t", 4), pro}, // [MQTT-3.8.3-4]
		{"filter without options", v5, frame(0x82, n16(1), 0, "t"), mal},
		{"subscription identifier 0", v5, with(0x0B, 0), pro},
		{"subscription identifier twice", v5, with(0x0B, 1, 0x0B, 2), pro},
		{"subscription identifier of five bytes", v5, with(0x0B, 0xFF, 0xFF, 0xFF, 0xFF, 1), mal},
		{"reason string", v5, with(0x1F, "r"), mal},
	}...))
}

// 3.1 sets DUP in a repeated SUBSCRIBE and UNSUBSCRIBE.
func TestSubscribe_31Dup(t *testing.T) {
	mustDecode(t, v31, frame(0x8A, n16(1), "t", 0))
	mustDecode(t, v31, frame(0xAA, n16(1), "t"))
}

func TestSuback_Golden(t *testing.T) {
	testGolden(t, []golden{
		{"3.1", v31, &Suback{PacketID: 1, Codes: []mqtt.ReasonCode{0}}, []byte{0x90, 3, 0, 1, 0}},
		{"3.1.1", v311, &Suback{PacketID: 1, Codes: []mqtt.ReasonCode{0, 2, 0x80}}, []byte{0x90, 5, 0, 1, 0, 2, 0x80}},
		{"5.0", v5, &Suback{PacketID: 1, Codes: []mqtt.ReasonCode{1, 0x8F}}, []byte{0x90, 5, 0, 1, 0, 1, 0x8F}},
		{"5.0 all", v5, &Suback{1, []mqtt.ReasonCode{1}, "r", []mqtt.UserProperty{{Key: "k", Value: "v"}}},
			frame(0x90, n16(1), props(0x1F, "r", 0x26, "k", "v"), 1)},
	})
	s := &Suback{PacketID: 1, Codes: []mqtt.ReasonCode{1, mqtt.NotAuthorized, mqtt.WildcardSubsNotSupported}, ReasonString: "r"}
	if got := string(s.Append(nil, v311)); got != "\x90\x05\x00\x01\x01\x80\x80" { // 3.1.1: [MQTT-3.9.3-2]
		t.Errorf("Append = % x", got)
	}
}

func TestSuback_Refused(t *testing.T) {
	const mal, pro = mqtt.MalformedPacket, mqtt.ProtocolError
	testRefusals(t, []refusal{
		{"packet identifier 0", v311, frame(0x90, n16(0), 0), pro},
		{"no code", v311, frame(0x90, n16(1)), pro},
		{"no code", v5, frame(0x90, n16(1), 0), pro},
		{"return code 3", v311, frame(0x90, n16(1), 3), pro}, // 3.1.1: [MQTT-3.9.3-2]
		{"return code 0x87", v311, frame(0x90, n16(1), 0x87), pro},
		{"reason code of UNSUBACK", v5, frame(0x90, n16(1), 0, 0x11), pro}, // [MQTT-3.9.3-2]
		{"flags", v5, frame(0x91, n16(1), 0, 0), mal},
		{"subscription identifier", v5, frame(0x90, n16(1), props(0x0B, 1), 0), mal},
	})
}

func TestUnsubscribe_Golden(t *testing.T) {
	u := &Unsubscribe{PacketID: 10, Filters: []string{"a/b", "c/d"}}
	v3 := []byte{0xA2, 12, 0, 10, 0, 3, 'a', '/', 'b', 0, 3, 'c', '/', 'd'}
	testGolden(t, []golden{
		{"3.1", v31, u, v3}, {"3.1.1", v311, u, v3},
		{"5.0", v5, u, []byte{0xA2, 13, 0, 10, 0, 0, 3, 'a', '/', 'b', 0, 3, 'c', '/', 'd'}},
		{"5.0 all", v5, &Unsubscribe{1, []string{""}, []mqtt.UserProperty{{Key: "k", Value: "v"}}},
			frame(0xA2, n16(1), props(0x26, "k", "v"), "")},
	})
}

func TestUnsubscribe_Refused(t *testing.T) {
	const mal, pro = mqtt.MalformedPacket, mqtt.ProtocolError
	testRefusals(t, []refusal{
		{"flags", v311, frame(0xA0, n16(1), "t"), mal}, // [MQTT-3.10.1-1]
		{"flags", v5, frame(0xA3, n16(1), 0, "t"), mal},
		{"no filter", v31, frame(0xA2, n16(1)), pro},
		{"no filter", v311, frame(0xA2, n16(1)), pro}, // [MQTT-3.10.3-2]
		{"no filter", v5, frame(0xA2, n16(1), 0), pro},
		{"packet identifier 0", v311, frame(0xA2, n16(0), "t"), pro}, // [MQTT-2.2.1-3]
		{"filter not UTF-8", v311, frame(0xA2, n16(1), "\xff"), mal}, // [MQTT-3.10.3-1]
		{"filter cut", v5, frame(0xA2, n16(1), 0, n16(2), 'x'), mal},
		{"subscription identifier", v5, frame(0xA2, n16(1), props(0x0B, 1), "t"), mal},
	})
}

func TestUnsuback_Golden(t *testing.T) {
	testGolden(t, []golden{
		{"3.1", v31, &Unsuback{PacketID: 1}, []byte{0xB0, 2, 0, 1}},
		{"3.1.1", v311, &Unsuback{PacketID: 1}, []byte{0xB0, 2, 0, 1}},
		{"5.0", v5, &Unsuback{PacketID: 1, Codes: []mqtt.ReasonCode{0, 0x11}}, []byte{0xB0, 5, 0, 1, 0, 0, 0x11}},
		{"5.0 all", v5, &Unsuback{1, []mqtt.ReasonCode{0x87}, "r", []mqtt.UserProperty{{Key: "k", Value: "v"}}},
			frame(0xB0, n16(1), props(0x1F, "r", 0x26, "k", "v"), 0x87)},
	})
	if got := string((&Unsuback{1, []mqtt.ReasonCode{0}, "r", nil}).Append(nil, v311)); got != "\xb0\x02\x00\x01" {
		t.Errorf("Append = % x", got)
	}
}

func TestUnsuback_Refused(t *testing.T) {
	const mal, pro = mqtt.MalformedPacket, mqtt.ProtocolError
	testRefusals(t, []refusal{
		{"codes in 3.1.1", v311, frame(0xB0, n16(1), 0), mal},
		{"no code", v5, frame(0xB0, n16(1), 0), pro},
		{"reason code of SUBACK", v5, frame(0xB0, n16(1), 0, 1), pro}, // [MQTT-3.11.3-2]
		{"packet identifier 0", v311, frame(0xB0, n16(0)), pro},
	})
}
