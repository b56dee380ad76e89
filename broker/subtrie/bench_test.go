package subtrie

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// receiver stands for the router's subscribers: an interface.
type receiver interface{ receive() }

type client struct{ n int }

func (*client) receive() {}

// mixed returns the i-th of many filters: four in ten exact, four with "+", two
// with "#".
func mixed(i int) string {
	switch i % 10 {
	case 0, 1, 2, 3:
		return fmt.Sprintf("site/%d/device/%d/state", i%100, i)
	case 4, 5, 6, 7:
		return fmt.Sprintf("site/%d/device/%d/+", i%100, i)
	case 8:
		return fmt.Sprintf("site/+/device/%d/#", i)
	}
	return fmt.Sprintf("tenant/%d/#", i)
}

// name returns a topic name that a few of the first n mixed filters match.
func name(i int) string { return fmt.Sprintf("site/%d/device/%d/state", i%100, i) }

func filled(n int, filter func(int) string) *Trie[receiver] {
	t := New[receiver]()
	for i := range n {
		t.Insert("", mqtt.Subscription{Filter: filter(i), QoS: 1}, &client{i})
	}
	return t
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 500_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			t := filled(n, mixed)
			names := make([]string, 1<<16)
			for i := range names {
				names[i] = name(rand.IntN(n))
			}
			var r Result[receiver]
			found := 0
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; b.Loop(); i++ {
				r.Reset()
				t.Match("", names[i%len(names)], &r)
				found += len(r.Plain)
			}
			b.ReportMetric(float64(found)/float64(b.N), "found/op")
		})
	}
}

func BenchmarkMatch_FanOut500(b *testing.B) {
	t := filled(500, func(int) string { return "news/all" })
	var r Result[receiver]
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		t.Match("", "news/all", &r)
	}
}

func BenchmarkMatch_Parallel(b *testing.B) {
	t := filled(100_000, mixed)
	b.RunParallel(func(pb *testing.PB) {
		var r Result[receiver]
		for i := 0; pb.Next(); i++ {
			r.Reset()
			t.Match("", "site/4/device/20004/state", &r)
		}
	})
}

// BenchmarkInsert inserts b.N distinct filters, and reports the heap they take
// beyond their texts.
func BenchmarkInsert(b *testing.B) {
	filters, clients := make([]string, b.N), make([]client, b.N)
	for i := range filters {
		filters[i] = mixed(i)
	}
	before := heap()
	t := New[receiver]()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		t.Insert("", mqtt.Subscription{Filter: filters[i]}, &clients[i])
	}
	b.StopTimer()
	b.ReportMetric(float64(heap()-before)/float64(b.N), "heap-B/sub")
	b.ReportMetric(float64(t.Bytes())/float64(b.N), "Bytes/sub")
	runtime.KeepAlive(filters)
	runtime.KeepAlive(clients)
}

func BenchmarkInsertRemove(b *testing.B) {
	const n = 500_000
	t := filled(n, mixed)
	c := &client{}
	filters := make([]string, 1<<12)
	for i := range filters {
		filters[i] = mixed(rand.IntN(2 * n))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		f := filters[i%len(filters)]
		t.Insert("", mqtt.Subscription{Filter: f}, c)
		t.Remove("", "", f, c)
	}
}

// BenchmarkJoin lets b.N subscribers join one filter, and leave it.
func BenchmarkJoin(b *testing.B) {
	for _, share := range []string{"", "group"} {
		b.Run("share="+share, func(b *testing.B) {
			clients := make([]client, b.N)
			before := heap()
			t := New[receiver]()
			b.ReportAllocs()
			b.ResetTimer()
			for i := range clients {
				t.Insert("", mqtt.Subscription{Filter: "news/all", ShareName: share}, &clients[i])
			}
			b.StopTimer()
			b.ReportMetric(float64(heap()-before)/float64(b.N), "heap-B/sub")
			b.StartTimer()
			for i := range clients {
				t.Remove("", share, "news/all", &clients[i])
			}
		})
	}
}
