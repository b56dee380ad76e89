package retain

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

var sizes = []int{50_000, 1_000_000}

// messages makes n messages in random order.
func messages(n int) []*mqtt.Message {
	all := make([]*mqtt.Message, n)
	for i, k := range rand.Perm(n) {
		all[i] = message(fmt.Sprintf("site/%d/device/%d", k%100, k))
	}
	return all
}

func filled(n int) (*Store, []*mqtt.Message) {
	s, all := New(), messages(n)
	for _, m := range all {
		s.Put(m)
	}
	rand.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return s, all
}

func BenchmarkPut_New(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			all := messages(n)
			s := New()
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if i%n == 0 {
					b.StopTimer()
					s = New()
					b.StartTimer()
				}
				s.Put(all[i%n])
			}
		})
	}
}

func BenchmarkPut_Replace(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, all := filled(n)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				s.Put(all[i%n])
			}
		})
	}
}

func BenchmarkDeletePut(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, all := filled(n)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				s.Put(s.Delete("", all[i%n].Topic))
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, all := filled(n)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				s.Get("", all[i%n].Topic)
			}
		})
	}
}

// BenchmarkPage reads pages of 64 messages, one page being one operation.
func BenchmarkPage(b *testing.B) {
	for _, n := range sizes {
		s, _ := filled(n)
		for _, filter := range []string{"#", "site/+/device/#", "site/+/device/77", "+/7/+/+"} {
			b.Run(fmt.Sprint(n, " ", filter), func(b *testing.B) {
				var page []*mqtt.Message
				var cursor Cursor
				found := 0
				b.ReportAllocs()
				for b.Loop() {
					var more bool
					if page, cursor, more = s.Page(epoch, "", filter, cursor, 64, page[:0]); !more {
						cursor = Cursor{}
					}
					found += len(page)
				}
				b.ReportMetric(float64(found)/float64(b.N), "found/op")
			})
		}
	}
}
