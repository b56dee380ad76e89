package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Publish carries an application message. Owned by the caller; one returned by
// Decoder.Decode belongs to the Decoder and points into the bytes it was
// decoded from, so Topic, Properties, Payload and SubscriptionIDs have to be
// copied before those bytes change or Decode is called again.
//
//	fixed header       1     0011, DUP 1 bit, QoS 2 bits, RETAIN 1 bit
//	remaining length   1..4
//	topic name         2+n
//	packet identifier  2     QoS 1 and 2 only
//	property length    1..4  5.0 only
//	properties         n     5.0 only
//	payload            n     to the end
//
// Spec: MQTT 5.0 §3.3; MQTT 3.1.1 §3.3; MQTT 3.1 §3.3.
type Publish struct {
	Dup              bool
	Retain           bool
	QoS              mqtt.QoS
	Topic            string // not checked; may be "" with a TopicAlias
	PacketID         uint16 // 1..65535, 0 for QoS 0
	TopicAlias       uint16 // 5.0; 0 with HasTopicAlias is invalid and left to the session
	HasTopicAlias    bool
	MessageExpiry    uint32 // seconds, 5.0
	HasMessageExpiry bool
	// SubscriptionIDs has the identifiers of the matching subscriptions, each
	// 1..268435455, nil = none. Only servers send them; the decoder accepts
	// them from both sides.
	SubscriptionIDs []uint32
	// Properties are the remaining ones, as in mqtt.Message.Properties: wire
	// form without length, checked, in the order sent; nil = none. Decoded, it
	// is a part of the packet's bytes when they are contiguous there and a
	// copy otherwise.
	Properties []byte
	Payload    []byte
}

// Type returns TypePublish.
func (p *Publish) Type() Type { return TypePublish }

// decodePublish fills the Decoder's Publish. It allocates only when message
// properties are scattered or there are more subscription identifiers than
// ever before.
func (d *Decoder) decodePublish(r *reader, flags byte) *Publish {
	p := &d.publish
	*p = Publish{
		Dup:    flags&0x08 != 0,
		QoS:    mqtt.QoS(flags >> 1 & 3),
		Retain: flags&0x01 != 0,
	}
	p.Topic = r.text()
	if p.QoS > 0 { // [MQTT-2.2.1-2]
		p.PacketID = r.packetID()
	}
	if d.Version >= mqtt.V5 {
		d.publishProperties(r, p)
	}
	p.Payload = r.rest()
	return p
}

// publishProperties sorts the properties into those for this receiver and
// those of the message, which stay encoded.
//
// Spec: MQTT 5.0 §3.3.2.3.
func (d *Decoder) publishProperties(r *reader, p *Publish) {
	r.openProperties(in(TypePublish))
	ids, scattered := d.ids[:0], d.props[:0]
	section := r.p
	start, end := 0, 0 // the contiguous part of section that holds message properties
	for {
		at := len(section) - len(r.p)
		id, ok := r.nextProperty()
		if !ok {
			break
		}
		switch id {
		case propTopicAlias:
			p.TopicAlias, p.HasTopicAlias = r.u16(), true
			continue
		case propMessageExpiry:
			p.MessageExpiry, p.HasMessageExpiry = r.u32(), true
			continue
		case propSubscriptionID:
			ids = append(ids, r.subscriptionID())
			continue
		}
		r.messageProperty(id, nil)
		if r.err != nil {
			break
		}
		next := len(section) - len(r.p)
		switch {
		case len(scattered) > 0:
			scattered = append(scattered, section[at:next]...)
		case start == end:
			start, end = at, next
		case end == at:
			end = next
		default:
			scattered = append(append(scattered, section[start:end]...), section[at:next]...)
		}
	}
	if r.err != nil {
		return
	}
	if len(ids) > 0 {
		p.SubscriptionIDs = ids
	}
	switch {
	case len(scattered) > 0:
		p.Properties = scattered
	case start < end:
		p.Properties = section[start:end:end]
	}
	d.ids, d.props = nil, nil
	if cap(ids) <= maxScratch {
		d.ids = ids
	}
	if cap(scattered) <= maxScratch {
		d.props = scattered
	}
}

// Size returns the length in bytes of the whole packet as Append writes it for
// version v, payload included. It is computed, nothing is encoded.
func (p *Publish) Size(v mqtt.Version) int {
	remaining, _ := p.lengths(v)
	return wholeSize(remaining)
}

// lengths returns the remaining length and, for 5.0, the property length.
func (p *Publish) lengths(v mqtt.Version) (remaining, properties int) {
	remaining = 2 + len(cut(p.Topic)) + len(p.Payload)
	if p.QoS > 0 {
		remaining += 2
	}
	if v < mqtt.V5 {
		return remaining, 0
	}
	properties = len(p.Properties)
	if p.HasTopicAlias {
		properties += 3
	}
	if p.HasMessageExpiry {
		properties += 5
	}
	for _, id := range p.SubscriptionIDs {
		properties += 1 + varintSize(int(id))
	}
	return remaining + varintSize(properties) + properties, properties
}

// AppendHeader appends everything before Properties and Payload: fixed header,
// topic name, packet identifier and, for 5.0, property length and the
// properties for this one receiver. The lengths written cover Properties and
// Payload, so the caller appends both (only Payload for 3.x) and can share
// them between receivers. A packet above MaxRemaining appends nothing.
//
// Spec: MQTT 5.0 §3.3.2.
func (p *Publish) AppendHeader(dst []byte, v mqtt.Version) []byte {
	remaining, properties := p.lengths(v)
	w := writer{dst: dst}
	flags := byte(p.QoS&3) << 1
	if p.Dup && p.QoS > 0 { // [MQTT-3.3.1-2]
		flags |= 0x08
	}
	if p.Retain {
		flags |= 0x01
	}
	if !w.begin(TypePublish, flags, remaining) {
		return dst
	}
	w.text(p.Topic)
	if p.QoS > 0 {
		w.u16(p.PacketID)
	}
	if v < mqtt.V5 {
		return w.dst
	}
	w.varint(uint32(properties))
	w.prop16(propTopicAlias, p.TopicAlias, p.HasTopicAlias)
	w.prop32(propMessageExpiry, p.MessageExpiry, p.HasMessageExpiry)
	for _, id := range p.SubscriptionIDs {
		w.u8(byte(propSubscriptionID))
		w.varint(id)
	}
	return w.dst
}

// Append appends the whole packet: AppendHeader, Properties for 5.0, Payload.
// A packet above MaxRemaining appends nothing.
//
// Spec: MQTT 5.0 §3.3.
func (p *Publish) Append(dst []byte, v mqtt.Version) []byte {
	n := len(dst)
	dst = p.AppendHeader(dst, v)
	if len(dst) == n {
		return dst
	}
	if v >= mqtt.V5 {
		dst = append(dst, p.Properties...)
	}
	return append(dst, p.Payload...)
}
