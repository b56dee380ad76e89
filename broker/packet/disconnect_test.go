package packet

import (
	"reflect"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func TestDisconnect_Golden(t *testing.T) {
	testGolden(t, []golden{
		{"3.1", v31, &Disconnect{}, []byte{0xE0, 0}},
		{"3.1.1", v311, &Disconnect{}, []byte{0xE0, 0}},
		{"5.0 normal", v5, &Disconnect{}, []byte{0xE0, 0}},
		{"5.0 code", v5, &Disconnect{Code: mqtt.SessionTakenOver}, []byte{0xE0, 1, 0x8E}},
		{"5.0 session expiry", v5, &Disconnect{HasSessionExpiry: true}, []byte{0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0}},
		{"5.0 all", v5, &Disconnect{mqtt.ServerMoved, 1, true, "r", "s", []mqtt.UserProperty{{Key: "k", Value: "v"}}},
			frame(0xE0, 0x9D, props(0x11, n32(1), 0x1C, "s", 0x1F, "r", 0x26, "k", "v"))},
	})
	if got := string((&Disconnect{Code: 0x8E, ReasonString: "r"}).Append(nil, v311)); got != "\xe0\x00" {
		t.Errorf("Append = % x", got)
	}
}

// Remaining length 0, 1 and 2 all are a normal disconnection.
func TestDisconnect_Forms(t *testing.T) {
	for _, p := range [][]byte{{0xE0, 0}, {0xE0, 1, 0}, {0xE0, 2, 0, 0}} {
		if d := mustDecode(t, v5, p); !reflect.DeepEqual(d, &Disconnect{}) {
			t.Errorf("% x: %+v", p, d)
		}
	}
}

func TestDisconnect_Refused(t *testing.T) {
	const mal, pro = mqtt.MalformedPacket, mqtt.ProtocolError
	testRefusals(t, []refusal{
		{"flags", v311, []byte{0xE1, 0}, mal}, // [MQTT-3.14.1-1]
		{"flags", v5, []byte{0xE8, 0}, mal},
		{"reason code in 3.1.1", v311, frame(0xE0, 0), mal},
		{"reason code of CONNACK", v5, frame(0xE0, 0x84), pro}, // [MQTT-3.14.2-1]
		{"unknown reason code", v5, frame(0xE0, 3), pro},
		{"session expiry twice", v5, frame(0xE0, 0, props(0x11, n32(1), 0x11, n32(1))), pro},
		{"receive maximum", v5, frame(0xE0, 0, props(0x21, n16(1))), mal},
		{"server reference not UTF-8", v5, frame(0xE0, 0, props(0x1C, "\xff")), mal},
		{"behind the properties", v5, frame(0xE0, 0, 0, 0), mal},
	})
}

func TestAuth_Golden(t *testing.T) {
	testGolden(t, []golden{
		{"success", v5, &Auth{}, []byte{0xF0, 0}},
		{"continue", v5, &Auth{Code: mqtt.ContinueAuthentication, Method: "m", HasMethod: true, Data: []byte{1}},
			[]byte{0xF0, 10, 0x18, 8, 0x15, 0, 1, 'm', 0x16, 0, 1, 1}},
		{"all", v5, &Auth{mqtt.Reauthenticate, "", true, []byte{}, "r", []mqtt.UserProperty{{Key: "k", Value: "v"}}},
			frame(0xF0, 0x19, props(0x15, "", 0x16, "", 0x1F, "r", 0x26, "k", "v"))},
	})
	for _, v := range []mqtt.Version{v31, v311} {
		a := &Auth{Code: mqtt.Reauthenticate}
		if got := a.Append([]byte("x"), v); string(got) != "x" || a.Size(v) != 0 {
			t.Errorf("%v: Append = % x", v, got)
		}
	}
}

func TestAuth_Refused(t *testing.T) {
	const mal, pro = mqtt.MalformedPacket, mqtt.ProtocolError
	testRefusals(t, []refusal{
		{"in 3.1", v31, []byte{0xF0, 0}, pro}, {"in 3.1.1", v311, []byte{0xF0, 0}, pro},
		{"flags", v5, []byte{0xF1, 0}, mal}, // [MQTT-3.15.1-1]
		{"reason code only", v5, frame(0xF0, 0x18), mal},
		{"no method", v5, frame(0xF0, 0x18, 0), pro},
		{"method twice", v5, frame(0xF0, 0x18, props(0x15, "m", 0x15, "m")), pro},
		{"data twice", v5, frame(0xF0, 0x18, props(0x15, "m", 0x16, "", 0x16, "")), pro},
		{"reason code of DISCONNECT", v5, frame(0xF0, 0x82, props(0x15, "m")), pro}, // [MQTT-3.15.2-1]
		{"server keep alive", v5, frame(0xF0, 0x18, props(0x15, "m", 0x13, n16(1))), mal},
	})
}

func TestPing_Golden(t *testing.T) {
	for _, v := range []mqtt.Version{v31, v311, v5} {
		testGolden(t, []golden{{"ping", v, &Pingreq{}, []byte{0xC0, 0}}, {"ping", v, &Pingresp{}, []byte{0xD0, 0}}})
		testRefusals(t, []refusal{
			{"body", v, []byte{0xC0, 1, 0}, mqtt.MalformedPacket}, {"body", v, []byte{0xD0, 1, 0}, mqtt.MalformedPacket}})
	}
	testRefusals(t, forVersions("flags", []byte{0xC1, 0}, mqtt.MalformedPacket, v311, v5))
}
