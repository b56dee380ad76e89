package subtrie

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// TestTrie_Concurrent lets writers split, join, widen and empty nodes, tables
// and chunks beside subscriptions that stay: readers see each of those exactly
// once, and of those that change the old or the new state. Meant for -race.
func TestTrie_Concurrent(t *testing.T) {
	tr := New[int]()
	stay := []string{"a/b/c/d", "a/+/c/d", "a/b/#", "+/b/c/#", "#", "a/b/c/+"}
	for i, f := range stay {
		tr.Insert("", plain(f), i)
		tr.Insert("", mqtt.Subscription{Filter: f, ShareName: "g"}, i)
	}
	const rounds = 150
	var done atomic.Bool
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := range rounds {
				churn(tr, 100+w, i)
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			var r Result[int]
			for !done.Load() {
				r.Reset()
				tr.Match("", "a/b/c/d", &r)
				if err := check(&r, len(stay)); err != nil {
					t.Error(err)
					return
				}
				seen := 0
				tr.Each(func(_, _, _ string, s int, _ Options) bool {
					if s < len(stay) {
						seen++
					}
					return true
				})
				if seen != 2*len(stay) {
					t.Errorf("Each saw %d, want %d", seen, 2*len(stay))
					return
				}
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
	if got, want := tr.Len(), 2*len(stay); got != want {
		t.Errorf("Len() = %d, want %d", got, want)
	}
	if got, want := tr.Bytes(), counted(tr); got != want {
		t.Errorf("Bytes() = %d, want %d", got, want)
	}
}

// churn inserts and removes subscriptions around those that stay. Both options
// of subscriber s have ID = QoS + 1.
func churn(tr *Trie[int], s, round int) {
	filters := []string{"a/b", "a", "a/b/c", "a/+/c", "a/b/c/d/e", "+/+", "+/b/c", "a/b/c/d", "a/#", "x/y"}
	for i := range 40 {
		filters = append(filters, fmt.Sprintf("a/b/c/%d", i+round))
	}
	for q := range 2 {
		for _, f := range filters {
			tr.Insert("", mqtt.Subscription{Filter: f, QoS: mqtt.QoS(q), ID: uint32(q + 1)}, s)
		}
	}
	for i := range 40 {
		tr.Insert("", mqtt.Subscription{Filter: "a/b/c/d", ID: 1}, s+1000*i)
		tr.Insert("", mqtt.Subscription{Filter: "a/b/c/d", ShareName: "g", ID: 1}, s+1000*i)
	}
	for i := range 40 {
		tr.Remove("", "", "a/b/c/d", s+1000*i)
		tr.Remove("", "g", "a/b/c/d", s+1000*i)
	}
	for i := range filters {
		tr.Remove("", "", filters[(i*7+round)%len(filters)], s)
		tr.Remove("", "", filters[i], s)
	}
}

// check looks at what matches "a/b/c/d": each stable subscription once, the
// others with options that belong together.
func check(r *Result[int], stay int) error {
	var plain, shared [8]int
	for _, m := range r.Plain {
		if m.Subscriber < stay {
			plain[m.Subscriber]++
		} else if m.Options.ID != uint32(m.Options.QoS)+1 {
			return fmt.Errorf("torn options %+v", m.Options)
		}
	}
	for _, g := range r.Groups {
		for i := range g.Members.Len() {
			if s := g.Members.At(i).Subscriber; s < stay {
				shared[s]++
			}
		}
	}
	for i := range stay {
		if plain[i] != 1 || shared[i] != 1 {
			return fmt.Errorf("subscriber %d seen %d and %d times, want once", i, plain[i], shared[i])
		}
	}
	return nil
}
