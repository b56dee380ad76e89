package registry

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
)

// TestHold_Order restores sessions that are due in any order while nobody is
// due, lets some connect and one come and go, and expects the others to expire
// in their order once they may.
func TestHold_Order(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := newTest()
		defer r.Close()
		r.Hold()
		now, stay := time.Now(), map[int]bool{3: true, 7: true, 20: true}
		for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(40) {
			r.Restore(now, &store.Session{Key: key(i), Expiry: time.Duration(i+1) * time.Minute, Offline: now}, Kept{}, queue.Limits{})
			for j := range stay {
				if c := r.Get(key(j)); c != nil && c.away != nil && c.timer.index > 0 { // leaves a gap among the others
					attachTo(r, e, j)
				}
			}
		}
		c, d := attachTo(r, e, 11)
		r.Detach(now, c, d, true) // its hour begins now
		e.expect(t, "offline 11")
		pass(30 * time.Second)
		e.expect(t)
		r.Release()
		for i := range 40 {
			if i != 11 && !stay[i] {
				pass(time.Until(now.Add(time.Duration(i+1)*time.Minute)) - time.Second)
				e.expect(t)
				pass(time.Second)
				e.expect(t, fmt.Sprint("expired ", i))
			}
		}
		pass(20 * time.Minute)
		e.expect(t, "expired 11")
	})
}

func key(i int) mqtt.SessionKey { return mqtt.SessionKey{ClientID: fmt.Sprint(i)} }

// attachTo connects a client whose session lasts an hour.
func attachTo(r *Registry, e *events, i int) (*Client, *door) {
	d := &door{e: e}
	var b store.Batch
	c, _, flush := r.Attach(time.Now(), Connection{Attachment: d, Info: &hook.Client{Key: key(i)}, Expiry: time.Hour}, &b)
	b.Submit(r.Store, func(error) {})
	flush()
	return c, d
}
