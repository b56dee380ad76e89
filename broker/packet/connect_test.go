package packet

import (
	"errors"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// connectBytes makes a CONNECT up to and including the keep alive.
func connectBytes(name string, level, flags int, rest ...any) []byte {
	return frame(0x10, append([]any{name, level, flags, n16(10)}, rest...)...)
}

func TestConnect_Golden(t *testing.T) {
	testGolden(t, []golden{
		{"3.1", v31, &Connect{Version: v31, CleanStart: true, KeepAlive: 60, ClientID: "c"},
			[]byte{0x10, 15, 0, 6, 'M', 'Q', 'I', 's', 'd', 'p', 3, 0x02, 0, 60, 0, 1, 'c'}},
		{"3.1 bridge", v31, &Connect{Version: v31, Bridge: true, ClientID: "c"},
			[]byte{0x10, 15, 0, 6, 'M', 'Q', 'I', 's', 'd', 'p', 0x83, 0, 0, 0, 0, 1, 'c'}},
		{"3.1.1 bridge", v311, &Connect{Version: v311, Bridge: true, ClientID: "c"},
			[]byte{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 0x84, 0, 0, 0, 0, 1, 'c'}},
		// The variable header of MQTT 3.1.1 §3.1.2.10, figure 3.6.
		{"3.1.1 all", v311, &Connect{Version: v311, CleanStart: true, KeepAlive: 10, ClientID: "id",
			Will:        &Will{QoS: 1, Topic: "w", Payload: []byte{0xFF, 0}},
			HasUsername: true, Username: "u", HasPassword: true, Password: []byte{0, 1}},
			[]byte{0x10, 28, 0, 4, 'M', 'Q', 'T', 'T', 4, 0xCE, 0, 10, 0, 2, 'i', 'd', 0, 1, 'w', 0, 2, 0xFF, 0,
				0, 1, 'u', 0, 2, 0, 1}},
		// MQTT 5.0 §3.1.2.12, figure 3-6: session expiry interval 10.
		{"5.0 example", v5, &Connect{Version: v5, CleanStart: true, KeepAlive: 10, SessionExpiry: 10, HasSessionExpiry: true,
			Will:        &Will{QoS: 1, Topic: "w", Payload: []byte{}},
			HasUsername: true, Username: "u", HasPassword: true, Password: []byte{}},
			[]byte{0x10, 29, 0, 4, 'M', 'Q', 'T', 'T', 5, 0xCE, 0, 10, 5, 17, 0, 0, 0, 10, 0, 0, 0, 0, 1, 'w', 0, 0,
				0, 1, 'u', 0, 0}},
		{"5.0 password only", v5, &Connect{Version: v5, HasPassword: true, Password: []byte{7}},
			[]byte{0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 5, 0x40, 0, 0, 0, 0, 0, 0, 1, 7}},
		{"5.0 properties", v5, &Connect{Version: v5, SessionExpiry: 1<<32 - 1, HasSessionExpiry: true, ReceiveMaximum: 2,
			MaximumPacketSize: 3, TopicAliasMaximum: 4, RequestResponseInfo: true, NoProblemInfo: true, AuthMethod: "m",
			AuthData: []byte{9}, UserProperties: []mqtt.UserProperty{{Key: "k", Value: "v"}, {Key: "k", Value: ""}},
			HasTopicAliasMaximum: true, HasRequestResponseInfo: true, HasRequestProblemInfo: true},
			connectZero(5, 0, props(0x11, n32(1<<32-1), 0x21, n16(2), 0x27, n32(3), 0x22, n16(4), 0x19, 1, 0x17, 0,
				0x15, "m", 0x16, n16(1), 9, 0x26, "k", "v", 0x26, "k", ""), "")},
		{"5.0 defaults said", v5, &Connect{Version: v5, HasTopicAliasMaximum: true, HasRequestResponseInfo: true, HasRequestProblemInfo: true},
			connectZero(5, 0, props(0x22, n16(0), 0x19, 0, 0x17, 1), "")},
		{"5.0 will properties", v5, &Connect{Version: v5, Will: &Will{QoS: 2, Retain: true, Topic: "t", Payload: []byte("p"),
			Delay: 1, MessageExpiry: 0, HasMessageExpiry: true, Properties: raw(0x01, 1, 0x08, "r", 0x26, "k", "v")}},
			connectZero(5, 0x34, 0, "", props(0x18, n32(1), 0x02, n32(0), 0x01, 1, 0x08, "r", 0x26, "k", "v"), "t", "p")},
	})
}

// connectZero is connectBytes of "MQTT" without keep alive.
func connectZero(level, flags int, rest ...any) []byte {
	return frame(0x10, append([]any{"MQTT", level, flags, n16(0)}, rest...)...)
}

func TestConnect_Refused(t *testing.T) {
	const mal, pro, ver = mqtt.MalformedPacket, mqtt.ProtocolError, mqtt.UnsupportedProtocolVersion
	p5 := func(parts ...any) []byte { return connectBytes("MQTT", 5, 2, props(parts...), "c") }
	w5 := func(parts ...any) []byte { return connectBytes("MQTT", 5, 4, 0, "c", props(parts...), "t", "p") }
	testRefusals(t, []refusal{
		{"flags of the fixed header", 0, frame(0x11, "MQTT", 4, 2, n16(0), "c"), mal}, // [MQTT-2.1.3-1]
		{"protocol name", 0, connectBytes("mqtt", 4, 2, "c"), ver},                    // [MQTT-3.1.2-1]
		{"name of 3.1 with level 4", 0, connectBytes("MQIsdp", 4, 2, "c"), ver},
		{"name of 3.1.1 with level 3", 0, connectBytes("MQTT", 3, 2, "c"), ver},
		{"level 0", 0, connectBytes("MQTT", 0, 2, "c"), ver}, // [MQTT-3.1.2-2]
		{"level 6", 0, connectBytes("MQTT", 6, 2, "c"), ver},
		{"bridge level 5", 0, connectBytes("MQTT", 0x85, 2, 0, "c"), ver},
		{"reserved flag", 0, connectBytes("MQTT", 4, 1, "c"), mal}, // [MQTT-3.1.2-3]
		{"reserved flag", 0, connectBytes("MQTT", 5, 1, 0, "c"), mal},
		{"will QoS 3", 0, connectBytes("MQTT", 4, 0x1C, "c", "t", "p"), mal}, // [MQTT-3.1.2-12]
		{"will QoS 3", 0, connectBytes("MQTT", 5, 0x1C, 0, "c", 0, "t", "p"), mal},
		{"will QoS 3", 0, connectBytes("MQIsdp", 3, 0x1C, "c", "t", "p"), mal},
		{"will QoS without will", 0, connectBytes("MQTT", 4, 0x08, "c"), mal}, // [MQTT-3.1.2-11]
		{"will QoS without will", 0, connectBytes("MQTT", 5, 0x10, 0, "c"), mal},
		{"will retain without will", 0, connectBytes("MQTT", 4, 0x20, "c"), mal}, // [MQTT-3.1.2-13]
		{"will retain without will", 0, connectBytes("MQTT", 5, 0x20, 0, "c"), mal},
		{"password without user name", 0, connectBytes("MQTT", 4, 0x40, "c", "p"), mal}, // 3.1.1: [MQTT-3.1.2-22]
		{"password without user name", 0, connectBytes("MQIsdp", 3, 0x40, "c", "p"), mal},
		{"no client identifier", 0, connectBytes("MQTT", 4, 2), mal}, // [MQTT-3.1.3-3]
		{"no client identifier", 0, connectBytes("MQTT", 5, 2, 0), mal},
		{"client identifier not UTF-8", 0, connectBytes("MQTT", 4, 2, "\xff"), mal},            // [MQTT-3.1.3-4]
		{"will without payload", 0, connectBytes("MQTT", 4, 4, "c", "t"), mal},                 // [MQTT-3.1.2-9]
		{"will topic not UTF-8", 0, connectBytes("MQTT", 4, 4, "c", "\xed\xa0\x80", "p"), mal}, // [MQTT-3.1.3-11]
		{"user name missing", 0, connectBytes("MQTT", 4, 0x80, "c"), mal},                      // [MQTT-3.1.2-17]
		{"user name not UTF-8", 0, connectBytes("MQTT", 5, 0x80, 0, "c", "\xc0\x80"), mal},     // [MQTT-3.1.3-12]
		{"password missing", 0, connectBytes("MQTT", 5, 0xC0, 0, "c", "u"), mal},               // [MQTT-3.1.2-19]
		{"user name without flag", 0, connectBytes("MQTT", 4, 2, "c", "u"), mal},               // [MQTT-3.1.2-16]
		{"password without flag", 0, connectBytes("MQTT", 5, 0x82, 0, "c", "u", "p"), mal},     // [MQTT-3.1.2-18]
		{"empty", 0, frame(0x10), mal},
		{"name only", 0, frame(0x10, "MQTT"), mal},
		{"no property length", 0, frame(0x10, "MQTT", 5, 2, n16(0)), mal},

		{"receive maximum 0", 0, p5(0x21, n16(0)), pro},
		{"maximum packet size 0", 0, p5(0x27, n32(0)), pro},
		{"request response information 2", 0, p5(0x19, 2), pro},
		{"request problem information 2", 0, p5(0x17, 2), pro},
		{"authentication data without method", 0, p5(0x16, "d"), pro},
		{"session expiry twice", 0, p5(0x11, n32(1), 0x11, n32(1)), pro},
		{"receive maximum twice", 0, p5(0x21, n16(1), 0x21, n16(1)), pro},
		{"authentication method twice", 0, p5(0x15, "m", 0x15, "m"), pro},
		{"will delay outside of the will", 0, p5(0x18, n32(1)), mal},
		{"property of CONNACK", 0, p5(0x12, "x"), mal},
		{"unknown property", 0, p5(0x04, 1), mal},
		{"unknown property above the table", 0, p5(0x7F, 1), mal},
		{"property cut", 0, p5(0x11, 0, 0), mal},
		{"user property not UTF-8", 0, p5(0x26, "k", "\xff"), mal}, // [MQTT-1.5.7-1]
		{"property length beyond the end", 0, connectBytes("MQTT", 5, 2, 100, "c"), mal},

		{"will delay twice", 0, w5(0x18, n32(1), 0x18, n32(1)), pro},
		{"will payload format 2", 0, w5(0x01, 2), pro},
		{"will payload format twice", 0, w5(0x01, 1, 0x01, 1), pro},
		{"will response topic with wildcard", 0, w5(0x08, "a/+"), pro},
		{"will topic alias", 0, w5(0x23, n16(1)), mal},
		{"will session expiry", 0, w5(0x11, n32(1)), mal},
		{"will content type not UTF-8", 0, w5(0x03, "\xff"), mal},
	})
}

// The Decoder tells in which version a refused CONNECT is answered.
func TestConnect_VersionOfRefused(t *testing.T) {
	for _, c := range []struct {
		p    []byte
		want mqtt.Version
	}{
		{connectBytes("MQTT", 3, 2, "c"), v311}, {connectBytes("MQTT", 0, 2, "c"), v311},
		{connectBytes("MQTT", 6, 2, "c"), v5}, {connectBytes("MQTT", 0x85, 2, "c"), v5},
		{connectBytes("MQIsdp", 4, 2, "c"), v311}, {connectBytes("MQIsdp", 5, 2, "c"), v5},
		{connectBytes("HTTP", 4, 2, "c"), 0}, {connectBytes("MQTT", 5, 1, 0, "c"), v5},
		{connectBytes("MQTT", 4, 1, "c"), v311}, {connectBytes("MQIsdp", 3, 0x40, "c"), v31},
	} {
		var d Decoder
		var e *mqtt.Error
		if _, _, err := d.Decode(c.p); !errors.As(err, &e) || d.Version != c.want {
			t.Errorf("Decode(%q): %v, version %d, want %d", c.p, err, d.Version, c.want)
		}
	}
}

// A second CONNECT is decoded, for the session to refuse it, and does not
// change the version.
func TestConnect_Second(t *testing.T) {
	d := Decoder{Version: v5}
	pkt, _, err := d.Decode(connectBytes("MQTT", 4, 2, "c"))
	if c, ok := pkt.(*Connect); err != nil || !ok || c.Version != v311 || d.Version != v5 {
		t.Errorf("got %+v, %v, version %v", pkt, err, d.Version)
	}
}

// 3.1 leaves the reserved flag unused and lets the remaining length overrule
// the flags of user name and password.
func TestConnect_31Leniency(t *testing.T) {
	c := mustDecode(t, 0, connectBytes("MQIsdp", 3, 0xC1, "c")).(*Connect)
	if c.HasUsername || c.HasPassword || c.ClientID != "c" {
		t.Errorf("got %+v", c)
	}
	c = mustDecode(t, 0, connectBytes("MQIsdp", 3, 0xC0, "c", "u")).(*Connect)
	if !c.HasUsername || c.Username != "u" || c.HasPassword {
		t.Errorf("got %+v", c)
	}
}

func TestConnect_AppendRefuses(t *testing.T) {
	for _, c := range []struct {
		c *Connect
		v mqtt.Version
	}{{&Connect{}, 0}, {&Connect{}, 6}, {&Connect{HasPassword: true}, v311}, {&Connect{HasPassword: true}, v31}} {
		if got := c.c.Append([]byte("x"), c.v); string(got) != "x" {
			t.Errorf("Append(%+v, %v) = % x", c.c, c.v, got)
		}
	}
}

// What is decoded does not point into the input.
func TestConnect_OwnsMemory(t *testing.T) {
	p := connectZero(5, 0xC4, props(0x15, "meth", 0x16, "data", 0x26, "key", "val"), "client",
		props(0x26, "wk", "wv"), "topic", "payload", "user", "pass")
	c := mustDecode(t, 0, p).(*Connect)
	want := *mustDecode(t, 0, append([]byte(nil), p...)).(*Connect)
	clear(p)
	if got := c.Append(nil, v5); string(got) != string(want.Append(nil, v5)) {
		t.Errorf("got %+v, want %+v", c, want)
	}
}
