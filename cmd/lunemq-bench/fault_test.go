package main

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// faulty stands between generator and broker and spoils every n-th PUBLISH
// that the broker sends.
type faulty struct {
	every  int64
	spoil  func(dst, packet []byte) []byte // what is sent in place of packet
	passed atomic.Int64
	hit    atomic.Int64
}

// start returns the URL at which the fault is met.
func (f *faulty) start(t *testing.T, broker string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", broker[len("tcp://"):])
			if err != nil {
				t.Error(err)
				return
			}
			wg.Go(func() { pass(server, client, func(dst, p []byte) []byte { return append(dst, p...) }) })
			wg.Go(func() { pass(client, server, f.packet) })
		}
	})
	return "tcp://" + ln.Addr().String()
}

// packet decides about one packet.
func (f *faulty) packet(dst, p []byte) []byte {
	if p[0]&0xF0 != headPublish || f.passed.Add(1)%f.every != 0 {
		return append(dst, p...)
	}
	f.hit.Add(1)
	return f.spoil(dst, p)
}

// pass moves whole packets until one side ends.
func pass(to, from net.Conn, each func(dst, packet []byte) []byte) {
	defer to.Close()
	defer from.Close()
	var in, out []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		in, out = append(in, buf[:n]...), out[:0]
		for {
			_, _, n, err := cut(in)
			if err != nil {
				return
			}
			if n == 0 {
				break
			}
			out, in = each(out, in[:n]), in[n:]
		}
		if _, err := to.Write(out); err != nil {
			return
		}
	}
}

func TestFaults(t *testing.T) {
	url := broker(t)
	none := func(r *report) uint64 { return r.Lost + r.Duplicates + r.Reordered }
	for name, c := range map[string]struct {
		line  string
		spoil func() func(dst, p []byte) []byte
		found func(r *report) uint64
	}{
		"loss": {"pair --pairs 2 --window 50", func() func(dst, p []byte) []byte { return func(dst, _ []byte) []byte { return dst } },
			func(r *report) uint64 { return r.Lost }},
		"loss among receivers": {"fan-out --subscribers 5 --rate 500", func() func(dst, p []byte) []byte { return func(dst, _ []byte) []byte { return dst } },
			func(r *report) uint64 { return r.Lost }},
		"duplicate": {"pair --pairs 2", func() func(dst, p []byte) []byte {
			return func(dst, p []byte) []byte { return append(append(dst, p...), p...) }
		}, func(r *report) uint64 { return r.Duplicates }},
		"duplicate at QoS 1": {"shared --qos 1", func() func(dst, p []byte) []byte {
			return func(dst, p []byte) []byte { return append(append(dst, p...), p...) }
		}, func(r *report) uint64 { return r.Duplicates }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &faulty{every: 100, spoil: c.spoil()}
			r := bench(t, c.line, "--url", f.start(t, url), "--prefix", name, "--patience", "300ms")
			hit := uint64(f.hit.Load())
			if hit == 0 || c.found(r) != hit || none(r) != hit {
				t.Errorf("%d of %d messages were spoilt; reported: %d lost, %d duplicates, %d out of order", hit, f.passed.Load(), r.Lost, r.Duplicates, r.Reordered)
			}
		})
	}
}

// TestFaults_Inversion holds messages back until the next one has passed.
func TestFaults_Inversion(t *testing.T) {
	var held []byte // by the one connection that is sent messages
	f := &faulty{every: 1, spoil: nil}
	n, turned := 0, uint64(0)
	f.spoil = func(dst, p []byte) []byte {
		if n++; n%100 == 0 {
			held = append(held, p...)
			return dst
		}
		dst = append(dst, p...)
		if held != nil {
			dst, held = append(dst, held...), nil
			turned++
		}
		return dst
	}
	r := bench(t, "pair --pairs 1 --window 50", "--url", f.start(t, broker(t)), "--prefix", "inversion", "--patience", "300ms")
	if turned == 0 || r.Reordered != turned || r.Lost > 1 || r.Duplicates > 0 {
		t.Errorf("%d messages were turned; reported: %d lost, %d duplicates, %d out of order", turned, r.Lost, r.Duplicates, r.Reordered)
	}
}
