package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// First bytes of packets without flags.
const (
	headConnack  = 0x20
	headPublish  = 0x30
	headPuback   = 0x40
	headPubrec   = 0x50
	headPubrel   = 0x62
	headPubcomp  = 0x70
	headSuback   = 0x90
	headUnsuback = 0xB0
	headEnd      = 0xE0 // DISCONNECT
)

// cut takes one packet off the front of p: its first byte, what follows the
// remaining length, and its whole length; 0 when p does not hold it in full.
func cut(p []byte) (head byte, body []byte, n int, err error) {
	length, shift := 0, 0
	for i := 1; i < len(p) && i < 5; i++ {
		length |= int(p[i]&0x7F) << shift
		shift += 7
		if p[i] < 0x80 {
			if n = i + 1 + length; n > len(p) {
				return 0, nil, 0, nil
			}
			return p[0], p[i+1 : n], n, nil
		}
	}
	if len(p) >= 5 {
		return 0, nil, 0, fmt.Errorf("bench: the broker sent a remaining length of more than four bytes: % x", p[:5])
	}
	return 0, nil, 0, nil
}

// stampSize is what a payload begins with:
//
//	time    8  nanoseconds of the loop's clock at which it was to be sent
//	sender  4  index of the publisher
//	number  8  of the publisher's messages, from 0
const stampSize = 20

// stamp is the beginning of a payload.
type stamp struct {
	at     int64
	sender uint32
	number uint64
}

func (s stamp) put(p []byte) {
	binary.LittleEndian.PutUint64(p, uint64(s.at))
	binary.LittleEndian.PutUint32(p[8:], s.sender)
	binary.LittleEndian.PutUint64(p[12:], s.number)
}

func readStamp(p []byte) stamp {
	return stamp{int64(binary.LittleEndian.Uint64(p)), binary.LittleEndian.Uint32(p[8:]), binary.LittleEndian.Uint64(p[12:])}
}

// delivery is a PUBLISH as far as a subscriber looks at it.
type delivery struct {
	qos     mqtt.QoS
	id      uint16
	dup     bool
	payload []byte // part of the packet
}

// parseDelivery reads a PUBLISH without an allocation.
func parseDelivery(head byte, body []byte, v mqtt.Version) (delivery, error) {
	d := delivery{qos: mqtt.QoS(head >> 1 & 3), dup: head&8 != 0}
	if len(body) < 2 {
		return d, fmt.Errorf("bench: PUBLISH of %d bytes", len(body))
	}
	at := 2 + int(binary.BigEndian.Uint16(body))
	if d.qos > 0 && len(body) >= at+2 {
		d.id = binary.BigEndian.Uint16(body[at:])
		at += 2
	}
	if v >= mqtt.V5 && at < len(body) {
		length, shift := 0, 0
		for at < len(body) {
			b := body[at]
			at++
			length |= int(b&0x7F) << shift
			if shift += 7; b < 0x80 {
				break
			}
		}
		at += length
	}
	if at > len(body) {
		return d, fmt.Errorf("bench: PUBLISH of %d bytes ends within its header", len(body))
	}
	d.payload = body[at:]
	return d, nil
}

// appendAck appends an acknowledgement in its shortest form.
func appendAck(dst []byte, head byte, id uint16) []byte {
	return append(dst, head, 2, byte(id>>8), byte(id))
}

// parseAck reads the packet identifier and the reason code, 0 when left out.
func parseAck(body []byte) (id uint16, code byte) {
	if len(body) >= 2 {
		id = binary.BigEndian.Uint16(body)
	}
	if len(body) >= 3 {
		code = body[2]
	}
	return id, code
}

// template is an encoded PUBLISH to be patched before each use.
type template struct {
	bytes   []byte
	id      int // offset of the packet identifier, 0 at QoS 0
	payload int // offset of the payload
	digits  int // offset of the number in the topic
}

// numbered is a topic with a number that each message may have its own of.
func numbered(prefix, suffix string, n uint64) string {
	return fmt.Sprintf("%s/%08d%s", prefix, n, suffix)
}

// number patches the number of a topic made with numbered.
func (t *template) number(p []byte, n uint64) { putDigits(p[t.digits:], n) }

// putDigits writes the last eight decimal digits of n.
func putDigits(p []byte, n uint64) {
	for i := 7; i >= 0; i-- {
		p[i] = byte('0' + n%10)
		n /= 10
	}
}

// newTemplate encodes a PUBLISH with a payload of size bytes, filled with
// something that does not compress to nothing.
func newTemplate(topic string, qos mqtt.QoS, retain bool, size int, v mqtt.Version) template {
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte('a' + i%26)
	}
	p := packet.Publish{Topic: topic, QoS: qos, Retain: retain, Payload: payload}
	if qos > 0 {
		p.PacketID = 1
	}
	t := template{bytes: p.Append(nil, v)}
	t.payload = len(t.bytes) - size
	t.digits = bytes.Index(t.bytes, []byte("/00000000")) + 1
	if qos > 0 {
		t.id = t.payload - 2
		if v >= mqtt.V5 {
			t.id--
		}
	}
	return t
}

// append appends the packet with a stamp and a packet identifier.
func (t *template) append(dst []byte, s stamp, id uint16) []byte {
	at := len(dst)
	dst = append(dst, t.bytes...)
	if t.id > 0 {
		binary.BigEndian.PutUint16(dst[at+t.id:], id)
	}
	s.put(dst[at+t.payload:])
	return dst
}
