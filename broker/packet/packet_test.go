package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

const (
	v31  = mqtt.V31
	v311 = mqtt.V311
	v5   = mqtt.V5
)

type (
	n16 uint16
	n32 uint32
)

// raw joins fields: an int or a rune is one byte, n16 and n32 are integers, a string is
// a UTF-8 encoded string with its length, a []byte stands for itself.
func raw(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case rune:
			b = append(b, byte(p))
		case n16:
			b = binary.BigEndian.AppendUint16(b, uint16(p))
		case n32:
			b = binary.BigEndian.AppendUint32(b, uint32(p))
		case string:
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(p))), p...)
		case []byte:
			b = append(b, p...)
		default:
			panic(fmt.Sprintf("packet test: field of type %T", p))
		}
	}
	return b
}

// frame makes a packet of its first byte and fields.
func frame(first byte, parts ...any) []byte {
	body := raw(parts...)
	return append(appendVarint([]byte{first}, uint32(len(body))), body...)
}

// props makes properties with their length.
func props(parts ...any) []byte {
	body := raw(parts...)
	return append(appendVarint(nil, uint32(len(body))), body...)
}

// times repeats b.
func times(n int, b []byte) []byte { return bytes.Repeat(b, n) }

// refusal is a packet that must not be accepted. v = 0 is a server before the
// CONNECT.
type refusal struct {
	name string
	v    mqtt.Version
	p    []byte
	want mqtt.ReasonCode
}

func testRefusals(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		d := Decoder{Version: c.v}
		pkt, n, err := d.Decode(c.p)
		var e *mqtt.Error
		if !errors.As(err, &e) || e.Code != c.want || pkt != nil || n != 0 {
			t.Errorf("%v %s: got %#v, %d, %v, want %v", c.v, c.name, pkt, n, err, c.want)
		}
	}
}

// forVersions repeats a refusal for several versions.
func forVersions(name string, p []byte, want mqtt.ReasonCode, versions ...mqtt.Version) (cases []refusal) {
	for _, v := range versions {
		cases = append(cases, refusal{name, v, p, want})
	}
	return cases
}

// mustDecode decodes exactly the one packet that p holds.
func mustDecode(t *testing.T, v mqtt.Version, p []byte) Packet {
	t.Helper()
	d := Decoder{Version: v}
	pkt, n, err := d.Decode(p)
	if err != nil || n != len(p) || pkt == nil {
		t.Fatalf("%v Decode(% x) = %#v, %d, %v", v, p, pkt, n, err)
	}
	return pkt
}

// golden is a packet and its bytes, which must be made from each other.
type golden struct {
	name string
	v    mqtt.Version
	pkt  Packet
	p    []byte
}

func testGolden(t *testing.T, cases []golden) {
	t.Helper()
	for _, c := range cases {
		if got := c.pkt.Append(nil, c.v); !bytes.Equal(got, c.p) {
			t.Errorf("%s: Append = % x, want % x", c.name, got, c.p)
		}
		d := Decoder{Version: c.v}
		if c.pkt.Type() == TypeConnect {
			d.Version = 0
		}
		pkt, n, err := d.Decode(c.p)
		if err != nil || n != len(c.p) || !reflect.DeepEqual(pkt, c.pkt) {
			t.Errorf("%s: Decode = %+v, %d, %v, want %+v", c.name, pkt, n, err, c.pkt)
		}
		if d.Version != c.v {
			t.Errorf("%s: version %v, want %v", c.name, d.Version, c.v)
		}
		if s, ok := c.pkt.(interface{ Size(mqtt.Version) int }); ok && s.Size(c.v) != len(c.p) {
			t.Errorf("%s: Size = %d, want %d", c.name, s.Size(c.v), len(c.p))
		}
	}
}

func TestType_String(t *testing.T) {
	if got := TypeConnect.String() + " " + TypeAuth.String() + " " + Type(0).String(); got != "CONNECT AUTH RESERVED" {
		t.Errorf("got %q", got)
	}
}
