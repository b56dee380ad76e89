package goroutine

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Against a plain slice, with random reads and consumption: the same bytes,
// and never much more room than bytes.
func TestInbuf_AgainstSlice(t *testing.T) {
	noise := make([]byte, 256<<10)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var pools pools
		b := inbuf{base: smallRead, next: smallRead}
		var plain []byte
		biggest := []int{10, 600, 5000, 70_000}[seed%4]
		for range 200 {
			switch rnd.IntN(4) {
			case 0, 1:
				room := b.room(&pools)
				if len(room) == 0 || len(room) > largeRead {
					t.Fatalf("seed %d: room for %d bytes", seed, len(room))
				}
				n := min(len(room), rnd.IntN(biggest))
				copy(room[:n], noise[rnd.IntN(256):])
				b.added(n)
				plain = append(plain, room[:n]...)
			case 2:
				n := min(len(plain), rnd.IntN(biggest))
				b.consume(&pools, n)
				plain = plain[n:]
			case 3:
				b.shrink(&pools)
				if limit := max(16*len(plain), smallRead); cap(b.p) > limit {
					t.Fatalf("seed %d: %d bytes of room for %d", seed, cap(b.p), len(plain))
				}
			}
			if !bytes.Equal(b.bytes(), plain) {
				t.Fatalf("seed %d: got %d bytes, want %d, or others", seed, len(b.bytes()), len(plain))
			}
			if b.p == nil && len(plain) > 0 || len(plain) == 0 && cap(b.p) > largeRead {
				t.Fatalf("seed %d: room of %d for %d bytes", seed, cap(b.p), len(plain))
			}
		}
	}
}

func TestInbuf_ConsumeTooMuch(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	var pools pools
	b := inbuf{base: smallRead, next: smallRead}
	b.room(&pools)
	b.added(3)
	b.consume(&pools, 4)
}

// Bytes that are read in small pieces are copied a bounded number of times,
// whether they are consumed at once or not.
func TestInbuf_CostIsLinear(t *testing.T) {
	const total = 1 << 20
	for name, consume := range map[string]int{"kept": 0, "trailing": 100} {
		t.Run(name, func(t *testing.T) {
			var pools pools
			b := inbuf{base: smallRead, next: smallRead}
			moved, held := 0, 0
			for read := 0; read < total; read += 100 {
				before, used := cap(b.p), len(b.bytes())
				r := b.r
				b.room(&pools)
				if cap(b.p) != before || b.r != r {
					moved += used
				}
				b.added(100)
				if held += 100; held > 3000 {
					b.consume(&pools, consume)
					held -= consume
				}
			}
			if moved > 4*total {
				t.Errorf("%d bytes were moved for %d received", moved, total)
			}
		})
	}
}

func TestPools_GetHasRoom(t *testing.T) {
	var pools pools
	for range 2 {
		var all [][]byte
		for _, size := range []int{0, 1, 512, 513, 4096, 4097, 16384, 65535, 65536, 65537, 1 << 20} {
			b := pools.get(size)
			if len(b) != 0 || cap(b) < size || cap(b) > max(8*size, smallRead) {
				t.Errorf("get(%d): len %d, cap %d", size, len(b), cap(b))
			}
			all = append(all, b)
		}
		for _, b := range all {
			pools.put(b)
		}
	}
	pools.put(nil)
}
