package epoll

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The heap against a sorted list, through random changes.
func TestHeap_Twin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h heap
	all := make([]*conn, 60)
	for i := range all {
		all[i] = &conn{}
	}
	due := map[*conn]int64{}
	first := func() int64 {
		least := int64(never)
		for _, at := range due {
			least = min(least, at)
		}
		return least
	}
	for range 20_000 {
		c := all[r.IntN(len(all))]
		switch r.IntN(5) {
		case 0:
			h.remove(c)
			delete(due, c)
		case 1:
			if len(h) > 0 {
				want := first()
				c := h.pop()
				if due[c] != want {
					t.Fatalf("pop: got %d, want %d", due[c], want)
				}
				delete(due, c)
			}
		default:
			at := r.Int64N(100)
			h.set(c, at)
			due[c] = at
		}
		if h.first() != first() || len(h) != len(due) {
			t.Fatalf("got %d of %d, want %d of %d", h.first(), len(h), first(), len(due))
		}
	}
	for i, c := range h {
		if int(c.place) != i+1 || c.due != due[c] {
			t.Fatalf("member %d: place %d, due %d, want %d", i, c.place, c.due, due[c])
		}
	}
	if !slices.ContainsFunc(all, func(c *conn) bool { return c.place == 0 }) {
		t.Error("everybody is in the heap: the test shows little")
	}
}
