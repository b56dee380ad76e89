package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

func showTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return fmt.Sprint(t.UnixNano())
}

func showMessage(m *mqtt.Message) string {
	if m == nil {
		return "none"
	}
	return fmt.Sprintf("%q %q %x properties %x(%v) %s %q %d %v", m.Mountpoint, m.Topic, m.Payload, m.Properties, m.Properties == nil, showTime(m.Expires), m.Publisher, m.QoS, m.Retain)
}

func showEntry(e store.Entry) string {
	share := "no share"
	if e.Delivery.Share != nil {
		share = fmt.Sprintf("%+v", *e.Delivery.Share)
		e.Delivery.Share = nil
	}
	return fmt.Sprintf("%d %+v %s %d %v %s", e.Number, e.Delivery, share, e.PacketID, e.Released, showMessage(e.Message))
}

func showSession(r *store.Session) string {
	s := fmt.Sprintf("%q %q %d %s %s", r.Key, r.Username, r.Expiry, showTime(r.Offline), showTime(r.WillDue))
	if r.Will != nil {
		s += fmt.Sprintf(" will %d %d %s", r.Will.Expiry, r.Will.Delay, showMessage(r.Will.Message))
	}
	subs := slices.Clone(r.Subscriptions)
	slices.SortFunc(subs, func(a, b mqtt.Subscription) int {
		return strings.Compare(a.ShareName+"/"+a.Filter, b.ShareName+"/"+b.Filter)
	})
	return s + fmt.Sprintf(" %+v", subs)
}

// samples are messages with every field at its extremes.
func samples() []*mqtt.Message {
	return []*mqtt.Message{
		{},
		{Mountpoint: "mp", Topic: "a/b", Payload: []byte("p"), Properties: []byte{1, 2, 3}, Expires: stamp(time.Hour),
			Publisher: mqtt.SessionKey{Mountpoint: "mp", ClientID: "publisher"}, QoS: mqtt.ExactlyOnce, Retain: true},
		{Topic: strings.Repeat("ä/", 30000), Payload: []byte{0}, Publisher: mqtt.SessionKey{ClientID: "c"}, QoS: mqtt.AtLeastOnce},
		{Topic: "t", Properties: []byte{0}, Expires: time.Unix(1, 1), Publisher: mqtt.SessionKey{Mountpoint: "only"}, Retain: true},
		{Topic: "t", Expires: stamp(0).Add(1<<32*time.Second - 1)},
	}
}

// fields demands that every field of everything survives.
func fields(x *bench) {
	now := stamp(0)
	full := &store.Session{Key: mqtt.SessionKey{Mountpoint: "mp", ClientID: "full"}, Username: "user", Expiry: 90 * time.Second, Offline: now, WillDue: now.Add(time.Minute),
		Will: &mqtt.Will{Message: samples()[1], Expiry: time.Hour, Delay: time.Minute},
		Subscriptions: []mqtt.Subscription{
			{Filter: "#", ID: 1, QoS: mqtt.ExactlyOnce, NoLocal: true},
			{Filter: "a/+", ShareName: "group", ID: 268435455, QoS: mqtt.AtLeastOnce},
			{Filter: "b", RetainAsPublished: true, RetainHandling: mqtt.SendRetainedIfNew},
			{Filter: "c", UpgradeQoS: true, RetainHandling: mqtt.DoNotSendRetained},
			{Filter: "d", NoLocal: true, RetainAsPublished: true, UpgradeQoS: true, RetainHandling: mqtt.SendRetained, QoS: mqtt.AtLeastOnce},
		}}
	plain := &store.Session{Key: mqtt.SessionKey{ClientID: "plain"}, Expiry: store.Forever, Will: &mqtt.Will{Message: samples()[0]}}
	want := map[mqtt.SessionKey]string{full.Key: showSession(full), plain.Key: showSession(plain)}
	deliveries := []mqtt.Delivery{
		{}, {QoS: mqtt.AtLeastOnce, Retain: true}, {QoS: mqtt.ExactlyOnce, SubscriptionID: 268435455},
		{QoS: mqtt.ExactlyOnce, Retain: true, SubscriptionID: 1, MoreIDs: []uint32{2, 268435455, 0}}, {QoS: mqtt.AtLeastOnce, MoreIDs: []uint32{7}},
		{QoS: mqtt.AtLeastOnce, Share: &mqtt.Share{Name: "g", Filter: "a/+"}},
	}
	var b store.Batch
	b.AddSession(full)
	b.AddSession(plain)
	ops := b.Ops
	var entries, kept []string
	n := uint64(1<<56 - 10)
	for _, shared := range []bool{false, true} {
		for i, m := range samples() {
			for j, d := range deliveries {
				e := store.Entry{Queued: mqtt.Queued{Number: n, Message: m, Delivery: d}, PacketID: uint16(i * j), Released: i*j == 4}
				n++
				ops = append(ops, store.Op{Kind: store.Append, Key: full.Key, Entry: e})
				if shared {
					ops = append(ops, store.Op{Kind: store.Append, Key: plain.Key, Entry: e})
				} else {
					c := *m
					ops[len(ops)-1].Entry.Message = &c
				}
				entries = append(entries, showEntry(e))
			}
		}
	}
	for i, m := range samples() {
		c := *m
		c.Mountpoint = fmt.Sprint(i)
		kept = append(kept, showMessage(&c))
		ops = append(ops, retained(store.PutRetained, &c))
	}
	slices.Sort(kept)
	x.do(ops...)
	x.both(func() { x.same(want, full.Key, entries, kept) })
}

// same compares what is in the store with what is wanted, as text.
func (x *bench) same(sessions map[mqtt.SessionKey]string, k mqtt.SessionKey, entries, kept []string) {
	x.Helper()
	n := 0
	err := x.s.Sessions(func(r *store.Session) bool {
		n++
		if got := showSession(r); got != sessions[r.Key] {
			x.Fatalf("session:\n got %s\nwant %s", got, sessions[r.Key])
		}
		return true
	})
	if err != nil || n != len(sessions) {
		x.Fatalf("%d sessions, want %d, %v", n, len(sessions), err)
	}
	i := 0
	_, err = x.s.Queue(k, 0, func(e store.Entry) bool {
		if got := showEntry(e); i >= len(entries) || got != entries[i] {
			x.Fatalf("entry %d:\n got %.300s\nwant %.300s", i, got, entries[min(i, len(entries)-1)])
		}
		i++
		return true
	})
	if err != nil || i != len(entries) {
		x.Fatalf("%d entries, want %d, %v", i, len(entries), err)
	}
	var got []string
	if err := x.s.Retained(func(m *mqtt.Message) bool { got = append(got, showMessage(m)); return true }); err != nil {
		x.Fatalf("retained: %v", err)
	}
	slices.Sort(got)
	if !slices.Equal(got, kept) {
		x.Fatalf("retained:\n got %.300s\nwant %.300s", got, kept)
	}
}
