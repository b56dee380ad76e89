package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// cases are the parts of the suite.
var cases = []part{
	{"EmptyBatch", emptyBatch},
	{"QueueOrder", queueOrder},
	{"QueueAfter", queueAfter},
	{"Flight", flight},
	{"Inbound", inboundIDs},
	{"DeleteSession", deleteSession},
	{"DeleteThenPut", deleteThenPut},
	{"Subscriptions", subscriptions},
	{"SubscriptionNames", subscriptionNames},
	{"SubscriptionsEnd", subscriptionsEnd},
	{"UnknownSession", unknownSession},
	{"Repeated", repeated},
	{"Retained", retainedMessages},
	{"Shared", sharedMessages},
	{"SharedRetained", sharedRetained},
	{"Fields", fields},
	{"Atomic", atomicBatches},
	{"DoneInOrder", doneInOrder},
	{"CommitInDone", commitInDone},
	{"Closed", closed},
	{"Producers", producers},
	{"Load", load},
	{"LoadWhileCommitting", loadWhileCommitting},
	{"LongQueue", longQueue},
	{"LargePayload", largePayload},
	{"Model", model},
}

func emptyBatch(x *bench) {
	x.do()
	if err := commit(x.s, false); err != nil {
		x.Fatalf("commit: %v", err)
	}
}

func queueOrder(x *bench) {
	k := key("a")
	x.do(put(k))
	for n := uint64(1); n <= 300; n += 3 { // around the borders of a byte
		x.do(add(k, n, message("x")), add(k, n+1, message("y")))
	}
	x.both(func() {
		var want []string
		for n := 1; n <= 300; n += 3 {
			want = append(want, fmt.Sprintf("%d:x", n), fmt.Sprintf("%d:y", n+1))
		}
		x.queue(k, want...)
		x.queue(key("b"))
	})
	x.do(complete(k, 4), complete(k, 1), complete(k, 256))
	x.both(func() {
		var got []uint64
		x.s.Queue(k, 250, func(e store.Entry) bool { got = append(got, e.Number); return true })
		if want := []uint64{251, 253, 254, 257, 259}; !slices.Equal(got[:5], want) {
			x.Fatalf("got %v, want %v first", got, want)
		}
	})
}

func queueAfter(x *bench) {
	k := key("a")
	x.do(put(k), add(k, 5, message("a")), add(k, 6, message("b")), add(k, 9, message("c")), inbound(store.PutInbound, k, 7))
	for _, c := range []struct {
		after uint64
		limit int
		want  []uint64
	}{{0, 9, []uint64{5, 6, 9}}, {4, 9, []uint64{5, 6, 9}}, {5, 9, []uint64{6, 9}}, {7, 9, []uint64{9}}, {9, 9, nil}, {1 << 40, 9, nil}, {0, 1, []uint64{5}}, {5, 1, []uint64{6}}} {
		var got []uint64
		ids, err := x.s.Queue(k, c.after, func(e store.Entry) bool {
			got = append(got, e.Number)
			return len(got) < c.limit
		})
		if err != nil || !slices.Equal(got, c.want) || !slices.Equal(ids, []uint16{7}) {
			x.Fatalf("after %d, at most %d: got %v, identifiers %v, %v; want %v", c.after, c.limit, got, ids, err, c.want)
		}
	}
}

func flight(x *bench) {
	k := key("a")
	two := func(s string) *mqtt.Message { m := message(s); m.QoS = mqtt.ExactlyOnce; return m }
	x.do(put(k), add(k, 1, two("a")), add(k, 2, two("b")), add(k, 3, message("c")), add(k, 4, two("d")))
	x.do(number(store.Assign, k, 1, 65535), number(store.Assign, k, 2, 2), number(store.Assign, k, 3, 3))
	x.both(func() { x.queue(k, "1:a:65535", "2:b:2", "3:c:3", "4:d") })
	x.do(number(store.Release, k, 1, 65535))
	x.do(number(store.Release, k, 2, 0)) // Number says all
	x.both(func() { x.queue(k, "1:a:65535:released", "2:b:2:released", "3:c:3", "4:d") })
	x.do(complete(k, 1), complete(k, 3))
	x.do(add(k, 5, two("e")), number(store.Assign, k, 5, 9), number(store.Release, k, 5, 9))
	x.both(func() { x.queue(k, "2:b:2:released", "4:d", "5:e:9:released") })
	x.do(complete(k, 2), complete(k, 4), complete(k, 5))
	x.both(func() { x.queue(k) })
	x.do(add(k, 1, two("n")), add(k, 3, message("m"))) // after a restart numbers begin anew
	x.both(func() { x.queue(k, "1:n", "3:m") })
}

func inboundIDs(x *bench) {
	k := key("a")
	want := func(ids ...uint16) {
		x.both(func() {
			got, err := x.s.Queue(k, 0, func(store.Entry) bool { return true })
			slices.Sort(got)
			if err != nil || !slices.Equal(got, ids) {
				x.Fatalf("got %v, %v; want %v", got, err, ids)
			}
		})
	}
	x.do(put(k), inbound(store.PutInbound, k, 1), inbound(store.PutInbound, k, 65535), inbound(store.PutInbound, k, 256), inbound(store.PutInbound, k, 256))
	want(1, 256, 65535)
	x.do(inbound(store.DropInbound, k, 256), inbound(store.DropInbound, k, 3))
	want(1, 65535)
	x.do(inbound(store.DropInbound, k, 1), inbound(store.PutInbound, k, 1))
	want(1, 65535)
	x.do(drop(k), put(k))
	want()
}

func (x *bench) sessions() (keys []string) {
	err := x.s.Sessions(func(r *store.Session) bool { keys = append(keys, r.Key.Mountpoint+"|"+r.Key.ClientID); return true })
	if err != nil {
		x.Fatalf("sessions: %v", err)
	}
	slices.Sort(keys)
	return keys
}

func deleteSession(x *bench) {
	a, b, c := mqtt.SessionKey{ClientID: "ab"}, mqtt.SessionKey{Mountpoint: "a", ClientID: "b"}, mqtt.SessionKey{Mountpoint: "ab"}
	shared := message("s")
	for _, k := range []mqtt.SessionKey{a, b, c} {
		x.do(put(k), add(k, 1, message("x")), inbound(store.PutInbound, k, 4))
	}
	x.do(add(a, 2, shared), add(b, 2, shared), add(c, 2, shared))
	x.do(drop(b))
	x.both(func() {
		if got := fmt.Sprint(x.sessions()); got != "[ab| |ab]" {
			x.Fatalf("sessions are %s", got)
		}
		x.queue(a, "1:x", "2:s")
		x.queue(b)
		x.queue(c, "1:x", "2:s")
	})
	x.do(put(b))
	x.both(func() { x.queue(b) })
	n := 0
	x.s.Sessions(func(*store.Session) bool { n++; return n < 2 })
	if n != 2 {
		x.Fatalf("Sessions went on for %d calls after false", n-2)
	}
}

func deleteThenPut(x *bench) {
	k := key("a")
	x.do(put(k), add(k, 1, message("old")), add(k, 7, message("old")), number(store.Assign, k, 1, 3), inbound(store.PutInbound, k, 3))
	fresh := put(k)
	fresh.Session.Username = "new"
	x.do(add(k, 8, message("old")), drop(k), fresh, add(k, 1, message("new")))
	x.both(func() {
		x.queue(k, "1:new")
		x.s.Sessions(func(r *store.Session) bool {
			if r.Username != "new" {
				x.Fatalf("the old record is there")
			}
			return true
		})
	})
	x.do(put(k), drop(k))
	x.both(func() {
		if got := x.sessions(); len(got) != 0 {
			x.Fatalf("sessions are %v", got)
		}
		x.queue(k)
	})
}

func unknownSession(x *bench) {
	k := key("a")
	x.do(add(k, 1, message("x")), number(store.Assign, k, 1, 1), number(store.Release, k, 1, 1), complete(k, 1),
		inbound(store.PutInbound, k, 1), inbound(store.DropInbound, k, 1), drop(k))
	x.do(add(k, 1, message("x")), inbound(store.PutInbound, k, 1))
	x.both(func() {
		if got := x.sessions(); len(got) != 0 {
			x.Fatalf("sessions are %v", got)
		}
		x.queue(k)
	})
	x.do(put(k))
	x.both(func() { x.queue(k) })
}

func repeated(x *bench) {
	k := key("a")
	m := message("m")
	x.do(put(k), put(key("b")), add(k, 1, m), add(key("b"), 1, m), add(k, 2, message("n")))
	x.do(add(k, 1, message("second"))) // the first stays
	x.do(complete(k, 9), number(store.Assign, k, 9, 9), number(store.Release, k, 9, 9))
	x.both(func() { x.queue(k, "1:m", "2:n") })
	x.do(complete(k, 1), complete(k, 1))
	x.do(complete(k, 1))
	x.do(put(k)) // keeps entries
	x.both(func() { x.queue(k, "2:n"); x.queue(key("b"), "1:m") })
}

func (x *bench) retained() (all []string) {
	err := x.s.Retained(func(m *mqtt.Message) bool {
		all = append(all, m.Mountpoint+"|"+m.Topic+"="+string(m.Payload))
		return true
	})
	if err != nil {
		x.Fatalf("retained: %v", err)
	}
	slices.Sort(all)
	return all
}

func retainedMessages(x *bench) {
	m := func(mp, topic, payload string) *mqtt.Message {
		return &mqtt.Message{Mountpoint: mp, Topic: topic, Payload: []byte(payload), Retain: true}
	}
	want := func(s string) {
		x.Helper()
		x.both(func() {
			if got := strings.Join(x.retained(), " "); got != s {
				x.Fatalf("retained are %q, want %q", got, s)
			}
		})
	}
	x.do(retained(store.PutRetained, m("", "a", "1")), retained(store.PutRetained, m("mp", "a", "2")), retained(store.PutRetained, m("", "a/b", "3")))
	want("mp|a=2 |a/b=3 |a=1")
	x.do(retained(store.PutRetained, m("", "a", "4")), retained(store.PutRetained, m("", "a", "5")))
	want("mp|a=2 |a/b=3 |a=5")
	x.do(retained(store.DropRetained, m("", "a", "")), retained(store.DropRetained, m("", "z", "")))
	want("mp|a=2 |a/b=3")
	x.do(retained(store.DropRetained, m("", "a/b", "")), retained(store.PutRetained, m("", "a/b", "6")), retained(store.DropRetained, m("mp", "a", "")))
	want("|a/b=6")
}

// sharedMessages gives one message to many queues and takes it out of them in
// different ways.
func sharedMessages(x *bench) {
	const n = 40
	ks := make([]mqtt.SessionKey, n)
	var b store.Batch
	m := message("shared")
	other := message("other")
	for i := range ks {
		ks[i] = key(fmt.Sprint("c", i))
		b.Add(put(ks[i]))
	}
	for i := range ks {
		b.Add(add(ks[i], uint64(i+1), m))
		if i%2 == 0 {
			b.Add(add(ks[i], uint64(i+2), other))
		}
		b.Add(add(ks[i], uint64(i+3), message("single")))
	}
	x.do(b.Ops...)
	check := func(i int, first bool) {
		var want []string
		if first {
			want = append(want, fmt.Sprintf("%d:shared", i+1))
		}
		if i%2 == 0 {
			want = append(want, fmt.Sprintf("%d:other", i+2))
		}
		x.queue(ks[i], append(want, fmt.Sprintf("%d:single", i+3))...)
	}
	x.both(func() {
		for i := range ks {
			check(i, true)
		}
	})
	for i := range 10 {
		x.do(complete(ks[i], uint64(i+1)))
	}
	x.reopen()
	var waits []func()
	for i := 10; i < 20; i++ {
		waits = append(waits, x.later(complete(ks[i], uint64(i+1))))
	}
	for _, w := range waits {
		w()
	}
	for i := 20; i < 30; i++ {
		x.do(drop(ks[i]))
	}
	x.both(func() {
		for i := range 20 {
			check(i, false)
		}
		for i := 20; i < 30; i++ {
			x.queue(ks[i])
		}
		for i := 30; i < n; i++ {
			check(i, true)
		}
	})
	for i := 30; i < n-1; i++ {
		x.do(drop(ks[i]), put(ks[i]))
	}
	x.both(func() { check(n-1, true); x.queue(ks[30]) })
	x.do(complete(ks[n-1], n))
	x.both(func() { check(n-1, false) })
}

func sharedRetained(x *bench) {
	k := key("a")
	m := message("m")
	m.Retain = true
	x.do(put(k), retained(store.PutRetained, m), add(k, 1, m))
	x.both(func() { x.queue(k, "1:m") })
	x.do(retained(store.DropRetained, m))
	x.both(func() { x.queue(k, "1:m") })
	x.do(retained(store.PutRetained, m), add(k, 2, m), complete(k, 2))
	x.do(complete(k, 1))
	n := message("m")
	n.Payload = []byte("n")
	x.both(func() {
		if got := fmt.Sprint(x.retained()); got != "[|t/m=m]" {
			x.Fatalf("retained are %s", got)
		}
	})
	x.do(retained(store.PutRetained, n), add(k, 3, n))
	x.do(drop(k))
	x.both(func() {
		if got := fmt.Sprint(x.retained()); got != "[|t/m=n]" {
			x.Fatalf("retained are %s", got)
		}
	})
}

// atomicBatches reads while batches of ten are committed.
func atomicBatches(x *bench) {
	k := key("a")
	x.do(put(k))
	const batches = 60
	var stop atomic.Bool
	x.parallel(2, func(i int) error {
		if i == 0 {
			defer stop.Store(true)
			for b := range batches {
				var ops []store.Op
				for n := range 10 {
					ops = append(ops, add(k, uint64(b*10+n+1), message("x")))
				}
				if b > 4 {
					for n := range 10 {
						ops = append(ops, complete(k, uint64((b-5)*10+n+1)))
					}
				}
				if err := commit(x.s, true, ops...); err != nil {
					return err
				}
			}
			return nil
		}
		for !stop.Load() {
			var got []uint64
			if _, err := x.s.Queue(k, 0, func(e store.Entry) bool { got = append(got, e.Number); return true }); err != nil {
				return err
			}
			if len(got)%10 != 0 || len(got) > 0 && (got[0]%10 != 1 || got[len(got)-1]-got[0] != uint64(len(got)-1)) {
				return fmt.Errorf("a reader saw part of a batch: %v", got)
			}
		}
		return nil
	})
}

func doneInOrder(x *bench) {
	k := key("a")
	x.do(put(k))
	const n = 500
	order := make(chan int, 2*n)
	for i := range n {
		b := store.Batch{Sync: i%3 > 0}
		b.Add(add(k, uint64(i+1), message("x")))
		x.s.Commit(&b, func(err error) {
			if err != nil {
				i = -1
			}
			order <- i
		})
	}
	x.do()
	close(order)
	want := 0
	for i := range order {
		if i != want {
			x.Fatalf("done of batch %d was called after that of %d", i, want-1)
		}
		want++
	}
	if want != n {
		x.Fatalf("%d of %d done functions were called", want, n)
	}
}

// commitInDone commits from done functions, as connections do.
func commitInDone(x *bench) {
	k := key("a")
	x.do(put(k))
	end := make(chan error, 1)
	var next func(n uint64) func(error)
	next = func(n uint64) func(error) {
		return func(err error) {
			if err != nil || n > 100 {
				end <- err
				return
			}
			x.s.Commit(&store.Batch{Ops: []store.Op{add(k, n, message("x")), complete(k, n-1)}, Sync: n%2 == 0}, next(n+1))
		}
	}
	next(1)(nil)
	if err := <-end; err != nil {
		x.Fatalf("commit: %v", err)
	}
	x.queue(k, "100:x")
}

func closed(x *bench) {
	k := key("a")
	x.do(put(k))
	var waits []func()
	for n := range uint64(50) {
		waits = append(waits, x.later(add(k, n+1, message("x"))))
	}
	if err := x.s.Close(); err != nil { // commits what was taken
		x.Fatalf("close: %v", err)
	}
	for _, w := range waits {
		w()
	}
	if err := commit(x.s, true, add(k, 99, message("x"))); err == nil {
		x.Fatalf("a commit after Close reports success")
	}
	if err := commit(x.s, false); err == nil {
		x.Fatalf("an empty commit after Close reports success")
	}
	if !x.o.Persistent {
		return
	}
	x.open()
	n := 0
	x.s.Queue(k, 0, func(store.Entry) bool { n++; return true })
	if n != 50 {
		x.Fatalf("%d of 50 entries are there after Close", n)
	}
}

// producers has many clients commit at once.
func producers(x *bench) {
	const n, each = 64, 25
	group := message("to all")
	var first store.Batch
	for i := range n {
		first.Add(put(key(fmt.Sprint(i))))
	}
	for i := range n {
		first.Add(add(key(fmt.Sprint(i)), 1, group))
	}
	x.do(first.Ops...)
	x.parallel(n, func(i int) error {
		k := key(fmt.Sprint(i))
		for j := uint64(2); j < 2+each; j++ {
			m := message(fmt.Sprintf("%d-%d", i, j))
			ops := []store.Op{add(k, j, m), add(key(fmt.Sprint((i+1)%n)), j+1000*uint64(i+1), m)}
			if j%5 == 0 {
				ops = append(ops, complete(k, j-1))
			}
			if err := commit(x.s, j%4 > 0, ops...); err != nil {
				return err
			}
			if err := x.s.Sessions(func(*store.Session) bool { return false }); err != nil {
				return err
			}
		}
		return commit(x.s, true, complete(k, 1))
	})
	x.both(func() {
		for i := range n {
			var want []string
			for j := 2; j < 2+each; j++ {
				if (j+1)%5 != 0 || j+1 >= 2+each {
					want = append(want, fmt.Sprintf("%d:%d-%d", j, i, j))
				}
			}
			before := (i + n - 1) % n
			for j := 2; j < 2+each; j++ {
				want = append(want, fmt.Sprintf("%d:%d-%d", j+1000*(before+1), before, j))
			}
			x.queue(key(fmt.Sprint(i)), want...)
		}
	})
}

// longQueue passes many messages through one queue, reading its head each time.
func longQueue(x *bench) {
	const n, step = 50_000, 50
	k := key("a")
	x.do(put(k))
	waits := make([]func(), 0, 2*n/step)
	for i := uint64(1); i <= n; i += step {
		var ops []store.Op
		for j := range uint64(step) {
			ops = append(ops, add(k, i+j, message("x")))
		}
		waits = append(waits, x.later(ops...))
	}
	for _, w := range waits {
		w()
	}
	began := time.Now()
	for i := uint64(1); i <= n; i++ {
		if i%100 == 0 || i == n {
			x.do(complete(k, i))
			var head uint64
			x.s.Queue(k, 0, func(e store.Entry) bool { head = e.Number; return false })
			if i < n && head != i+1 || i == n && head != 0 {
				x.Fatalf("the head is %d after %d was completed", head, i)
			}
		} else {
			x.later(complete(k, i))
		}
	}
	if d := time.Since(began); d > 20*time.Second {
		x.Fatalf("reading the head of a queue of %d took %s in all", n, d)
	}
	x.both(func() { x.queue(k) })
}

func largePayload(x *bench) {
	a, b := key("a"), key("b")
	m := message("large")
	m.Payload = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	own := message("own")
	own.Payload = bytes.Repeat([]byte{0, 255}, 1<<19)
	x.do(put(a), put(b), add(a, 1, m), add(b, 1, m), add(a, 2, own), retained(store.PutRetained, m))
	x.both(func() {
		for _, k := range []mqtt.SessionKey{a, b} {
			n := 0
			_, err := x.s.Queue(k, 0, func(e store.Entry) bool {
				want := m
				if n++; e.Number == 2 {
					want = own
				}
				if !bytes.Equal(e.Message.Payload, want.Payload) {
					x.Fatalf("a payload has changed")
				}
				return true
			})
			if err != nil || n == 0 {
				x.Fatalf("%d entries, %v", n, err)
			}
		}
	})
}
