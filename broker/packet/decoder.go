package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Decoder takes packets off a byte stream. Owned by the connection; the zero
// value waits for a CONNECT and accepts packets up to the protocol's limit.
type Decoder struct {
	// Version is that of the connection. It is 0 until the level byte of the
	// first CONNECT has been read; clients set it before they read the CONNACK.
	// A CONNECT that is refused sets it as well, so that the CONNACK can be
	// written: for an unsupported level to 5.0 when the level byte is 5 or
	// more, else to 3.1.1. It stays 0 when the protocol name is not MQTT's.
	Version mqtt.Version
	// MaxSize is the largest whole packet accepted, in bytes with the fixed
	// header. 0 = the protocol's limit of 268435460.
	MaxSize int

	// What follows is handed out again by every call.
	publish Publish
	ids     []uint32 // memory of publish.SubscriptionIDs
	props   []byte   // memory of publish.Properties when they were scattered
	puback  Puback
	pubrec  Pubrec
	pubrel  Pubrel
	pubcomp Pubcomp
}

// maxScratch is the memory, in elements, that a Decoder keeps for the next
// PUBLISH; more comes from unusual packets and is given back.
const maxScratch = 1024

// Decode reads one packet from the front of p; n is its length in bytes. n = 0
// with a nil error says that p does not hold a whole packet yet; this is found
// out in constant time, without reading the body.
//
// The packet is valid until the next call. A Publish points into p and must
// not be used after p has changed. Strings and slices in other packets have
// memory of their own and may be kept.
//
// Errors are *mqtt.Error; after one the connection must be closed and n is 0.
// They come as soon as the fixed header shows them, else when the packet is
// complete:
//
//	MalformedPacket             the bytes do not make a packet: wrong reserved
//	                            bits, remaining length in more bytes than
//	                            needed, fields beyond the end, bytes behind
//	                            the last field, invalid UTF-8, QoS 3
//	ProtocolError               readable but forbidden: AUTH in 3.x, anything
//	                            but CONNECT while Version is 0, packet
//	                            identifier 0, doubled property,
//	                            property or reason code out of range, empty
//	                            SUBSCRIBE
//	PacketTooLarge              the fixed header announces more than MaxSize
//	UnsupportedProtocolVersion  protocol name or level of CONNECT
//
// Spec: MQTT 5.0 §2.1, §4.13; MQTT 3.1.1 §2.2, §4.8.
func (d *Decoder) Decode(p []byte) (pkt Packet, n int, err error) {
	if len(p) == 0 {
		return nil, 0, nil
	}
	r := reader{t: Type(p[0] >> 4)}
	d.checkFirst(&r, p[0]&0x0F)
	if r.err != nil {
		return nil, 0, r.err
	}
	remaining, k, ok := varint(p[1:])
	if !ok {
		r.fail(mqtt.MalformedPacket, "remaining length % x", p[1:min(5, len(p))])
		return nil, 0, r.err
	}
	if k == 0 {
		return nil, 0, nil
	}
	n = 1 + k + int(remaining)
	if d.MaxSize > 0 && n > d.MaxSize {
		r.fail(mqtt.PacketTooLarge, "%d bytes, the limit is %d", n, d.MaxSize)
		return nil, 0, r.err
	}
	if len(p) < n {
		return nil, 0, nil
	}
	r.p = p[1+k : n : n]
	pkt = d.body(&r, p[0]&0x0F)
	if r.err == nil && len(r.p) > 0 {
		r.fail(mqtt.MalformedPacket, "%d bytes behind the last field", len(r.p))
	}
	if r.err != nil {
		return nil, 0, r.err
	}
	return pkt, n, nil
}

// checkFirst checks what the first byte of a packet tells. [MQTT-2.1.3-1]
//
// Spec: MQTT 5.0 §2.1.2, §2.1.3; MQTT 3.1.1 §2.2.1, §2.2.2.
func (d *Decoder) checkFirst(r *reader, flags byte) {
	switch {
	case d.Version == 0 && r.t != TypeConnect: // [MQTT-3.1.0-1]
		r.fail(mqtt.ProtocolError, "first packet is not a CONNECT")
		return
	case r.t == 0, r.t == TypeAuth && d.Version < mqtt.V5:
		r.fail(mqtt.ProtocolError, "packet type %d does not exist in %v", r.t, d.Version)
		return
	}
	var want byte
	switch r.t {
	case TypePublish:
		if flags&0x06 == 0x06 { // [MQTT-3.3.1-4]
			r.fail(mqtt.MalformedPacket, "QoS 3")
		}
		if flags&0x0E == 0x08 { // [MQTT-3.3.1-2]
			r.fail(mqtt.MalformedPacket, "DUP with QoS 0")
		}
		return
	case TypePubrel, TypeSubscribe, TypeUnsubscribe: // [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
		want = 0x02
	}
	// 3.1 has DUP in some of these and calls the rest unused.
	if flags != want && (d.Version != mqtt.V31 || r.t == TypeConnect) {
		r.fail(mqtt.MalformedPacket, "flags 0x%x instead of 0x%x", flags, want)
	}
}

// body decodes what follows the fixed header.
func (d *Decoder) body(r *reader, flags byte) Packet {
	switch r.t {
	case TypeConnect:
		return d.decodeConnect(r)
	case TypeConnack:
		return decodeConnack(r, d.Version)
	case TypePublish:
		return d.decodePublish(r, flags)
	case TypePuback:
		d.puback.decode(r, d.Version)
		return &d.puback
	case TypePubrec:
		d.pubrec.decode(r, d.Version)
		return &d.pubrec
	case TypePubrel:
		d.pubrel.decode(r, d.Version)
		return &d.pubrel
	case TypePubcomp:
		d.pubcomp.decode(r, d.Version)
		return &d.pubcomp
	case TypeSubscribe:
		return decodeSubscribe(r, d.Version)
	case TypeSuback:
		return decodeSuback(r, d.Version)
	case TypeUnsubscribe:
		return decodeUnsubscribe(r, d.Version)
	case TypeUnsuback:
		return decodeUnsuback(r, d.Version)
	case TypePingreq:
		return &Pingreq{}
	case TypePingresp:
		return &Pingresp{}
	case TypeDisconnect:
		return decodeDisconnect(r, d.Version)
	default:
		return decodeAuth(r)
	}
}
