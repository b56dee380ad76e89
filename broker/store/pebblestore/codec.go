package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// codecVersion is the first byte of every record.
const codecVersion = 1

// Causes of an undecodable record.
var (
	errShort    = errors.New("is cut short")
	errTrailing = errors.New("has trailing bytes")
	errFlags    = errors.New("has unknown flags")
	errVersion  = errors.New("has an unknown version")
	errValue    = errors.New("has a value out of range")
)

// damaged names the record that could not be read.
func damaged(key []byte, err error) error {
	return fmt.Errorf("pebblestore: the store is damaged: record %q: %w", key, err)
}

// decoder reads a record; the first error sticks and everything read after it
// is zero.
type decoder struct {
	s   string
	err error
}

// view decodes b in place: strings read from it must be cloned.
func view(b []byte) decoder { return decoder{s: unsafe.String(unsafe.SliceData(b), len(b))} }

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.s = ""
}

func (d *decoder) byte() byte {
	if len(d.s) == 0 {
		d.fail(errShort)
		return 0
	}
	b := d.s[0]
	d.s = d.s[1:]
	return b
}

func (d *decoder) version() {
	if v := d.byte(); d.err == nil && v != codecVersion {
		d.fail(errVersion)
	}
}

// uvarint reads a number no greater than limit.
func (d *decoder) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(unsafe.Slice(unsafe.StringData(d.s), min(len(d.s), binary.MaxVarintLen64)))
	switch {
	case n == 0:
		d.fail(errShort)
		return 0
	case n < 0 || v > limit:
		d.fail(errValue)
		return 0
	}
	d.s = d.s[n:]
	return v
}

func (d *decoder) varint() int64 {
	u := d.uvarint(1<<64 - 1)
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) take(n uint64) string {
	if n > uint64(len(d.s)) {
		d.fail(errShort)
		return ""
	}
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) string() string { return d.take(d.uvarint(1 << 32)) }

func (d *decoder) qos(v byte) mqtt.QoS {
	if v > byte(mqtt.ExactlyOnce) {
		d.fail(errValue)
		return 0
	}
	return mqtt.QoS(v)
}

func (d *decoder) flags(known byte) byte {
	f := d.byte()
	if f&^known != 0 {
		d.fail(errFlags)
		return 0
	}
	return f
}

// end reports what went wrong, trailing bytes included.
func (d *decoder) end() error {
	if d.err == nil && len(d.s) > 0 {
		d.err = errTrailing
	}
	return d.err
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendTime writes a moment of the wall clock: seconds since 1970, nanoseconds.
func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

func (d *decoder) time() time.Time {
	sec := d.varint()
	return time.Unix(sec, int64(d.uvarint(999_999_999)))
}

// Flags of a message; bits 3 and 4 are its QoS.
const (
	msgRetain    = 1 << 0
	msgExpires   = 1 << 1
	msgPublisher = 1 << 2
	msgQoSShift  = 3
	msgKnown     = 0x1f
)

// appendMessage writes
//
//	flags 1 | [expires] | lengths of: mountpoint, topic, [publisher: mountpoint,
//	client identifier], properties, payload | these in the same order
func appendMessage(b []byte, m *mqtt.Message) []byte {
	flags := byte(m.QoS) << msgQoSShift
	if m.Retain {
		flags |= msgRetain
	}
	if !m.Expires.IsZero() {
		flags |= msgExpires
	}
	if m.Publisher != (mqtt.SessionKey{}) {
		flags |= msgPublisher
	}
	b = append(b, flags)
	if flags&msgExpires != 0 {
		b = appendTime(b, m.Expires)
	}
	b = binary.AppendUvarint(b, uint64(len(m.Mountpoint)))
	b = binary.AppendUvarint(b, uint64(len(m.Topic)))
	if flags&msgPublisher != 0 {
		b = binary.AppendUvarint(b, uint64(len(m.Publisher.Mountpoint)))
		b = binary.AppendUvarint(b, uint64(len(m.Publisher.ClientID)))
	}
	b = binary.AppendUvarint(b, uint64(len(m.Properties)))
	b = binary.AppendUvarint(b, uint64(len(m.Payload)))
	b = append(append(b, m.Mountpoint...), m.Topic...)
	b = append(append(b, m.Publisher.Mountpoint...), m.Publisher.ClientID...)
	return append(append(b, m.Properties...), m.Payload...)
}

// message reads what appendMessage wrote. Nothing in it refers to the record:
// its strings share one allocation, its slices another.
func (d *decoder) message() *mqtt.Message {
	const most = 1 << 32
	m := &mqtt.Message{}
	flags := d.flags(msgKnown)
	m.Retain = flags&msgRetain != 0
	m.QoS = d.qos(flags >> msgQoSShift)
	if flags&msgExpires != 0 {
		m.Expires = d.time()
	}
	var n [6]uint64
	n[0], n[1] = d.uvarint(most), d.uvarint(most)
	if flags&msgPublisher != 0 {
		n[2], n[3] = d.uvarint(most), d.uvarint(most)
	}
	n[4], n[5] = d.uvarint(most), d.uvarint(most)
	names := strings.Clone(d.take(n[0] + n[1] + n[2] + n[3]))
	data := []byte(d.take(n[4] + n[5]))
	if d.err != nil {
		return nil
	}
	m.Mountpoint, names = names[:n[0]], names[n[0]:]
	m.Topic, names = names[:n[1]], names[n[1]:]
	m.Publisher = mqtt.SessionKey{Mountpoint: names[:n[2]], ClientID: names[n[2]:]}
	if n[4] > 0 {
		m.Properties = data[:n[4]:n[4]]
	}
	if n[5] > 0 {
		m.Payload = data[n[4]:]
	}
	return m
}
