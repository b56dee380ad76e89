package registry

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// TestIndex_Twin compares an index with a map, with hashes that are good, that
// begin at one place, and that are all equal.
func TestIndex_Twin(t *testing.T) {
	for name, hash := range map[string]func(int) uint64{
		"spread": func(i int) uint64 { return uint64(i) * 0x9e3779b97f4a7c15 },
		"near":   func(i int) uint64 { return uint64(i%5) << shardBits },
		"last":   func(i int) uint64 { return ^uint64(i % 3) },
		"equal":  func(int) uint64 { return 7 },
	} {
		r := rand.New(rand.NewPCG(1, 2))
		var x index
		twin := map[int]*Client{}
		key := func(i int) mqtt.SessionKey { return mqtt.SessionKey{ClientID: fmt.Sprint(i)} }
		for step := range 20_000 {
			i := r.IntN(200)
			if step/2000%2 == 0 || r.IntN(3) == 0 { // it grows, then it shrinks
				c, isNew := x.obtain(hash(i), key(i), func() *Client { return &Client{key: key(i)} })
				if had := twin[i]; had != nil && had != c || isNew != (had == nil) {
					t.Fatalf("%s: obtain(%d) = %p, %v, want %p", name, i, c, isNew, had)
				}
				twin[i] = c
			} else {
				x.remove(hash(i), key(i))
				delete(twin, i)
			}
			if j := r.IntN(200); x.get(hash(j), key(j)) != twin[j] {
				t.Fatalf("%s: step %d: get(%d) = %p, want %p", name, step, j, x.get(hash(j), key(j)), twin[j])
			}
			if x.n != len(twin) {
				t.Fatalf("%s: %d clients, want %d", name, x.n, len(twin))
			}
		}
		all := map[*Client]bool{}
		for _, c := range x.appendTo(nil) {
			all[c] = true
		}
		for i, c := range twin {
			if !all[c] || x.get(hash(i), key(i)) != c {
				t.Errorf("%s: %d is not there at the end", name, i)
			}
		}
		if len(all) != len(twin) {
			t.Errorf("%s: %d clients listed, want %d", name, len(all), len(twin))
		}
	}
}
