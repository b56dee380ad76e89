package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Disconnect announces the end of the network connection. Owned by the caller;
// decoded, it has memory of its own. For 3.x it is empty and sent by clients
// only.
//
//	fixed header       1     1110 0000
//	remaining length   1..4
//	reason code        1     5.0 only; left out with the rest when 0
//	properties         1+n   5.0 only, with their length; may be left out
//
// Spec: MQTT 5.0 §3.14; MQTT 3.1.1 §3.14; MQTT 3.1 §3.14.
type Disconnect struct {
	Code             mqtt.ReasonCode
	SessionExpiry    uint32 // seconds, 0xFFFFFFFF = never; from clients only
	HasSessionExpiry bool
	ReasonString     string // "" = absent
	ServerReference  string // "" = absent; from servers only
	UserProperties   []mqtt.UserProperty
}

// Type returns TypeDisconnect.
func (d *Disconnect) Type() Type { return TypeDisconnect }

func decodeDisconnect(r *reader, v mqtt.Version) *Disconnect {
	d := &Disconnect{}
	if v < mqtt.V5 || len(r.p) == 0 {
		return d // remaining length 0: normal disconnection
	}
	d.Code = r.reasonCode()
	if len(r.p) == 0 {
		return d // remaining length 1: no properties
	}
	r.openProperties(in(TypeDisconnect))
	for id, ok := r.nextProperty(); ok; id, ok = r.nextProperty() {
		switch id {
		case propSessionExpiry:
			d.SessionExpiry, d.HasSessionExpiry = r.u32(), true
		case propReasonString:
			d.ReasonString = r.owned()
		case propServerReference:
			d.ServerReference = r.owned()
		case propUserProperty:
			d.UserProperties = r.userProperty(d.UserProperties)
		}
	}
	return d
}

// Size returns the length in bytes of the whole packet as Append writes it.
func (d *Disconnect) Size(v mqtt.Version) int {
	w := writer{count: true}
	d.body(&w, v)
	return wholeSize(w.n)
}

// Append appends the packet in its shortest form, two bytes for 3.x. A packet
// above MaxRemaining appends nothing.
//
// Spec: MQTT 5.0 §3.14; MQTT 3.1.1 §3.14.
func (d *Disconnect) Append(dst []byte, v mqtt.Version) []byte {
	size := writer{count: true}
	d.body(&size, v)
	w := writer{dst: dst}
	if !w.begin(TypeDisconnect, 0, size.n) {
		return dst
	}
	d.body(&w, v)
	return w.dst
}

func (d *Disconnect) body(w *writer, v mqtt.Version) {
	if v < mqtt.V5 {
		return
	}
	section := writer{count: true}
	d.properties(&section)
	if section.n == 0 {
		if d.Code != mqtt.NormalDisconnection {
			w.u8(byte(d.Code))
		}
		return
	}
	w.u8(byte(d.Code))
	w.varint(uint32(section.n))
	d.properties(w)
}

func (d *Disconnect) properties(w *writer) {
	w.prop32(propSessionExpiry, d.SessionExpiry, d.HasSessionExpiry)
	w.propText(propServerReference, d.ServerReference, d.ServerReference != "")
	w.reasonAndUser(d.ReasonString, d.UserProperties)
}
