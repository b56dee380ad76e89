package packet

import (
	"bytes"
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// MessageProperties is the readable form of mqtt.Message.Properties: the MQTT
// 5.0 properties that travel with a message from publisher to receivers. Owns
// its memory.
//
// Spec: MQTT 5.0 §3.3.2.3.
type MessageProperties struct {
	PayloadFormat      uint8 // 0 = bytes, 1 = UTF-8
	HasPayloadFormat   bool
	ContentType        string
	HasContentType     bool
	ResponseTopic      string // topic name, no wildcards
	HasResponseTopic   bool
	CorrelationData    []byte // up to 65535 bytes
	HasCorrelationData bool
	UserProperties     []mqtt.UserProperty // in the publisher's order
}

// DecodeProperties reads the wire form of mqtt.Message.Properties, which is
// properties without their length. p is not retained.
//
// Errors are *mqtt.Error: MalformedPacket for what cannot be read,
// ProtocolError for a property that is no message property or occurs twice, a
// payload format above 1 or a response topic with wildcards.
//
// Spec: MQTT 5.0 §3.3.2.3.
func DecodeProperties(p []byte) (MessageProperties, error) {
	var m MessageProperties
	r := reader{p: p, t: TypePublish, where: inMessage}
	for id, ok := r.nextProperty(); ok; id, ok = r.nextProperty() {
		r.messageProperty(id, &m)
	}
	if r.err != nil {
		return MessageProperties{}, r.err
	}
	return m, nil
}

// messageProperty reads and checks the value of a property that travels with
// the message, and keeps a copy unless m is nil.
func (r *reader) messageProperty(id property, m *MessageProperties) {
	switch id {
	case propPayloadFormat:
		f := r.u8()
		if f > 1 {
			r.fail(mqtt.ProtocolError, "payload format indicator %d", f)
		}
		if m != nil {
			m.PayloadFormat, m.HasPayloadFormat = f, true
		}
	case propContentType:
		s := r.text()
		if m != nil {
			m.ContentType, m.HasContentType = strings.Clone(s), true
		}
	case propResponseTopic:
		s := r.text()
		if strings.ContainsAny(s, "+#") { // [MQTT-3.3.2-14]
			r.fail(mqtt.ProtocolError, "response topic %.64q contains a wildcard", s)
		}
		if m != nil {
			m.ResponseTopic, m.HasResponseTopic = strings.Clone(s), true
		}
	case propCorrelationData:
		b := r.binary()
		if m != nil {
			m.CorrelationData, m.HasCorrelationData = bytes.Clone(b), true
		}
	case propUserProperty:
		if m != nil {
			m.UserProperties = r.userProperty(m.UserProperties)
			return
		}
		r.text()
		r.text()
	}
}

// Append appends the wire form to dst and returns the longer slice; nothing
// is appended for the zero value. Strings and binary data are cut at 65535
// bytes.
//
// Spec: MQTT 5.0 §3.3.2.3.
func (m *MessageProperties) Append(dst []byte) []byte {
	w := writer{dst: dst}
	if m.HasPayloadFormat {
		w.u8(byte(propPayloadFormat))
		w.u8(m.PayloadFormat)
	}
	w.propText(propContentType, m.ContentType, m.HasContentType)
	w.propText(propResponseTopic, m.ResponseTopic, m.HasResponseTopic)
	w.propBinary(propCorrelationData, m.CorrelationData, m.HasCorrelationData)
	w.userProperties(m.UserProperties)
	return w.dst
}
