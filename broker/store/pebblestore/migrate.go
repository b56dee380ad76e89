package pebblestore

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/cockroachdb/pebble/v2"
)

// checkFormat reads the format in the database, which is that of its records,
// and brings an older one to the present. The file in the directory says first
// that there is something newer, so that an older program stays away from a
// store that is half way; the database says it last, so that this one goes on.
func (s *Store) checkFormat() error {
	v, c, err := s.db.Get(keyFormat)
	found := byte(0) // a new store
	switch {
	case errors.Is(err, pebble.ErrNotFound):
	case err != nil:
		return err
	default:
		if len(v) == 1 {
			found = v[0]
		}
		c.Close()
		if found < 1 || found > format {
			return damaged(keyFormat, errVersion)
		}
	}
	if err := s.checkClean(); err != nil || found == format {
		return err
	}
	if found == 1 {
		if err := s.writeVersion(); err != nil {
			return err
		}
		if err := s.moveSubscriptions(); err != nil {
			return err
		}
	}
	return s.db.Set(keyFormat, []byte{format}, pebble.Sync)
}

// writeVersion makes the file that says which format the store has.
func (s *Store) writeVersion() error {
	return s.writeFile(versionFile, versionText+strconv.Itoa(format)+"\n")
}

// errMoving is an error of writing, after which Open may be tried again.
var errMoving = errors.New("bringing it to format")

// maxMove is how many bytes are moved in one commit.
const maxMove = 4 << 20

// moveSubscriptions brings the records of format 1, which hold the session's
// subscriptions, to format 2. A record is written after all of its
// subscriptions: whatever was done before a crash may be done once more.
func (s *Store) moveSubscriptions() error {
	sessions, subscriptions := 0, 0
	b := s.db.NewBatch()
	defer func() { b.Close() }()
	commit := func(most int) error {
		if b.Len() < most {
			return nil
		}
		err := s.db.Apply(b, pebble.NoSync) // keyFormat is synced after it
		if err != nil {
			err = fmt.Errorf("%w %d: %w", errMoving, format, err)
		}
		b.Reset()
		return err
	}
	var owner, key, value []byte
	err := s.scan(s.db, tagSession, func(k, v []byte) (bool, error) {
		d := view(v)
		d.session()
		head := v[:len(v)-len(d.s)]
		n := d.uvarint(uint64(len(d.s)))
		if d.err == nil && d.s == "" && n == 0 {
			return true, nil
		}
		sessions++
		owner = appendOwner(owner[:0], k)
		for ; n > 0 && d.err == nil; n-- {
			sub := d.options()
			sub.Filter, sub.ShareName = d.string(), d.string()
			if d.err != nil {
				break
			}
			key, value = appendSubscriptionKey(key[:0], owner, &sub), appendSubscription(value[:0], &sub)
			if err := errors.Join(b.Set(key, value, nil), commit(maxMove)); err != nil {
				return false, err
			}
			subscriptions++
		}
		if err := d.end(); err != nil {
			return false, damaged(k, err)
		}
		value = append(append(value[:0], head...), 0)
		return true, errors.Join(b.Set(k, value, nil), commit(maxMove))
	})
	if err == nil {
		err = commit(1)
	}
	if err != nil {
		return err
	}
	s.log.Info("the store was brought to a newer format", "dir", s.dir, "format", format, "sessions", sessions, "subscriptions", subscriptions)
	return nil
}
