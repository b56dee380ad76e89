package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Unsubscribe ends one or more subscriptions. Owned by the caller; decoded, it
// has memory of its own.
//
//	fixed header       1     1010 0010
//	remaining length   1..4
//	packet identifier  2
//	properties         1+n   5.0 only, with their length
//	topic filter       2+n   once or more
//
// Spec: MQTT 5.0 §3.10; MQTT 3.1.1 §3.10; MQTT 3.1 §3.10.
type Unsubscribe struct {
	PacketID       uint16   // 1..65535
	Filters        []string // at least one, in the order sent; not checked
	UserProperties []mqtt.UserProperty
}

// Type returns TypeUnsubscribe.
func (u *Unsubscribe) Type() Type { return TypeUnsubscribe }

func decodeUnsubscribe(r *reader, v mqtt.Version) *Unsubscribe {
	u := &Unsubscribe{PacketID: r.packetID()}
	if v >= mqtt.V5 {
		r.openProperties(in(TypeUnsubscribe))
		for _, ok := r.nextProperty(); ok; _, ok = r.nextProperty() { // the table allows one only
			u.UserProperties = r.userProperty(u.UserProperties)
		}
	}
	for len(r.p) > 0 {
		u.Filters = append(u.Filters, r.owned())
	}
	if len(u.Filters) == 0 { // [MQTT-3.10.3-2]
		r.fail(mqtt.ProtocolError, "no topic filter")
	}
	return u
}

// Append appends the packet for version v. A packet above MaxRemaining appends
// nothing.
//
// Spec: MQTT 5.0 §3.10.
func (u *Unsubscribe) Append(dst []byte, v mqtt.Version) []byte {
	size := writer{count: true}
	u.body(&size, v)
	w := writer{dst: dst}
	if !w.begin(TypeUnsubscribe, 0x02, size.n) {
		return dst
	}
	u.body(&w, v)
	return w.dst
}

func (u *Unsubscribe) body(w *writer, v mqtt.Version) {
	w.u16(u.PacketID)
	if v >= mqtt.V5 {
		w.reasonSection("", u.UserProperties)
	}
	for _, f := range u.Filters {
		w.text(f)
	}
}
