package pebblestore

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// Flags of a delivery; bits 0 and 1 are its QoS.
const (
	delRetain  = 1 << 2
	delMore    = 1 << 3 // further subscription identifiers follow
	delTracked = 1 << 4 // a record of kindState may exist
	delShare   = 1 << 5 // made for a share group: its name and filter follow
	delKnown   = 0x3f
)

// appendDelivery writes the head of an entry:
//
//	version 1 | flags 1 | subscription identifier | [count | identifiers] | [share name | filter]
func appendDelivery(b []byte, v *mqtt.Delivery, tracked bool) []byte {
	flags := byte(v.QoS)
	if v.Retain {
		flags |= delRetain
	}
	if len(v.MoreIDs) > 0 {
		flags |= delMore
	}
	if tracked {
		flags |= delTracked
	}
	if v.Share != nil {
		flags |= delShare
	}
	b = append(b, codecVersion, flags)
	b = binary.AppendUvarint(b, uint64(v.SubscriptionID))
	if len(v.MoreIDs) > 0 {
		b = binary.AppendUvarint(b, uint64(len(v.MoreIDs)))
		for _, id := range v.MoreIDs {
			b = binary.AppendUvarint(b, uint64(id))
		}
	}
	if v.Share != nil {
		b = appendString(appendString(b, v.Share.Name), v.Share.Filter)
	}
	return b
}

func (d *decoder) delivery() (v mqtt.Delivery, tracked bool) {
	d.version()
	flags := d.flags(delKnown)
	v.QoS, v.Retain = d.qos(flags&3), flags&delRetain != 0
	v.SubscriptionID = uint32(d.uvarint(1<<32 - 1))
	if flags&delMore != 0 {
		n := d.uvarint(1 << 32)
		if n == 0 || n > uint64(len(d.s)) {
			d.fail(errValue)
			return v, false
		}
		v.MoreIDs = make([]uint32, n)
		for i := range v.MoreIDs {
			v.MoreIDs[i] = uint32(d.uvarint(1<<32 - 1))
		}
	}
	if flags&delShare != 0 {
		v.Share = &mqtt.Share{Name: d.string(), Filter: d.string()}
	}
	return v, flags&delTracked != 0
}

// appendState writes the record of an entry in flight:
// version 1 | packet identifier 2 | released 1.
func appendState(b []byte, id uint16, released bool) []byte {
	b = binary.BigEndian.AppendUint16(append(b, codecVersion), id)
	if released {
		return append(b, 1)
	}
	return append(b, 0)
}

func decodeState(key, v []byte) (id uint16, released bool, err error) {
	d := view(v)
	d.version()
	id = uint16(d.byte())<<8 | uint16(d.byte())
	released = d.flags(1) != 0
	if err := d.end(); err != nil {
		return 0, false, damaged(key, err)
	}
	return id, released, nil
}

// reference reads the message's number at the end of an entry of kindShared.
func (d *decoder) reference() uint64 { return d.uvarint(1<<64 - 1) }

// appendBody writes a shared message: version 1 | first count | message.
func appendBody(b []byte, count uint64, m *mqtt.Message) []byte {
	return appendMessage(binary.AppendUvarint(append(b, codecVersion), count), m)
}

// count reads the first count of a shared message, or a changed count.
func (d *decoder) count() uint64 {
	d.version()
	return d.uvarint(1<<40 - 1)
}

func decodeBody(key, v []byte) (*mqtt.Message, error) {
	d := view(v)
	d.count()
	m := d.message()
	if err := d.end(); err != nil {
		return nil, damaged(key, err)
	}
	return m, nil
}

func appendCount(b []byte, n uint64) []byte {
	return binary.AppendUvarint(append(b, codecVersion), n)
}

// appendRetained writes version 1 | number of the shared message, or zero and
// the message.
func appendRetained(b []byte, mid uint64, m *mqtt.Message) []byte {
	b = binary.AppendUvarint(append(b, codecVersion), mid)
	if mid != 0 {
		return b
	}
	return appendMessage(b, m)
}

func (d *decoder) retained() (mid uint64, m *mqtt.Message) {
	d.version()
	if mid = d.reference(); mid == 0 {
		m = d.message()
	}
	return mid, m
}

// Flags of a session.
const (
	sesOffline = 1 << 0
	sesWill    = 1 << 1
	sesWillDue = 1 << 2
	sesKnown   = 0x07
)

// appendSession writes
//
//	version 1 | number 8 | flags 1 | username | expiry | [offline] | [will due] |
//	[will: expiry, delay, message length, message] |
//	0 1: count of subscriptions, which followed here in stores of format 1
func appendSession(b []byte, sid uint64, r *store.Session) []byte {
	var flags byte
	if !r.Offline.IsZero() {
		flags |= sesOffline
	}
	if r.Will != nil {
		flags |= sesWill
	}
	if !r.WillDue.IsZero() {
		flags |= sesWillDue
	}
	b = binary.BigEndian.AppendUint64(append(b, codecVersion), sid)
	b = appendString(append(b, flags), r.Username)
	b = binary.AppendVarint(b, int64(r.Expiry))
	if flags&sesOffline != 0 {
		b = appendTime(b, r.Offline)
	}
	if flags&sesWillDue != 0 {
		b = appendTime(b, r.WillDue)
	}
	if r.Will != nil {
		b = binary.AppendVarint(b, int64(r.Will.Expiry))
		b = binary.AppendVarint(b, int64(r.Will.Delay))
		b = appendMessage(b, r.Will.Message)
	}
	return append(b, 0)
}

// sessionNumber reads the head of a session's record.
func (d *decoder) sessionNumber() (sid uint64) {
	d.version()
	for range 8 {
		sid = sid<<8 | uint64(d.byte())
	}
	return sid
}

// decodeSession reads a record.
func decodeSession(key, v []byte) (*store.Session, error) {
	d := view(v)
	r := d.session()
	if d.uvarint(1<<64-1) != 0 {
		d.fail(errValue)
	}
	err := d.end()
	if err == nil {
		r.Key, err = parseName(key)
	}
	if err != nil {
		return nil, damaged(key, err)
	}
	return r, nil
}

// session reads a record up to the count of subscriptions.
func (d *decoder) session() *store.Session {
	r := &store.Session{}
	d.sessionNumber()
	flags := d.flags(sesKnown)
	r.Username = strings.Clone(d.string())
	r.Expiry = time.Duration(d.varint())
	if flags&sesOffline != 0 {
		r.Offline = d.time()
	}
	if flags&sesWillDue != 0 {
		r.WillDue = d.time()
	}
	if flags&sesWill != 0 {
		r.Will = &mqtt.Will{Expiry: time.Duration(d.varint()), Delay: time.Duration(d.varint())}
		r.Will.Message = d.message()
	}
	return r
}
