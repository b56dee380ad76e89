package packet

import (
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func TestConnack_Golden(t *testing.T) {
	testGolden(t, []golden{
		{"3.1", v31, &Connack{}, []byte{0x20, 2, 0, 0}},
		{"3.1 refused", v31, &Connack{Code: mqtt.BadUserNameOrPassword}, []byte{0x20, 2, 0, 4}},
		{"3.1.1", v311, &Connack{SessionPresent: true}, []byte{0x20, 2, 1, 0}},
		{"3.1.1 refused", v311, &Connack{Code: mqtt.NotAuthorized}, []byte{0x20, 2, 0, 5}},
		{"5.0", v5, &Connack{SessionPresent: true}, []byte{0x20, 3, 1, 0, 0}},
		{"5.0 refused", v5, &Connack{Code: mqtt.Banned, ReasonString: "no"},
			[]byte{0x20, 8, 0, 0x8A, 5, 0x1F, 0, 2, 'n', 'o'}},
		{"5.0 all", v5, &Connack{SessionExpiry: 1, HasSessionExpiry: true, ReceiveMaximum: 2, MaximumQoS: 1,
			HasMaximumQoS: true, RetainUnavailable: true, WildcardUnavailable: true, SubIDsUnavailable: true,
			SharedUnavailable: true, MaximumPacketSize: 3, AssignedClientID: "id", TopicAliasMaximum: 4, ReasonString: "r",
			UserProperties: []mqtt.UserProperty{{Key: "k", Value: "v"}}, ServerKeepAlive: 5, HasServerKeepAlive: true,
			ResponseInfo: "i", ServerReference: "s", AuthMethod: "m", AuthData: []byte{}},
			frame(0x20, 0, 0, props(0x11, n32(1), 0x21, n16(2), 0x24, 1, 0x25, 0, 0x28, 0, 0x29, 0, 0x2A, 0, 0x27, n32(3),
				0x12, "id", 0x22, n16(4), 0x13, n16(5), 0x1A, "i", 0x1C, "s", 0x15, "m", 0x16, "", 0x1F, "r", 0x26, "k", "v"))},
	})
}

func TestConnack_Refused(t *testing.T) {
	const mal, pro = mqtt.MalformedPacket, mqtt.ProtocolError
	p5 := func(parts ...any) []byte { return frame(0x20, 0, 0, props(parts...)) }
	testRefusals(t, []refusal{
		{"reserved acknowledge flags", v311, frame(0x20, 2, 0), mal}, // [MQTT-3.2.2-1]
		{"reserved acknowledge flags", v5, frame(0x20, 0x80, 0, 0), mal},
		{"session present with error", v311, frame(0x20, 1, 5), pro}, // [MQTT-3.2.2-6]
		{"session present with error", v5, frame(0x20, 1, 0x87, 0), pro},
		{"return code 6", v31, frame(0x20, 0, 6), pro},
		{"return code 6", v311, frame(0x20, 0, 6), pro},
		{"reason code of SUBACK", v5, frame(0x20, 0, 1, 0), pro}, // [MQTT-3.2.2-8]
		{"unknown reason code", v5, frame(0x20, 0, 0xFF, 0), pro},
		{"short", v311, frame(0x20, 0), mal}, {"long", v311, frame(0x20, 0, 0, 0), mal},
		{"no property length", v5, frame(0x20, 0, 0), mal},
		{"receive maximum 0", v5, p5(0x21, n16(0)), pro},
		{"maximum packet size 0", v5, p5(0x27, n32(0)), pro},
		{"maximum QoS 2", v5, p5(0x24, 2), pro},
		{"retain available 2", v5, p5(0x25, 2), pro},
		{"wildcard available 2", v5, p5(0x28, 2), pro},
		{"subscription identifier available 2", v5, p5(0x29, 2), pro},
		{"shared available 2", v5, p5(0x2A, 2), pro},
		{"property of CONNECT", v5, p5(0x17, 1), mal},
		{"reason string twice", v5, p5(0x1F, "", 0x1F, ""), pro},
	})
}

// The acknowledge flags of 3.1 are unused, whatever they hold.
func TestConnack_31Flags(t *testing.T) {
	if c := mustDecode(t, v31, frame(0x20, 0xFF, 0)).(*Connack); c.SessionPresent {
		t.Error("session present in 3.1")
	}
	if got := (&Connack{SessionPresent: true}).Append(nil, v31); got[2] != 0 {
		t.Errorf("Append = % x", got)
	}
	// [MQTT-3.2.2-6]
	if got := (&Connack{SessionPresent: true, Code: mqtt.Banned}).Append(nil, v5); got[2] != 0 {
		t.Errorf("Append = % x", got)
	}
}

func TestReturnCode(t *testing.T) {
	want := map[mqtt.ReasonCode]byte{
		mqtt.Success: 0, mqtt.UnsupportedProtocolVersion: 1, mqtt.ClientIdentifierNotValid: 2, mqtt.ServerUnavailable: 3,
		mqtt.ServerBusy: 3, mqtt.QuotaExceeded: 3, mqtt.ConnectionRateExceeded: 3, mqtt.ServerShuttingDown: 3,
		mqtt.BadUserNameOrPassword: 4, mqtt.NotAuthorized: 5, mqtt.Banned: 5, mqtt.UnspecifiedError: 5,
	}
	for code, w := range want {
		if got := ReturnCode(code); got != w {
			t.Errorf("ReturnCode(%v) = %d, want %d", code, got, w)
		}
	}
	for rc, want := range []mqtt.ReasonCode{0, 0x84, 0x85, 0x88, 0x86, 0x87} {
		c := mustDecode(t, v311, frame(0x20, 0, rc)).(*Connack)
		if c.Code != want || ReturnCode(c.Code) != byte(rc) {
			t.Errorf("return code %d: got %v, want %v", rc, c.Code, want)
		}
	}
}
