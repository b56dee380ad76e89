package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// load reads many sessions in one pass: empty queues, long ones, shared and
// own messages, messages in flight, inbound identifiers alone.
func load(x *bench) {
	shared := message("shared")
	shared.QoS = mqtt.ExactlyOnce
	want := map[mqtt.SessionKey]string{}
	var b, toAll store.Batch
	for i := range 60 {
		k := key(fmt.Sprint("c", i))
		b.Add(put(k))
		switch i % 6 {
		case 1:
			for n := range uint64(20) {
				b.Add(add(k, n+1, message("own")))
				want[k] += fmt.Sprintf("%d:own:0 ", n+1)
			}
		case 2:
			toAll.Add(add(k, 7, shared))
			b.Add(inbound(store.PutInbound, k, 9))
			want[k] = "7:shared:0 [9]"
		case 3:
			b.Add(inbound(store.PutInbound, k, uint16(i)))
			want[k] = fmt.Sprintf("[%d]", i)
		case 4:
			toAll.Add(add(k, 7, shared))
			toAll.Add(number(store.Assign, k, 7, 4))
			b.Add(add(k, 3, message("own")))
			want[k] = "3:own:0 7:shared:4 "
		case 5:
			b.Add(add(k, 3, message("own")))
			toAll.Add(complete(k, 3))
		}
	}
	x.do(b.Ops...)
	x.do(toAll.Ops...)
	x.do(drop(key("c8")), drop(key("c9")))
	x.both(func() {
		n := 0
		for k, got := range x.loaded() {
			if n++; got != want[k] {
				x.Fatalf("queue of %v: got %q, want %q", k, got, want[k])
			}
		}
		if n != 58 {
			x.Fatalf("%d sessions, want 58", n)
		}
		if r, err := x.s.Session(key("c8")); r != nil || err != nil {
			x.Fatalf("a deleted session: %v, %v", r, err)
		}
		if all, err := Show(x.s); err != nil || len(all) < 58 {
			x.Fatalf("%d lines, %v", len(all), err)
		}
		x.stopsLoading()
	})
}

// loaded is what Load reads of the queues, as text, in the order of Sessions.
func (x *bench) loaded() map[mqtt.SessionKey]string {
	x.Helper()
	var order []mqtt.SessionKey
	all := map[mqtt.SessionKey]string{}
	err := x.s.Load(func(r *store.Session, queue store.QueueReader) bool {
		order = append(order, r.Key)
		text := ""
		ids, err := queue(func(e store.Entry) bool {
			text += fmt.Sprintf("%d:%s:%d ", e.Number, e.Message.Payload, e.PacketID)
			return true
		})
		if err != nil {
			x.Fatalf("queue of %v: %v", r.Key, err)
		}
		if len(ids) > 0 {
			text += fmt.Sprint(ids)
		}
		all[r.Key] = text
		return true
	})
	if err != nil || len(all) != len(order) {
		x.Fatalf("load: %d sessions, %d of them once, %v", len(order), len(all), err)
	}
	return all
}

// stopsLoading: Load ends after false, a queue too, and a queue need not be
// read.
func (x *bench) stopsLoading() {
	x.Helper()
	n := 0
	err := x.s.Load(func(_ *store.Session, queue store.QueueReader) bool {
		if n++; n > 10 {
			return false
		}
		if n%2 == 0 {
			_, _ = queue(func(store.Entry) bool { return false })
		}
		return true
	})
	if err != nil || n != 11 {
		x.Fatalf("Load stops after %d sessions, %v; want 11", n, err)
	}
}

// loadWhileCommitting: sessions whose queues change while Load runs are seen
// whole, and those nobody touches as they are.
func loadWhileCommitting(x *bench) {
	const n = 200
	var b store.Batch
	for i := range n {
		b.Add(put(key(fmt.Sprint("c", i))))
		b.Add(add(key(fmt.Sprint("c", i)), 1, message("x")))
	}
	x.do(b.Ops...)
	var stop atomic.Bool
	x.parallel(2, func(i int) error {
		if i == 0 {
			defer stop.Store(true)
			for j := range uint64(60) {
				k := key(fmt.Sprint("c", 2*j))
				if err := commit(x.s, true, add(k, 2, message("y")), add(k, 3, message("z")), complete(k, 1)); err != nil {
					return err
				}
				if err := commit(x.s, j%2 == 0, put(key(fmt.Sprint("new", j))), drop(key(fmt.Sprint("c", 2*j+1)))); err != nil {
					return err
				}
			}
			return nil
		}
		for !stop.Load() {
			if err := loadsWhole(x.s); err != nil {
				return err
			}
		}
		return nil
	})
	if got := len(x.loaded()); got != n {
		x.Fatalf("%d sessions at the end, want %d", got, n)
	}
}

func loadsWhole(s store.Store) error {
	seen := 0
	var bad error
	err := s.Load(func(r *store.Session, queue store.QueueReader) bool {
		var got []uint64
		if _, bad = queue(func(e store.Entry) bool { got = append(got, e.Number); return true }); bad != nil {
			return false
		}
		if len(got) > 0 && !slices.Equal(got, []uint64{1}) && !slices.Equal(got, []uint64{2, 3}) {
			bad = fmt.Errorf("%v: Load saw part of a batch: %v", r.Key, got)
			return false
		}
		seen++
		return true
	})
	if err == nil && bad == nil && seen < 200 {
		bad = fmt.Errorf("only %d sessions were loaded, of at least 200", seen)
	}
	return errors.Join(err, bad)
}
