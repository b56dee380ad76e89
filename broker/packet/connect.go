package packet

import (
	"bytes"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Connect opens an MQTT connection; the client sends it first and once. Owned
// by the caller; decoded, it has memory of its own.
//
//	fixed header       1     0001 0000
//	remaining length   1..4
//	protocol name      2+n   "MQIsdp" or "MQTT"
//	protocol level     1     3, 4, 5; plus 128 from bridges with 3 and 4
//	connect flags      1     user name, password, will retain, will QoS 2 bits,
//	                         will, clean start, reserved 0
//	keep alive         2
//	properties         1+n   5.0 only, with their length
//	client identifier  2+n
//	will properties    1+n   5.0 with a will
//	will topic         2+n   with a will
//	will payload       2+n   with a will
//	user name          2+n   if flagged
//	password           2+n   if flagged
//
// Spec: MQTT 5.0 §3.1; MQTT 3.1.1 §3.1; MQTT 3.1 §3.1.
type Connect struct {
	Version     mqtt.Version
	Bridge      bool   // the level byte had mqtt.BridgeBit; 3.1 and 3.1.1
	CleanStart  bool   // 3.x: clean session
	KeepAlive   uint16 // seconds, 0 = off
	ClientID    string // may be ""; neither length nor characters are checked
	HasUsername bool
	HasPassword bool
	Username    string
	Password    []byte // up to 65535 bytes
	Will        *Will  // nil = none

	// What follows are properties of 5.0, zero for 3.x.

	SessionExpiry       uint32 // seconds, 0xFFFFFFFF = never
	HasSessionExpiry    bool
	ReceiveMaximum      uint16 // messages, 0 = absent
	MaximumPacketSize   uint32 // bytes of a whole packet, 0 = absent
	TopicAliasMaximum   uint16 // highest alias, 0 = no aliases
	RequestResponseInfo bool
	NoProblemInfo       bool   // request problem information is there and 0
	AuthMethod          string // "" = absent
	AuthData            []byte // up to 65535 bytes, nil = absent
	UserProperties      []mqtt.UserProperty

	// Whether the client sent what is assumed of one that does not: Append
	// writes others in any case.

	HasTopicAliasMaximum   bool
	HasRequestResponseInfo bool
	HasRequestProblemInfo  bool
}

// Will is the message of a CONNECT that the server publishes when the
// connection ends without a DISCONNECT. Part of its Connect.
//
// Spec: MQTT 5.0 §3.1.2.5, §3.1.3.2; MQTT 3.1.1 §3.1.2.5.
type Will struct {
	QoS     mqtt.QoS
	Retain  bool
	Topic   string // not checked
	Payload []byte // up to 65535 bytes
	// Properties of 5.0, zero for 3.x.
	Delay            uint32 // seconds
	MessageExpiry    uint32 // seconds after publication
	HasMessageExpiry bool
	Properties       []byte // as mqtt.Message.Properties, checked, nil = none
}

// Connect flags, MQTT 5.0 §3.1.2.3.
const (
	flagReserved   = 0x01
	flagCleanStart = 0x02
	flagWill       = 0x04
	flagWillRetain = 0x20
	flagPassword   = 0x40
	flagUsername   = 0x80
	willQoSShift   = 3
)

// Type returns TypeConnect.
func (c *Connect) Type() Type { return TypeConnect }

func (d *Decoder) decodeConnect(r *reader) *Connect {
	c := &Connect{}
	d.protocol(r, c)
	flags := r.u8()
	checkConnectFlags(r, c.Version, flags)
	c.CleanStart = flags&flagCleanStart != 0
	c.KeepAlive = r.u16()
	if c.Version >= mqtt.V5 {
		c.decodeProperties(r)
	}
	c.ClientID = r.owned()
	if flags&flagWill != 0 {
		c.Will = decodeWill(r, c.Version, flags)
	}
	// 3.1 lets the remaining length overrule the two flags.
	mayMiss := c.Version == mqtt.V31
	if flags&flagUsername != 0 && !(mayMiss && len(r.p) == 0) {
		c.Username, c.HasUsername = r.owned(), true
	}
	if flags&flagPassword != 0 && !(mayMiss && len(r.p) == 0) {
		c.Password, c.HasPassword = bytes.Clone(r.binary()), true
	}
	return c
}

// protocol reads name and level and, the first time, makes the version that of
// the connection. [MQTT-3.1.2-1] [MQTT-3.1.2-2]
//
// Spec: MQTT 5.0 §3.1.2.1, §3.1.2.2; MQTT 3.1 §3.1.
func (d *Decoder) protocol(r *reader, c *Connect) {
	name := r.text()
	level := r.u8()
	if r.err != nil {
		return
	}
	if name != "MQTT" && name != "MQIsdp" {
		r.fail(mqtt.UnsupportedProtocolVersion, "protocol name %.16q", name)
		return
	}
	v := mqtt.Version(level)
	if v == mqtt.V31|mqtt.BridgeBit || v == mqtt.V311|mqtt.BridgeBit {
		c.Bridge = true
		v &^= mqtt.BridgeBit
	}
	switch {
	case v < mqtt.V31, v > mqtt.V5, (v == mqtt.V31) != (name == "MQIsdp"):
		r.fail(mqtt.UnsupportedProtocolVersion, "protocol %s level %d", name, level)
		v = mqtt.V311
		if level >= byte(mqtt.V5) {
			v = mqtt.V5
		}
	default:
		c.Version = v
	}
	if d.Version == 0 {
		d.Version = v
	}
}

// checkConnectFlags finds combinations that make the packet malformed.
//
// Spec: MQTT 5.0 §3.1.2.3 to §3.1.2.9; MQTT 3.1.1 §3.1.2.3 to §3.1.2.9.
func checkConnectFlags(r *reader, v mqtt.Version, flags byte) {
	willQoS := flags >> willQoSShift & 3
	switch {
	case flags&flagReserved != 0 && v != mqtt.V31: // [MQTT-3.1.2-3]
		r.fail(mqtt.MalformedPacket, "reserved connect flag is set")
	case willQoS == 3: // [MQTT-3.1.2-12]
		r.fail(mqtt.MalformedPacket, "will QoS 3")
	case flags&flagWill == 0 && (willQoS != 0 || flags&flagWillRetain != 0): // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
		r.fail(mqtt.MalformedPacket, "will QoS or will retain without a will")
	case v < mqtt.V5 && flags&(flagUsername|flagPassword) == flagPassword: // 3.1.1: [MQTT-3.1.2-22]
		r.fail(mqtt.MalformedPacket, "password without user name")
	}
}

// decodeProperties reads the properties of the variable header.
//
// Spec: MQTT 5.0 §3.1.2.11.
func (c *Connect) decodeProperties(r *reader) {
	r.openProperties(in(TypeConnect))
	for id, ok := r.nextProperty(); ok; id, ok = r.nextProperty() {
		switch id {
		case propSessionExpiry:
			c.SessionExpiry, c.HasSessionExpiry = r.u32(), true
		case propReceiveMaximum:
			c.ReceiveMaximum = r.positive16("receive maximum")
		case propMaximumPacketSize:
			c.MaximumPacketSize = r.positive32("maximum packet size")
		case propTopicAliasMaximum:
			c.TopicAliasMaximum, c.HasTopicAliasMaximum = r.u16(), true
		case propRequestResponseInfo:
			c.RequestResponseInfo, c.HasRequestResponseInfo = r.flag(), true
		case propRequestProblemInfo:
			c.NoProblemInfo, c.HasRequestProblemInfo = !r.flag(), true
		case propAuthMethod:
			c.AuthMethod = r.owned()
		case propAuthData:
			c.AuthData = bytes.Clone(r.binary())
		case propUserProperty:
			c.UserProperties = r.userProperty(c.UserProperties)
		}
	}
	if r.has(propAuthData) && !r.has(propAuthMethod) {
		r.fail(mqtt.ProtocolError, "authentication data without authentication method")
	}
}

func decodeWill(r *reader, v mqtt.Version, flags byte) *Will {
	l := &Will{QoS: mqtt.QoS(flags >> willQoSShift & 3), Retain: flags&flagWillRetain != 0}
	if v >= mqtt.V5 {
		l.decodeProperties(r)
	}
	l.Topic = r.owned()
	l.Payload = bytes.Clone(r.binary())
	return l
}

// decodeProperties reads the will properties.
//
// Spec: MQTT 5.0 §3.1.3.2.
func (l *Will) decodeProperties(r *reader) {
	r.openProperties(inWill)
	for {
		at := r.p
		id, ok := r.nextProperty()
		if !ok {
			return
		}
		switch id {
		case propWillDelay:
			l.Delay = r.u32()
		case propMessageExpiry:
			l.MessageExpiry, l.HasMessageExpiry = r.u32(), true
		default:
			r.messageProperty(id, nil)
			if r.err == nil {
				l.Properties = append(l.Properties, at[:len(at)-len(r.p)]...)
			}
		}
	}
}

// Append appends the packet for version v, which is what counts, not
// c.Version. Nothing is appended for an unknown version, for a packet above
// MaxRemaining, and for 3.x when there is a password without a user name.
//
// Spec: MQTT 5.0 §3.1; MQTT 3.1.1 §3.1.
func (c *Connect) Append(dst []byte, v mqtt.Version) []byte {
	if v < mqtt.V31 || v > mqtt.V5 || v < mqtt.V5 && c.HasPassword && !c.HasUsername {
		return dst
	}
	size := writer{count: true}
	c.body(&size, v)
	w := writer{dst: dst}
	if !w.begin(TypeConnect, 0, size.n) {
		return dst
	}
	c.body(&w, v)
	return w.dst
}

func (c *Connect) body(w *writer, v mqtt.Version) {
	level := byte(v)
	if c.Bridge && v < mqtt.V5 {
		level |= mqtt.BridgeBit
	}
	if v == mqtt.V31 {
		w.text("MQIsdp")
	} else {
		w.text("MQTT")
	}
	w.u8(level)
	w.u8(c.flags())
	w.u16(c.KeepAlive)
	if v >= mqtt.V5 {
		section := writer{count: true}
		c.properties(&section)
		w.varint(uint32(section.n))
		c.properties(w)
	}
	w.text(c.ClientID)
	if c.Will != nil {
		c.Will.body(w, v)
	}
	if c.HasUsername {
		w.text(c.Username)
	}
	if c.HasPassword {
		w.binary(c.Password)
	}
}

func (c *Connect) flags() (f byte) {
	if c.CleanStart {
		f |= flagCleanStart
	}
	if c.Will != nil {
		f |= flagWill | byte(c.Will.QoS&3)<<willQoSShift
		if c.Will.Retain {
			f |= flagWillRetain
		}
	}
	if c.HasPassword {
		f |= flagPassword
	}
	if c.HasUsername {
		f |= flagUsername
	}
	return f
}

func (c *Connect) properties(w *writer) {
	w.prop32(propSessionExpiry, c.SessionExpiry, c.HasSessionExpiry)
	w.prop16(propReceiveMaximum, c.ReceiveMaximum, c.ReceiveMaximum != 0)
	w.prop32(propMaximumPacketSize, c.MaximumPacketSize, c.MaximumPacketSize != 0)
	w.prop16(propTopicAliasMaximum, c.TopicAliasMaximum, c.TopicAliasMaximum != 0 || c.HasTopicAliasMaximum)
	if c.RequestResponseInfo || c.HasRequestResponseInfo {
		w.propFlag(propRequestResponseInfo, c.RequestResponseInfo)
	}
	if c.NoProblemInfo || c.HasRequestProblemInfo {
		w.propFlag(propRequestProblemInfo, !c.NoProblemInfo)
	}
	w.propText(propAuthMethod, c.AuthMethod, c.AuthMethod != "" || c.AuthData != nil)
	w.propBinary(propAuthData, c.AuthData, c.AuthData != nil)
	w.userProperties(c.UserProperties)
}

func (l *Will) body(w *writer, v mqtt.Version) {
	if v >= mqtt.V5 {
		section := writer{count: true}
		l.properties(&section)
		w.varint(uint32(section.n))
		l.properties(w)
	}
	w.text(l.Topic)
	w.binary(l.Payload)
}

func (l *Will) properties(w *writer) {
	w.prop32(propWillDelay, l.Delay, l.Delay != 0)
	w.prop32(propMessageExpiry, l.MessageExpiry, l.HasMessageExpiry)
	w.raw(l.Properties)
}
