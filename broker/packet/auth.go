package packet

import (
	"bytes"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Auth is one step of an enhanced authentication, 5.0 only. Owned by the
// caller; decoded, it has memory of its own.
//
//	fixed header       1     1111 0000
//	remaining length   1..4
//	reason code        1     left out with the rest when 0 and no properties
//	properties         1+n   with their length
//
// Spec: MQTT 5.0 §3.15, §4.12.
type Auth struct {
	Code           mqtt.ReasonCode // Success, ContinueAuthentication, Reauthenticate
	Method         string
	HasMethod      bool   // false only in the form without reason code and properties
	Data           []byte // up to 65535 bytes, nil = absent
	ReasonString   string // "" = absent
	UserProperties []mqtt.UserProperty
}

// Type returns TypeAuth.
func (a *Auth) Type() Type { return TypeAuth }

func decodeAuth(r *reader) *Auth {
	a := &Auth{}
	if len(r.p) == 0 {
		return a // remaining length 0: success without properties
	}
	a.Code = r.reasonCode()
	r.openProperties(in(TypeAuth))
	for id, ok := r.nextProperty(); ok; id, ok = r.nextProperty() {
		switch id {
		case propAuthMethod:
			a.Method, a.HasMethod = r.owned(), true
		case propAuthData:
			a.Data = bytes.Clone(r.binary())
		case propReasonString:
			a.ReasonString = r.owned()
		case propUserProperty:
			a.UserProperties = r.userProperty(a.UserProperties)
		}
	}
	if !a.HasMethod { // §3.15.2.2.2
		r.fail(mqtt.ProtocolError, "no authentication method")
	}
	return a
}

// Size returns the length in bytes of the whole packet as Append writes it for
// 5.0, and 0 for 3.x.
func (a *Auth) Size(v mqtt.Version) int {
	if v < mqtt.V5 {
		return 0
	}
	w := writer{count: true}
	a.body(&w)
	return wholeSize(w.n)
}

// Append appends the packet; nothing for 3.x, which has no such packet, nor
// for one above MaxRemaining.
//
// Spec: MQTT 5.0 §3.15.
func (a *Auth) Append(dst []byte, v mqtt.Version) []byte {
	if v < mqtt.V5 {
		return dst
	}
	size := writer{count: true}
	a.body(&size)
	w := writer{dst: dst}
	if !w.begin(TypeAuth, 0, size.n) {
		return dst
	}
	a.body(&w)
	return w.dst
}

func (a *Auth) body(w *writer) {
	section := writer{count: true}
	a.properties(&section)
	if section.n == 0 && a.Code == mqtt.Success {
		return
	}
	w.u8(byte(a.Code))
	w.varint(uint32(section.n))
	a.properties(w)
}

func (a *Auth) properties(w *writer) {
	w.propText(propAuthMethod, a.Method, a.HasMethod || a.Method != "")
	w.propBinary(propAuthData, a.Data, a.Data != nil)
	w.reasonAndUser(a.ReasonString, a.UserProperties)
}
