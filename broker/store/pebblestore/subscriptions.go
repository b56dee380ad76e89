package pebblestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// Flags of a subscription; bits 0 and 1 are its QoS, 5 and 6 the retain handling.
const (
	subNoLocal     = 1 << 2
	subAsPublished = 1 << 3
	subUpgrade     = 1 << 4
	subRHShift     = 5
	subKnown       = 0x7f
)

// Bytes that end a session's name in the keys of its subscriptions. A name of a
// session is not the beginning of another's there, and they have the order of
// the sessions' own keys.
const (
	nameEscape = 0x00 // followed by nameZero: a byte 0 of the name
	nameEnd    = 0x01
	nameZero   = 0xff
)

// appendOwner is what the keys of all subscriptions of a session begin with;
// name is the key of its record.
func appendOwner(b, name []byte) []byte {
	b = append(b, tagSubscription)
	_, w := binary.Uvarint(name[1:])
	b = append(b, name[1:1+w]...)
	for name = name[1+w:]; ; {
		i := bytes.IndexByte(name, nameEscape)
		if i < 0 {
			return append(append(b, name...), nameEscape, nameEnd)
		}
		b = append(append(b, name[:i]...), nameEscape, nameZero)
		name = name[i+1:]
	}
}

// appendSubscriptionKey is the key of a subscription: its owner, then the share
// name and the filter.
func appendSubscriptionKey(b, owner []byte, s *mqtt.Subscription) []byte {
	return append(appendString(append(b, owner...), s.ShareName), s.Filter...)
}

// appendSubscription writes version 1 | flags 1 | identifier.
func appendSubscription(b []byte, s *mqtt.Subscription) []byte {
	flags := byte(s.QoS) | byte(s.RetainHandling)<<subRHShift
	if s.NoLocal {
		flags |= subNoLocal
	}
	if s.RetainAsPublished {
		flags |= subAsPublished
	}
	if s.UpgradeQoS {
		flags |= subUpgrade
	}
	return binary.AppendUvarint(append(b, codecVersion, flags), uint64(s.ID))
}

// options reads flags and identifier.
func (d *decoder) options() mqtt.Subscription {
	flags := d.flags(subKnown)
	s := mqtt.Subscription{
		QoS: d.qos(flags & 3), NoLocal: flags&subNoLocal != 0, RetainAsPublished: flags&subAsPublished != 0,
		UpgradeQoS: flags&subUpgrade != 0, RetainHandling: mqtt.RetainHandling(flags >> subRHShift),
	}
	if s.RetainHandling > mqtt.DoNotSendRetained {
		d.fail(errValue)
	}
	s.ID = uint32(d.uvarint(1<<32 - 1))
	return s
}

// decodeSubscription reads a subscription; rest is its key behind the owner.
func decodeSubscription(key, rest, v []byte) (mqtt.Subscription, error) {
	d := view(v)
	d.version()
	s := d.options()
	err := d.end()
	names := view(rest)
	share := names.string()
	if err == nil {
		err = names.err
	}
	if err != nil {
		return s, damaged(key, err)
	}
	s.ShareName, s.Filter = strings.Clone(share), strings.Clone(names.s)
	return s, nil
}

// subscription makes or changes a subscription of a session, or deletes it.
func (p *plan) subscription(s *session, op *store.Op) error {
	p.key = appendName(p.key[:0], tagSession, op.Key)
	p.owner = appendOwner(p.owner[:0], p.key)
	p.key = appendSubscriptionKey(p.key[:0], p.owner, op.Subscription)
	if op.Kind == store.DeleteSubscription {
		return p.b.Delete(p.key, nil)
	}
	s.subscribed = true
	p.scratch = appendSubscription(p.scratch[:0], op.Subscription)
	return p.b.Set(p.key, p.scratch, nil)
}

// deleteSubscriptions deletes all of a session; name is the key of its record.
func (p *plan) deleteSubscriptions(name []byte) error {
	p.owner = appendOwner(p.owner[:0], name)
	return p.b.DeleteRange(p.owner, ownerEnd(p.owner), nil)
}

// ownerEnd is the key behind all that begin with an owner.
func ownerEnd(owner []byte) []byte {
	end := bytes.Clone(owner)
	end[len(end)-1]++
	return end
}

var errOwner = errors.New("is a subscription of no session")

// subscriptionReader reads the subscriptions of sessions that are asked for in
// the order of their keys. It walks over all subscriptions once.
type subscriptionReader struct {
	it    *pebble.Iterator
	ok    bool // it stands at a subscription
	owner []byte
}

// newSubscriptionReader reads for all sessions, or only for that whose record
// has the key name.
func newSubscriptionReader(db pebble.Reader, name []byte) (*subscriptionReader, error) {
	o := &pebble.IterOptions{LowerBound: []byte{tagSubscription}, UpperBound: []byte{tagSubscription + 1}}
	if name != nil {
		o.LowerBound = appendOwner(nil, name)
		o.UpperBound = ownerEnd(o.LowerBound)
	}
	it, err := db.NewIter(o)
	if err != nil {
		return nil, err
	}
	return &subscriptionReader{it: it, ok: it.First()}, nil
}

func (r *subscriptionReader) close() { r.it.Close() }

// session reads a record with its subscriptions; name is its key.
func (r *subscriptionReader) session(name, v []byte) (*store.Session, error) {
	rec, err := decodeSession(name, v)
	if err == nil {
		err = r.fill(name, rec)
	}
	if err != nil {
		return nil, err
	}
	return rec, nil
}

// fill gives a record its subscriptions; name is its key.
func (r *subscriptionReader) fill(name []byte, rec *store.Session) error {
	r.owner = appendOwner(r.owner[:0], name)
	for r.ok {
		k := r.it.Key()
		if !bytes.HasPrefix(k, r.owner) {
			if bytes.Compare(k, r.owner) > 0 {
				return nil
			}
			return damaged(k, errOwner)
		}
		v, err := r.it.ValueAndErr()
		if err != nil {
			return err
		}
		s, err := decodeSubscription(k, k[len(r.owner):], v)
		if err != nil {
			return err
		}
		rec.Subscriptions = append(rec.Subscriptions, s)
		r.ok = r.it.Next()
	}
	return r.it.Error()
}
