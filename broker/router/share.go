package router

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/subtrie"
)

// Policy chooses among the members of a share group. On one node all policies
// of reference 6.6 prefer members that are online; they differ in how these
// take turns and, in a cluster, in which node's come first.
type Policy uint8

// Policies of shared_subscription_policy.
const (
	PreferLocal             Policy = iota // turn by turn
	Random                                // at random
	LocalOnly                             // turn by turn
	PreferOnlineBeforeLocal               // turn by turn
)

var policyNames = [...]string{"prefer_local", "random", "local_only", "prefer_online_before_local"}

// ParsePolicy returns the policy of a configuration value; false = there is
// none of that name.
func ParsePolicy(s string) (Policy, bool) {
	i := slices.Index(policyNames[:], s)
	return Policy(max(0, i)), i >= 0
}

// choose returns the member that gets the next message: in turn, or at random,
// the first that is online and whose queue is empty; else one that is online
// and has room; else one that is online; else any, which keeps it until it or
// another member comes online. not is passed over.
func choose(p Policy, g *subtrie.Group[Subscriber], not Subscriber) (best subtrie.Match[Subscriber], ok bool) {
	n := g.Members.Len()
	start := 0
	if p == Random {
		start = rand.IntN(n)
	} else {
		start = int(g.Next.Add(1) % uint64(n))
	}
	top := -1
	for i := range n {
		x := g.Members.At((start + i) % n)
		if x.Subscriber == not {
			continue
		}
		if ready := int(x.Subscriber.Readiness()); ready > top {
			best, ok, top = x, true, ready
			if ready == int(mqtt.Idle) {
				break
			}
		}
	}
	return best, ok
}

// share gives one copy of m to one member of a group.
//
// Spec: MQTT 5.0 §4.8.2; RETAIN is cleared, quirk 7.
func (r *Router) share(now time.Time, m *mqtt.Message, g *subtrie.Group[Subscriber], b *Batch) int {
	chosen, ok := choose(b.policyOr(r), g, nil)
	if !ok {
		return 0
	}
	return b.deliver(now, m, chosen.Subscriber, shared(m, g, chosen))
}

// shared is the delivery to a chosen member.
func shared(m *mqtt.Message, g *subtrie.Group[Subscriber], x subtrie.Match[Subscriber]) mqtt.Delivery {
	d, _ := delivery(m, x)
	d.Retain, d.Share = false, g.Share
	return d
}

// SetPolicy changes shared_subscription_policy.
func (r *Router) SetPolicy(p Policy) { r.policy.Store(uint32(p)) }

// Policy returns shared_subscription_policy.
func (r *Router) Policy() Policy { return Policy(r.policy.Load()) }

// Choose gives the batch's publisher a policy of its own; nil = the router's.
func (b *Batch) Choose(p *Policy) { b.policy = p }

func (b *Batch) policyOr(r *Router) Policy {
	if b.policy != nil {
		return *b.policy
	}
	return r.Policy()
}

// Redistribute gives messages that one member of a share group will not
// deliver to others, in order; b is the commit that took them from it. Unless
// the member has left for good, only members that are online get any. It
// returns what nobody gets, and whom to flush once b is submitted.
//
// Spec: MQTT 5.0 §4.8.2.
func (r *Router) Redistribute(now time.Time, mountpoint string, from Subscriber, forGood bool, items []mqtt.Queued, b *store.Batch) (left []mqtt.Queued, flush []Subscriber) {
	for _, it := range items {
		g, found := r.subs.Group(mountpoint, *it.Delivery.Share)
		var to subtrie.Match[Subscriber]
		if found {
			to, found = choose(r.Policy(), &g, from)
		}
		if !found || !forGood && to.Subscriber.Readiness() == mqtt.Offline {
			left = append(left, it)
			continue
		}
		if to.Subscriber.Deliver(now, it.Message, shared(it.Message, &g, to), b) {
			flush = append(flush, to.Subscriber)
		}
	}
	return left, flush
}

// Waiting calls f for the members of a group that are offline: they may keep
// messages that a member which has come online can take.
func (r *Router) Waiting(mountpoint string, share mqtt.Share, f func(Subscriber)) {
	g, ok := r.subs.Group(mountpoint, share)
	if !ok {
		return
	}
	for i := range g.Members.Len() {
		if s := g.Members.At(i).Subscriber; s.Readiness() == mqtt.Offline {
			f(s)
		}
	}
}
