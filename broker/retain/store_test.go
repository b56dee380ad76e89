package retain

import (
	"math/rand/v2"
	"testing"
)

// TestStore_Quick runs random programs against the twin.
func TestStore_Quick(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		data := make([]byte, rnd.IntN(400)*(1+i%10))
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		run(newPair(t), data)
	}
}
