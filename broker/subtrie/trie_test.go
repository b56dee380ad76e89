package subtrie

import (
	"math/rand/v2"
	"testing"
)

// TestTrie_Quick runs random programs against the twin.
func TestTrie_Quick(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		data := make([]byte, rnd.IntN(400))
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		run(newPair(t), data)
	}
}
