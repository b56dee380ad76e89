package packet

import (
	"reflect"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// FuzzDecode: decoding never panics, takes no more than is there, and what was
// decoded is the same after it has been written and read again.
func FuzzDecode(f *testing.F) {
	for _, v := range []mqtt.Version{v31, v311, v5} {
		g := newGenerator(int64(v))
		for t := TypeConnect; t <= TypeAuth; t++ {
			if t == TypeAuth && v < v5 {
				continue
			}
			p := g.packet(v, t).Append(nil, v)
			if len(p) > 1000 {
				continue
			}
			f.Add(byte(v), p)
			if t == TypeConnect {
				f.Add(byte(0), p)
			}
		}
	}
	f.Add(byte(v5), frame(0x30, "t", props(0x26, "k", "v", 0x02, n32(1), 0x26, "k", "v")))
	f.Add(byte(v5), []byte{0x62, 3, 0, 1, 0x92})
	f.Add(byte(v5), []byte{0xF0, 0})
	f.Add(byte(v31), connectBytes("MQIsdp", 3, 0xC1, "c"))
	f.Fuzz(func(t *testing.T, version byte, p []byte) {
		v := mqtt.Version(version % 6)
		if v == 1 || v == 2 {
			v = 0
		}
		d := Decoder{Version: v}
		pkt, n, err := d.Decode(p)
		if n < 0 || n > len(p) || err != nil && (n != 0 || pkt != nil) || (n == 0) != (pkt == nil) {
			t.Fatalf("Decode = %+v, %d, %v", pkt, n, err)
		}
		if pkt == nil {
			return
		}
		w := d.Version
		if c, ok := pkt.(*Connect); ok {
			w = c.Version
		}
		again := pkt.Append(nil, w)
		if s, ok := pkt.(interface{ Size(mqtt.Version) int }); ok && s.Size(w) != len(again) {
			t.Fatalf("Size = %d, want %d", s.Size(w), len(again))
		}
		e := Decoder{Version: v}
		pkt2, n2, err := e.Decode(again)
		if err != nil || n2 != len(again) || !reflect.DeepEqual(pkt2, pkt) {
			t.Fatalf("%+v was written as % x and read as %+v, %d, %v", pkt, again, pkt2, n2, err)
		}
	})
}

// FuzzDecodeProperties: as FuzzDecode, for message properties.
func FuzzDecodeProperties(f *testing.F) {
	f.Add(raw(0x01, 1, 0x03, "c", 0x08, "r", 0x09, "d", 0x26, "k", "v", 0x26, "k", "v"))
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := DecodeProperties(p)
		if err != nil {
			return
		}
		again, err := DecodeProperties(m.Append(nil))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}
