package packet

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func BenchmarkDecodePublish(b *testing.B) {
	for _, v := range []mqtt.Version{v311, v5} {
		b.Run(v.String(), func(b *testing.B) {
			p := (&Publish{Topic: "sensor/building-7/floor-3/temperature", Payload: make([]byte, 128)}).Append(nil, v)
			d := Decoder{Version: v}
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				if _, n, err := d.Decode(p); n != len(p) || err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendPublish(b *testing.B) {
	for _, v := range []mqtt.Version{v311, v5} {
		b.Run(v.String(), func(b *testing.B) {
			p := &Publish{Topic: "sensor/building-7/floor-3/temperature", Payload: make([]byte, 128)}
			dst := p.Append(nil, v)
			b.SetBytes(int64(len(dst)))
			b.ReportAllocs()
			for b.Loop() {
				dst = p.Append(dst[:0], v)
			}
		})
	}
}

func BenchmarkDecodeConnect(b *testing.B) {
	for _, v := range []mqtt.Version{v311, v5} {
		b.Run(v.String(), func(b *testing.B) {
			p := (&Connect{CleanStart: true, KeepAlive: 60, ClientID: "client-00001", HasUsername: true, Username: "user",
				HasPassword: true, Password: []byte("secret"), ReceiveMaximum: 20, SessionExpiry: 3600, HasSessionExpiry: true,
				Will: &Will{Topic: "client/00001/gone", Payload: []byte("1"), QoS: 1}}).Append(nil, v)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				var d Decoder
				if _, n, err := d.Decode(p); n != len(p) || err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecodeMany shows that time per element does not grow with their
// number.
func BenchmarkDecodeMany(b *testing.B) {
	for name, make := range manyElements {
		for _, n := range []int{10_000, 100_000} {
			p := make(n)
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					d := Decoder{Version: v5}
					if _, k, err := d.Decode(p); k != len(p) || err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/element")
			})
		}
	}
}

var manyElements = map[string]func(n int) []byte{
	"subscribe filters":   func(n int) []byte { return frame(0x82, n16(1), 0, times(n, raw("a/b", 0))) },
	"unsubscribe filters": func(n int) []byte { return frame(0xA2, n16(1), 0, times(n, raw("a/b"))) },
	"connect user":        func(n int) []byte { return connectZero(5, 2, props(times(n, raw(0x26, "k", "v"))), "c") },
	"publish user":        func(n int) []byte { return frame(0x30, "t", props(times(n, raw(0x26, "k", "v")))) },
	"publish scattered":   func(n int) []byte { return frame(0x30, "t", props(times(n, raw(0x26, "k", "v", 0x0B, 1)))) },
	"puback user":         func(n int) []byte { return frame(0x40, n16(1), 0, props(times(n, raw(0x26, "k", "v")))) },
	"connect will user":   func(n int) []byte { return connectZero(5, 6, 0, "c", props(times(n, raw(0x26, "k", "v"))), "t", "") },
	"suback reason codes": func(n int) []byte { return frame(0x90, n16(1), 0, times(n, []byte{1})) },
	"disconnect user":     func(n int) []byte { return frame(0xE0, 0, props(times(n, raw(0x26, "k", "v")))) },
	"subscribe user":      func(n int) []byte { return frame(0x82, n16(1), props(times(n, raw(0x26, "k", "v"))), "t", 0) },
}

// Ten times the elements cost ten times the allocations and bytes, and the
// bytes stay in proportion to the packet. BenchmarkDecodeMany shows the time.
func TestDecode_LinearCost(t *testing.T) {
	measure := func(p []byte) (allocs, size float64) {
		var before, after runtime.MemStats
		d := Decoder{Version: v5}
		runtime.ReadMemStats(&before)
		_, n, err := d.Decode(p)
		runtime.ReadMemStats(&after)
		if n != len(p) || err != nil {
			t.Fatal(err)
		}
		return float64(after.Mallocs - before.Mallocs), float64(after.TotalAlloc - before.TotalAlloc)
	}
	for name, make := range manyElements {
		allocs, size := measure(make(10_000))
		allocs10, size10 := measure(make(100_000))
		if allocs10 > 10*allocs+100 || size10 > 15*size+10_000 {
			t.Errorf("%s: %v allocations of %v bytes became %v of %v", name, allocs, size, allocs10, size10)
		}
		if limit := 40 * float64(len(make(100_000))); size10 > limit {
			t.Errorf("%s: %v bytes allocated for a packet of %d", name, size10, len(make(100_000)))
		}
	}
}

// An announced length costs nothing until the bytes are there.
func TestDecode_NoAllocsIncomplete(t *testing.T) {
	p := append([]byte{0x82, 0xFF, 0xFF, 0xFF, 0x7F}, make([]byte, 1<<16)...)
	d := Decoder{Version: v5}
	if n := testing.AllocsPerRun(100, func() {
		if _, n, err := d.Decode(p); n != 0 || err != nil {
			t.Fatal(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDecode_NoAllocs(t *testing.T) {
	for _, v := range []mqtt.Version{v31, v311, v5} {
		cases := map[string][]byte{
			"publish": frame(0x32, "a/topic/ä", n16(1), 0, []byte("payload")),
			"puback":  frame(0x40, n16(1)), "pubrec": frame(0x50, n16(1)), "pubrel": frame(0x62, n16(1)),
			"pubcomp": frame(0x70, n16(1)), "pingreq": frame(0xC0), "pingresp": frame(0xD0),
		}
		if v == v5 {
			cases["publish with properties"] = frame(0x30, "t", props(0x23, n16(1), 0x02, n32(1), 0x0B, 1, 0x0B, 2, 0x01, 1, 0x26, "k", "v"))
			cases["publish with scattered properties"] = frame(0x30, "t", props(0x01, 1, 0x02, n32(1), 0x26, "k", "v"))
			cases["puback with code"] = frame(0x40, n16(1), 0x10)
		}
		for name, p := range cases {
			d := Decoder{Version: v}
			if n := testing.AllocsPerRun(100, func() {
				if _, n, err := d.Decode(p); n != len(p) || err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%v %s: %v allocations", v, name, n)
			}
		}
	}
}

func TestAppend_NoAllocs(t *testing.T) {
	for _, v := range []mqtt.Version{v31, v311, v5} {
		g := newGenerator(3)
		var dst []byte
		for _, p := range g.packets(v, 200) {
			dst = p.Append(dst[:0], v)
			if n := testing.AllocsPerRun(10, func() { dst = p.Append(dst[:0], v) }); n != 0 {
				t.Errorf("%v %+v: %v allocations", v, p, n)
			}
		}
	}
	p := &Publish{Topic: "t", QoS: 1, PacketID: 1, Payload: []byte("x"), SubscriptionIDs: []uint32{1}}
	dst := bytes.Repeat([]byte{0}, 100)
	if n := testing.AllocsPerRun(100, func() { dst = p.AppendHeader(dst[:0], v5); _ = p.Size(v5) }); n != 0 {
		t.Errorf("AppendHeader: %v allocations", n)
	}
}
