package conn

import (
	"iter"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/router"
	"github.com/lunemq/lunemq/broker/store"
)

// collect takes messages that wait at offline members of a share group for
// those that are online now. Called without any lock.
//
// Spec: MQTT 5.0 §4.8.2.
func (s *Server) collect(now time.Time, mountpoint string, share mqtt.Share) {
	s.Router.Waiting(mountpoint, share, func(x router.Subscriber) {
		member, ok := x.(*registry.Client)
		if !ok {
			return
		}
		var b store.Batch
		flush := s.Registry.HandOver(now, member, false, member.TakeUnsent(&share, &b), &b)
		if !b.Empty() {
			b.Submit(s.Store, s.committed)
		}
		flush()
	})
}

// shares returns the share groups among subscriptions.
func shares(subs iter.Seq2[string, mqtt.Subscription]) (out []mqtt.Share) {
	for _, s := range subs {
		if s.ShareName != "" {
			out = append(out, mqtt.Share{Name: s.ShareName, Filter: s.Filter})
		}
	}
	return out
}
