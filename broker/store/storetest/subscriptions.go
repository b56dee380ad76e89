package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

func subscribed(k mqtt.SessionKey, s mqtt.Subscription) store.Op {
	return store.Op{Kind: store.PutSubscription, Key: k, Subscription: &s}
}

func unsubscribed(k mqtt.SessionKey, s mqtt.Subscription) store.Op {
	return store.Op{Kind: store.DeleteSubscription, Key: k, Subscription: &s}
}

func to(filter string, id uint32) mqtt.Subscription { return mqtt.Subscription{Filter: filter, ID: id} }

// subs demands that a session has these subscriptions, written as
// "filter:identifier" or "share/filter:identifier", whoever reads it.
func (x *bench) subs(k mqtt.SessionKey, want ...string) {
	x.Helper()
	slices.Sort(want)
	check := func(who string, r *store.Session) {
		x.Helper()
		var got []string
		for _, s := range r.Subscriptions {
			got = append(got, strings.TrimPrefix(s.ShareName+"/", "/")+fmt.Sprintf("%s:%d", s.Filter, s.ID))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			x.Fatalf("%s: subscriptions of %q: got %.300q, want %.300q", who, k, got, want)
		}
	}
	r, err := x.s.Session(k)
	if err != nil || r == nil {
		x.Fatalf("session %q: %v, %v", k, r, err)
	}
	check("Session", r)
	n := 0
	see := func(who string) func(r *store.Session) bool {
		return func(r *store.Session) bool {
			if r.Key == k {
				n++
				check(who, r)
			}
			return true
		}
	}
	err = x.s.Sessions(see("Sessions"))
	if err == nil {
		load := see("Load")
		err = x.s.Load(func(r *store.Session, _ store.QueueReader) bool { return load(r) })
	}
	if err != nil || n != 2 {
		x.Fatalf("session %q was read %d times, want 2, %v", k, n, err)
	}
}

// subscriptions makes, changes and deletes subscriptions; the record and what
// else there is of the session do not matter to them, nor they to it.
func subscriptions(x *bench) {
	a, b := key("a"), key("b")
	shared := mqtt.Subscription{Filter: "f", ShareName: "g", ID: 3}
	x.do(put(a), put(b), subscribed(a, to("f", 1)), subscribed(a, to("f/#", 2)), subscribed(a, shared), add(a, 1, message("x")))
	x.both(func() { x.subs(a, "f:1", "f/#:2", "g/f:3"); x.subs(b) })
	x.do(subscribed(a, to("f", 4)), subscribed(b, to("f", 5)))
	x.do(put(a)) // keeps them
	again := put(a)
	again.Session.Subscriptions = []mqtt.Subscription{to("ignored", 1)}
	x.do(again)
	x.both(func() { x.subs(a, "f:4", "f/#:2", "g/f:3"); x.subs(b, "f:5"); x.queue(a, "1:x") })
	x.do(unsubscribed(a, to("f", 99)), unsubscribed(b, shared), unsubscribed(b, to("f/#", 0)))
	x.both(func() { x.subs(a, "f/#:2", "g/f:3"); x.subs(b, "f:5") })
	x.do(unsubscribed(a, shared), subscribed(a, shared), subscribed(a, to("f", 6)), unsubscribed(a, to("f", 6)), complete(a, 1))
	x.both(func() { x.subs(a, "f/#:2", "g/f:3"); x.queue(a) })
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprintf("many/%d:%d", i, i))
		x.later(subscribed(b, to(fmt.Sprint("many/", i), uint32(i))))
	}
	x.do(unsubscribed(b, to("f", 0)))
	x.both(func() { x.subs(b, want...); x.subs(a, "f/#:2", "g/f:3") })
}

// subscriptionNames has sessions whose names begin with, or could be taken for,
// one another's, with filters that could be the rest of a name.
func subscriptionNames(x *bench) {
	long := strings.Repeat("l/", 30000)
	filters := []string{"", "a", "b", "\x00", "\x01", "a\x00\x01b", "ä/+/#", long}
	var keys []mqtt.SessionKey
	for _, mp := range []string{"", "a", "ab", "a\x00", strings.Repeat("m", 200)} {
		for _, id := range []string{"", "a", "ab", "b", "a\x00", "a\x00\x01", "a\x00\xffb", "\x00", "\xff"} {
			keys = append(keys, mqtt.SessionKey{Mountpoint: mp, ClientID: id})
		}
	}
	var ops []store.Op
	want := map[mqtt.SessionKey][]string{}
	for i, k := range keys {
		ops = append(ops, put(k))
		for j, f := range filters {
			if (i+j)%3 > 0 {
				ops = append(ops, subscribed(k, to(f, uint32(i))))
				want[k] = append(want[k], fmt.Sprintf("%s:%d", f, i))
			}
		}
	}
	x.do(ops...)
	check := func() {
		for i, k := range keys {
			if i%4 > 0 {
				x.subs(k, want[k]...)
			}
		}
	}
	x.both(check)
	for i, k := range keys {
		if i%4 == 0 {
			x.do(drop(k))
		}
	}
	x.both(check)
}

// subscriptionsEnd: a session takes its subscriptions with it, and there are
// none of a session that does not exist.
func subscriptionsEnd(x *bench) {
	a, b := key("a"), key("ab")
	x.do(subscribed(a, to("f", 1)), put(a), put(b), subscribed(b, to("f", 1)))
	x.both(func() { x.subs(a); x.subs(b, "f:1") })
	x.do(subscribed(a, to("f", 1)), subscribed(a, to("g", 1)))
	x.reopen()
	x.do(drop(a), subscribed(a, to("h", 1)))
	x.do(subscribed(a, to("h", 1)), unsubscribed(a, to("h", 1)))
	x.do(put(a))
	x.both(func() { x.subs(a); x.subs(b, "f:1") })
	x.do(subscribed(a, to("old", 1)))
	x.do(subscribed(a, to("older", 1)), drop(a), put(a), subscribed(a, to("new", 2)), subscribed(a, to("old", 2)))
	x.both(func() { x.subs(a, "new:2", "old:2"); x.subs(b, "f:1") })
	x.do(drop(b), put(b))
	x.both(func() { x.subs(a, "new:2", "old:2"); x.subs(b) })
}
