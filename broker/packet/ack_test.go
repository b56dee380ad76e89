package packet

import (
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func TestAck_Golden(t *testing.T) {
	user := []mqtt.UserProperty{{Key: "k", Value: "v"}}
	testGolden(t, []golden{
		{"3.1", v31, &Puback{Ack{PacketID: 0x102}}, []byte{0x40, 2, 1, 2}},
		{"3.1.1", v311, &Pubrec{Ack{PacketID: 0x102}}, []byte{0x50, 2, 1, 2}},
		{"3.1.1", v311, &Pubrel{Ack{PacketID: 0x102}}, []byte{0x62, 2, 1, 2}},
		{"3.1.1", v311, &Pubcomp{Ack{PacketID: 0x102}}, []byte{0x70, 2, 1, 2}},
		{"5.0 success", v5, &Puback{Ack{PacketID: 1}}, []byte{0x40, 2, 0, 1}},
		{"5.0 code", v5, &Puback{Ack{PacketID: 1, Code: mqtt.NoMatchingSubscribers}}, []byte{0x40, 3, 0, 1, 0x10}},
		{"5.0 code", v5, &Pubrec{Ack{PacketID: 1, Code: mqtt.QuotaExceeded}}, []byte{0x50, 3, 0, 1, 0x97}},
		{"5.0 code", v5, &Pubrel{Ack{PacketID: 1, Code: mqtt.PacketIDNotFound}}, []byte{0x62, 3, 0, 1, 0x92}},
		{"5.0 code", v5, &Pubcomp{Ack{PacketID: 1, Code: mqtt.PacketIDNotFound}}, []byte{0x70, 3, 0, 1, 0x92}},
		{"5.0 all", v5, &Pubrel{Ack{1, mqtt.Success, "r", user}},
			[]byte{0x62, 15, 0, 1, 0, 11, 0x1F, 0, 1, 'r', 0x26, 0, 1, 'k', 0, 1, 'v'}},
	})
	for _, v := range []mqtt.Version{v31, v311} { // nothing of 5.0 leaks
		a := Puback{Ack{1, mqtt.NotAuthorized, "r", user}}
		if got := a.Append(nil, v); string(got) != "\x40\x02\x00\x01" || a.Size(v) != 4 {
			t.Errorf("%v: % x", v, got)
		}
	}
}

// The two short forms and the needlessly long one.
func TestAck_Forms(t *testing.T) {
	for _, p := range [][]byte{{0x40, 2, 0, 1}, {0x40, 3, 0, 1, 0}, {0x40, 4, 0, 1, 0, 0}} {
		if a := mustDecode(t, v5, p).(*Puback); a.PacketID != 1 || a.Code != 0 {
			t.Errorf("% x: %+v", p, a)
		}
	}
}

func TestAck_Refused(t *testing.T) {
	const mal, pro = mqtt.MalformedPacket, mqtt.ProtocolError
	var cases []refusal
	for _, first := range []byte{0x40, 0x50, 0x62, 0x70} {
		cases = append(cases, forVersions("packet identifier 0", frame(first, n16(0)), pro, v31, v311, v5)...)
		cases = append(cases, forVersions("short", frame(first, 1), mal, v31, v311, v5)...)
		cases = append(cases, forVersions("empty", frame(first), mal, v31, v311, v5)...)
		cases = append(cases, forVersions("long", frame(first, n16(1), 0), mal, v31, v311)...)
		cases = append(cases, forVersions("flags", frame(first^1, n16(1)), mal, v311, v5)...) // [MQTT-2.1.3-1] [MQTT-3.6.1-1]
		cases = append(cases, []refusal{
			{"reason code of SUBACK", v5, frame(first, n16(1), 2), pro}, // [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
			{"reason code of DISCONNECT", v5, frame(first, n16(1), 0x8E), pro},
			{"behind the properties", v5, frame(first, n16(1), 0, 0, 0), mal},
			{"property length too long", v5, frame(first, n16(1), 0, 1), mal},
			{"session expiry", v5, frame(first, n16(1), 0, props(0x11, n32(1))), mal},
			{"reason string twice", v5, frame(first, n16(1), 0, props(0x1F, "a", 0x1F, "a")), pro},
			{"reason string not UTF-8", v5, frame(first, n16(1), 0, props(0x1F, "\xff")), mal},
		}...)
	}
	testRefusals(t, append(cases,
		refusal{"PUBREL with a code of PUBACK", v5, frame(0x62, n16(1), 0x10), pro},
		refusal{"PUBACK with a code of PUBREL", v5, frame(0x40, n16(1), 0x92), pro}))
}

// 3.1 knows DUP in PUBREL and calls the other flags unused.
func TestAck_31Flags(t *testing.T) {
	for _, first := range []byte{0x6A, 0x60, 0x4F} {
		mustDecode(t, v31, frame(first, n16(1)))
	}
}
