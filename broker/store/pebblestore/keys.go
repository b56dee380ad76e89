package pebblestore

import (
	"cmp"
	"encoding/binary"
	"fmt"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// First bytes of keys.
const (
	tagSession  = 's'
	tagEntry    = 'e'
	tagMessage  = 'm'
	tagCount    = 'n'
	tagRetained = 'r'
	tagDoomed   = 'z'

	tagSubscription = 'f'
)

var (
	keyFormat = []byte("!format")
	keyIDs    = []byte("!ids")
	keyClock  = []byte("!clock")
)

// kind is the part of a session's keys that a key belongs to, in the order in
// which Queue reads them.
type kind uint8

const (
	kindState   kind = iota // of an entry in flight
	kindInbound             // packet identifier
	kindInline              // entry, message inside
	kindShared              // entry, reference to a message
	kindEnd
)

// place is one key of a session.
type place struct {
	sid    uint64
	kind   kind
	number uint64
}

const entryKeyLen = 1 + 8 + 1 + 8

func (p place) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(append(b, tagEntry), p.sid)
	return binary.BigEndian.AppendUint64(append(b, byte(p.kind)), p.number)
}

// compare orders places as their keys.
func (p place) compare(q place) int {
	switch {
	case p.sid != q.sid:
		return cmp.Compare(p.sid, q.sid)
	case p.kind != q.kind:
		return cmp.Compare(p.kind, q.kind)
	}
	return cmp.Compare(p.number, q.number)
}

// parsePlace reads a key that begins with tagEntry.
func parsePlace(k []byte) (place, error) {
	if len(k) != entryKeyLen || k[0] != tagEntry || kind(k[9]) >= kindEnd {
		return place{}, fmt.Errorf("pebblestore: key %x is not that of an entry", k)
	}
	return place{binary.BigEndian.Uint64(k[1:]), kind(k[9]), binary.BigEndian.Uint64(k[10:])}, nil
}

// appendID is the key of a numbered record.
func appendID(b []byte, tag byte, id uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, tag), id)
}

// appendName is the key of a named record.
func appendName(b []byte, tag byte, name mqtt.SessionKey) []byte {
	b = binary.AppendUvarint(append(b, tag), uint64(len(name.Mountpoint)))
	return append(append(b, name.Mountpoint...), name.ClientID...)
}

// parseName reads the key of a named record.
func parseName(k []byte) (mqtt.SessionKey, error) {
	n, w := binary.Uvarint(k[1:])
	if w <= 0 || n > uint64(len(k)-1-w) {
		return mqtt.SessionKey{}, fmt.Errorf("pebblestore: key %x has no name", k)
	}
	s := string(k[1+w:])
	return mqtt.SessionKey{Mountpoint: s[:n], ClientID: s[n:]}, nil
}
