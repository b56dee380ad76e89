package session

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/topic"
)

// TestSubscriptions_Twin compares the subscriptions of a session with a map,
// while there are few of them and many.
func TestSubscriptions_Twin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	st, twin := &State{}, map[string]mqtt.Subscription{}
	for step := range 20_000 {
		n := 12
		if step > 10_000 {
			n = 200
		}
		sub := mqtt.Subscription{Filter: fmt.Sprint("a/", r.IntN(n)), ID: r.Uint32N(3), QoS: mqtt.QoS(r.IntN(3)), NoLocal: r.IntN(2) == 0,
			RetainAsPublished: r.IntN(2) == 0, UpgradeQoS: r.IntN(2) == 0, RetainHandling: mqtt.RetainHandling(r.IntN(3))}
		if r.IntN(3) == 0 {
			sub.ShareName = "g"
		}
		sent := topic.Join(sub.ShareName, sub.Filter)
		want, had := twin[sent]
		if got, ok := st.Subscription(sent); ok != had || got != want {
			t.Fatalf("step %d: %q is %v, %v, want %v", step, sent, got, ok, want)
		}
		if r.IntN(2) == 0 {
			if isNew := st.Subscribed(sent, sub); isNew == had {
				t.Fatalf("step %d: %q is new: %v", step, sent, isNew)
			}
			twin[sent] = sub
		} else {
			if got, ok := st.Unsubscribed(sent); ok != had || got != want {
				t.Fatalf("step %d: removed %v, %v, want %v", step, got, ok, want)
			}
			delete(twin, sent)
		}
		seen := 0
		for sent, sub := range st.Subscriptions() {
			if seen++; twin[sent] != sub {
				t.Fatalf("step %d: %q is %v, want %v", step, sent, sub, twin[sent])
			}
		}
		if seen != len(twin) || st.subscriptions.len() != seen {
			t.Fatalf("step %d: %d subscriptions, want %d", step, seen, len(twin))
		}
	}
}
