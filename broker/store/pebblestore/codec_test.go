package pebblestore

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// decodeAny decodes v as each kind of record. What decodes must encode to the
// same bytes, or at least decode to the same again.
func decodeAny(t *testing.T, v []byte) {
	k := appendName(nil, tagSession, mqtt.SessionKey{Mountpoint: "m", ClientID: "c"})
	if r, err := decodeSession(k, v); err == nil {
		d := view(v)
		again, err := decodeSession(k, appendSession(nil, d.sessionNumber(), r))
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("session %+v, again %+v, %v", r, again, err)
		}
	}
	if m, err := decodeBody(k, v); err == nil {
		d := view(v)
		again, err := decodeBody(k, appendBody(nil, d.count(), m))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("message %+v, again %+v, %v", m, again, err)
		}
	}
	d := view(v)
	del, tracked := d.delivery()
	if m := d.message(); d.end() == nil {
		d = view(appendMessage(appendDelivery(nil, &del, tracked), m))
		del2, tracked2 := d.delivery()
		if m2 := d.message(); d.end() != nil || !reflect.DeepEqual(m, m2) || !reflect.DeepEqual(del, del2) || tracked != tracked2 {
			t.Fatalf("entry %+v %+v, again %+v %+v", del, m, del2, m2)
		}
	}
	if id, rel, err := decodeState(k, v); err == nil && !bytes.Equal(appendState(nil, id, rel), v) {
		t.Fatalf("state %x", v)
	}
	d = view(v)
	d.retained()
	d.end()
	parsePlace(v)
	if len(v) > 0 {
		parseName(v)
	}
}

func seeds() [][]byte {
	m := &mqtt.Message{Mountpoint: "mp", Topic: "a/b", Payload: []byte("p"), Properties: []byte{1}, Expires: time.Unix(2e9, 5), Publisher: mqtt.SessionKey{ClientID: "c"}, QoS: 2, Retain: true}
	d := &mqtt.Delivery{QoS: 2, SubscriptionID: 5, MoreIDs: []uint32{6, 7}}
	r := &store.Session{Username: "u", Expiry: time.Hour, Offline: time.Unix(2e9, 0), WillDue: time.Unix(2e9, 1), Will: &mqtt.Will{Message: m, Delay: 5},
		Subscriptions: []mqtt.Subscription{{Filter: "#", ID: 3, QoS: 1, NoLocal: true, RetainHandling: 2}, {Filter: "a", ShareName: "g", UpgradeQoS: true}}}
	return [][]byte{appendSession(nil, 7, r), appendBody(nil, 3, m), appendMessage(appendDelivery(nil, d, true), m), appendState(nil, 9, true),
		appendRetained(nil, 4, nil), appendRetained(nil, 0, m), place{1, kindShared, 2}.append(nil), {}}
}

func FuzzDecode(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(decodeAny)
}

// TestDecode_Strict: no record that is cut short, has more at its end, or a
// changed version is taken for a whole one.
func TestDecode_Strict(t *testing.T) {
	decode := []func(v []byte) error{
		func(v []byte) error { _, err := decodeSession([]byte{tagSession, 0}, v); return err },
		func(v []byte) error { _, err := decodeBody(nil, v); return err },
		func(v []byte) error { d := view(v); d.delivery(); d.message(); return d.end() },
		func(v []byte) error { _, _, err := decodeState(nil, v); return err },
		func(v []byte) error { d := view(v); d.retained(); return d.end() },
		func(v []byte) error { d := view(v); d.retained(); return d.end() },
	}
	for i, f := range decode {
		v := seeds()[i]
		if err := f(v); err != nil {
			t.Errorf("record %d: %v", i, err)
		}
		for n := range v {
			if f(v[:n]) == nil {
				t.Errorf("record %d: %d of %d bytes decode", i, n, len(v))
			}
		}
		if f(append(bytes.Clone(v), 0)) == nil {
			t.Errorf("record %d decodes with a byte more", i)
		}
		if v[0]++; f(v) == nil {
			t.Errorf("record %d decodes with version %d", i, v[0])
		}
	}
}
