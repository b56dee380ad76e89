package packet

import (
	"bytes"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Connack answers a CONNECT. Owned by the caller; decoded, it has memory of
// its own. The zero value of each property means that it is absent.
//
//	fixed header       1     0010 0000
//	remaining length   1..4
//	acknowledge flags  1     bit 0 session present (not in 3.1)
//	reason code        1     3.x: return code
//	properties         1+n   5.0 only, with their length
//
// Spec: MQTT 5.0 §3.2; MQTT 3.1.1 §3.2; MQTT 3.1 §3.2.
type Connack struct {
	SessionPresent bool
	// Code is a reason code of 5.0 for all versions; for 3.x Append maps it
	// with ReturnCode, and the decoder maps it back.
	Code mqtt.ReasonCode

	SessionExpiry       uint32 // seconds, 0xFFFFFFFF = never
	HasSessionExpiry    bool
	ReceiveMaximum      uint16 // messages
	MaximumQoS          mqtt.QoS
	HasMaximumQoS       bool
	RetainUnavailable   bool // property present and 0, as the next three
	WildcardUnavailable bool
	SubIDsUnavailable   bool
	SharedUnavailable   bool
	MaximumPacketSize   uint32 // bytes of a whole packet
	AssignedClientID    string
	TopicAliasMaximum   uint16 // highest alias
	ReasonString        string
	UserProperties      []mqtt.UserProperty
	ServerKeepAlive     uint16 // seconds
	HasServerKeepAlive  bool
	ResponseInfo        string
	ServerReference     string
	AuthMethod          string
	AuthData            []byte // up to 65535 bytes, nil = absent
}

// ReturnCode maps a reason code to the return code of a 3.x CONNACK: 0
// accepted, 1 version, 2 identifier, 3 unavailable, 4 user name or password, 5
// not authorized and everything else.
//
// Spec: MQTT 3.1.1 §3.2.2.3.
func ReturnCode(c mqtt.ReasonCode) byte {
	switch c {
	case mqtt.Success:
		return 0
	case mqtt.UnsupportedProtocolVersion:
		return 1
	case mqtt.ClientIdentifierNotValid:
		return 2
	case mqtt.ServerUnavailable, mqtt.ServerBusy, mqtt.ServerShuttingDown, mqtt.QuotaExceeded,
		mqtt.ConnectionRateExceeded:
		return 3
	case mqtt.BadUserNameOrPassword:
		return 4
	}
	return 5
}

// returnCodes is the way back for clients, by return code.
var returnCodes = [...]mqtt.ReasonCode{mqtt.Success, mqtt.UnsupportedProtocolVersion, mqtt.ClientIdentifierNotValid,
	mqtt.ServerUnavailable, mqtt.BadUserNameOrPassword, mqtt.NotAuthorized}

// Type returns TypeConnack.
func (c *Connack) Type() Type { return TypeConnack }

func decodeConnack(r *reader, v mqtt.Version) *Connack {
	c := &Connack{}
	flags := r.u8()
	if v != mqtt.V31 { // there the whole byte is unused
		if flags&^1 != 0 { // [MQTT-3.2.2-1]
			r.fail(mqtt.MalformedPacket, "acknowledge flags 0x%02x", flags)
		}
		c.SessionPresent = flags == 1
	}
	if v >= mqtt.V5 {
		c.Code = r.reasonCode()
		c.decodeProperties(r)
	} else if code := r.u8(); int(code) < len(returnCodes) {
		c.Code = returnCodes[code]
	} else {
		r.fail(mqtt.ProtocolError, "return code %d", code)
	}
	if c.SessionPresent && c.Code != mqtt.Success { // [MQTT-3.2.2-6]
		r.fail(mqtt.ProtocolError, "session present with %v", c.Code)
	}
	return c
}

// decodeProperties reads the properties of the variable header.
//
// Spec: MQTT 5.0 §3.2.2.3.
func (c *Connack) decodeProperties(r *reader) {
	r.openProperties(in(TypeConnack))
	for id, ok := r.nextProperty(); ok; id, ok = r.nextProperty() {
		switch id {
		case propSessionExpiry:
			c.SessionExpiry, c.HasSessionExpiry = r.u32(), true
		case propReceiveMaximum:
			c.ReceiveMaximum = r.positive16("receive maximum")
		case propMaximumQoS:
			if r.flag() {
				c.MaximumQoS = mqtt.AtLeastOnce
			}
			c.HasMaximumQoS = true
		case propRetainAvailable:
			c.RetainUnavailable = !r.flag()
		case propWildcardAvailable:
			c.WildcardUnavailable = !r.flag()
		case propSubIDAvailable:
			c.SubIDsUnavailable = !r.flag()
		case propSharedAvailable:
			c.SharedUnavailable = !r.flag()
		case propMaximumPacketSize:
			c.MaximumPacketSize = r.positive32("maximum packet size")
		case propAssignedClientID:
			c.AssignedClientID = r.owned()
		case propTopicAliasMaximum:
			c.TopicAliasMaximum = r.u16()
		case propReasonString:
			c.ReasonString = r.owned()
		case propUserProperty:
			c.UserProperties = r.userProperty(c.UserProperties)
		case propServerKeepAlive:
			c.ServerKeepAlive, c.HasServerKeepAlive = r.u16(), true
		case propResponseInfo:
			c.ResponseInfo = r.owned()
		case propServerReference:
			c.ServerReference = r.owned()
		case propAuthMethod:
			c.AuthMethod = r.owned()
		case propAuthData:
			c.AuthData = bytes.Clone(r.binary())
		}
	}
}

// Size returns the length in bytes of the whole packet as Append writes it.
func (c *Connack) Size(v mqtt.Version) int {
	w := writer{count: true}
	c.body(&w, v)
	return wholeSize(w.n)
}

// Append appends the packet for version v. For 3.x the code is mapped with
// ReturnCode, and 3.1 has no session present flag. A packet above MaxRemaining
// appends nothing.
//
// Spec: MQTT 5.0 §3.2; MQTT 3.1.1 §3.2.
func (c *Connack) Append(dst []byte, v mqtt.Version) []byte {
	size := writer{count: true}
	c.body(&size, v)
	w := writer{dst: dst}
	if !w.begin(TypeConnack, 0, size.n) {
		return dst
	}
	c.body(&w, v)
	return w.dst
}

func (c *Connack) body(w *writer, v mqtt.Version) {
	var flags byte
	if c.SessionPresent && c.Code == mqtt.Success && v != mqtt.V31 { // [MQTT-3.2.2-6]
		flags = 1
	}
	w.u8(flags)
	if v < mqtt.V5 {
		w.u8(ReturnCode(c.Code))
		return
	}
	w.u8(byte(c.Code))
	section := writer{count: true}
	c.properties(&section)
	w.varint(uint32(section.n))
	c.properties(w)
}

func (c *Connack) properties(w *writer) {
	w.prop32(propSessionExpiry, c.SessionExpiry, c.HasSessionExpiry)
	w.prop16(propReceiveMaximum, c.ReceiveMaximum, c.ReceiveMaximum != 0)
	if c.HasMaximumQoS && c.MaximumQoS < mqtt.ExactlyOnce { // 2 is said by absence
		w.propFlag(propMaximumQoS, c.MaximumQoS == mqtt.AtLeastOnce)
	}
	for _, f := range [...]struct {
		id          property
		unavailable bool
	}{
		{propRetainAvailable, c.RetainUnavailable}, {propWildcardAvailable, c.WildcardUnavailable},
		{propSubIDAvailable, c.SubIDsUnavailable}, {propSharedAvailable, c.SharedUnavailable},
	} {
		if f.unavailable {
			w.propFlag(f.id, false)
		}
	}
	w.prop32(propMaximumPacketSize, c.MaximumPacketSize, c.MaximumPacketSize != 0)
	w.propText(propAssignedClientID, c.AssignedClientID, c.AssignedClientID != "")
	w.prop16(propTopicAliasMaximum, c.TopicAliasMaximum, c.TopicAliasMaximum != 0)
	w.prop16(propServerKeepAlive, c.ServerKeepAlive, c.HasServerKeepAlive)
	w.propText(propResponseInfo, c.ResponseInfo, c.ResponseInfo != "")
	w.propText(propServerReference, c.ServerReference, c.ServerReference != "")
	w.propText(propAuthMethod, c.AuthMethod, c.AuthMethod != "")
	w.propBinary(propAuthData, c.AuthData, c.AuthData != nil)
	w.reasonAndUser(c.ReasonString, c.UserProperties)
}
