package queue

import (
	"math/rand"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func item(n uint64, size int) mqtt.Queued {
	return mqtt.Queued{Number: n, Message: &mqtt.Message{Payload: make([]byte, size)}}
}

func TestPush_FifoRefusesArriving(t *testing.T) {
	var q Queue
	l := Limits{Messages: 2}
	q.Push(item(1, 0), l)
	q.Push(item(2, 0), l)
	d, ok := q.Push(item(3, 0), l)
	if ok || d.Number != 3 || q.Len() != 2 {
		t.Fatalf("got %v %v, len %d", d.Number, ok, q.Len())
	}
}

func TestPush_LifoDropsOldest(t *testing.T) {
	var q Queue
	l := Limits{Messages: 2, LIFO: true}
	q.Push(item(1, 0), l)
	q.Push(item(2, 0), l)
	d, ok := q.Push(item(3, 0), l)
	if ok || d.Number != 1 {
		t.Fatalf("got %v %v", d.Number, ok)
	}
	if it, _ := q.Pop(true); it.Number != 3 {
		t.Fatalf("newest first: got %d", it.Number)
	}
}

func TestPush_Limits(t *testing.T) {
	var q Queue
	if _, ok := q.Push(item(1, 0), Limits{Messages: 0, LIFO: true}); ok {
		t.Error("a queue of none took one")
	}
	for n := range uint64(5000) {
		if _, ok := q.Push(item(n, 10), Limits{Messages: -1}); !ok {
			t.Fatal("unlimited queue is full")
		}
	}
	var b Queue
	l := Limits{Messages: -1, Bytes: 1000}
	if d, ok := b.Push(item(1, 1000), l); ok || d.Number != 1 {
		t.Error("a message above the byte limit was taken")
	}
	for n := range uint64(20) {
		b.Push(item(n, 10), l)
	}
	if b.Bytes() > 1000 || b.Bytes() < 800 {
		t.Errorf("%d bytes", b.Bytes())
	}
	b.Trim(Limits{Messages: 1}, func(mqtt.Queued) {})
	if it, _ := b.Next(false); b.Len() != 1 || it.Number != 0 {
		t.Errorf("trim left %d, first %d", b.Len(), it.Number)
	}
}

// TestQueue_Model compares the ring with a plain slice over random operations.
func TestQueue_Model(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	var q Queue
	var twin []uint64
	bytes := 0
	for n := uint64(1); n < 60000; n++ {
		size := r.Intn(50)
		switch op := r.Intn(10); {
		case op < 6 || n%8192 < 3000:
			q.Push(item(n, size), Limits{Messages: -1})
			twin = append(twin, n)
		default:
			lifo := op == 9
			it, ok := q.Pop(lifo)
			if ok != (len(twin) > 0) {
				t.Fatal("emptiness differs")
			}
			if !ok {
				continue
			}
			want := twin[0]
			if lifo {
				want = twin[len(twin)-1]
				twin = twin[:len(twin)-1]
			} else {
				twin = twin[1:]
			}
			if it.Number != want {
				t.Fatalf("popped %d, want %d", it.Number, want)
			}
		}
		if q.Len() != len(twin) {
			t.Fatalf("len %d, want %d", q.Len(), len(twin))
		}
	}
	i := 0
	q.Each(func(it mqtt.Queued) bool {
		if it.Number != twin[i] {
			t.Fatalf("at %d: %d, want %d", i, it.Number, twin[i])
		}
		bytes += it.Message.Size()
		i++
		return true
	})
	if bytes != q.Bytes() {
		t.Errorf("bytes %d, want %d", q.Bytes(), bytes)
	}
}

func TestQueue_ZeroAlloc(t *testing.T) {
	var q Queue
	it := item(1, 10)
	l := Limits{Messages: -1}
	q.Push(it, l)
	if n := testing.AllocsPerRun(1000, func() { q.Push(it, l); q.Pop(false) }); n != 0 {
		t.Errorf("%v allocations per push and pop", n)
	}
}

func BenchmarkPushPop(b *testing.B) {
	var q Queue
	it := item(1, 10)
	b.ReportAllocs()
	for b.Loop() {
		q.Push(it, Limits{Messages: 1000})
		q.Pop(false)
	}
}

// TestTake removes the oldest only, or with lifo from any place, and keeps the
// others in order.
func TestTake(t *testing.T) {
	for want := range uint64(6) {
		var q Queue
		for n := range uint64(9) { // round the ring's end
			q.Push(item(n, int(n)), Limits{Messages: -1})
			if n < 3 {
				q.Pop(false)
			}
		}
		is := func(it mqtt.Queued) bool { return it.Number == want+3 }
		if _, ok := q.Take(false, is); ok != (want == 0) {
			t.Errorf("fifo took number %d: %v", want, ok)
		}
		if it, ok := q.Take(true, is); ok != (want > 0) || ok && it.Number != want+3 {
			t.Errorf("lifo took number %d: %v", it.Number, ok)
		}
		sum, last := 0, uint64(0)
		q.Each(func(it mqtt.Queued) bool {
			if it.Number <= last {
				t.Errorf("%d behind %d", it.Number, last)
			}
			last = it.Number
			sum += it.Message.Size()
			return true
		})
		if q.Len() != 5 || q.Bytes() != sum || q.AtMostOnce() != 5 {
			t.Errorf("%d messages, %d of QoS 0, %d bytes of %d", q.Len(), q.AtMostOnce(), q.Bytes(), sum)
		}
	}
}
