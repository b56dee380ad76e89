package pebblestore

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// counts knows how many references shared messages have. Owned by the
// committer.
type counts struct {
	cache map[uint64]*count
	dirty []uint64 // changed by the group, in order of first change

	// of one store.Batch
	seen map[*mqtt.Message]uint64 // 0 = once, sharedSoon = several times, else the number given
}

// count is the number of references of one shared message.
type count struct {
	n       uint64
	message *mqtt.Message // while it is not in the database
	dirty   bool
}

// maxCounts is how many counts are remembered between groups.
const maxCounts = 1 << 16

// sharedSoon marks a message that has no number yet.
const sharedSoon = 1<<64 - 1

func newCounts() counts {
	return counts{cache: map[uint64]*count{}, seen: map[*mqtt.Message]uint64{}}
}

// survey finds the messages that a batch gives to several places.
func (c *counts) survey(ops []store.Op) {
	clear(c.seen)
	if len(ops) < 2 {
		return
	}
	for i := range ops {
		var m *mqtt.Message
		switch ops[i].Kind {
		case store.Append:
			m = ops[i].Entry.Message
		case store.PutRetained:
			m = ops[i].Message
		default:
			continue
		}
		if _, again := c.seen[m]; again {
			c.seen[m] = sharedSoon
		} else {
			c.seen[m] = 0
		}
	}
}

// refer adds a reference to m and returns its number, 0 if m is not shared.
func (c *counts) refer(ids *numbers, m *mqtt.Message) uint64 {
	mid := c.seen[m]
	switch mid {
	case 0:
		return 0
	case sharedSoon:
		mid = ids.message()
		c.seen[m] = mid
		c.cache[mid] = &count{message: m, dirty: true}
		c.dirty = append(c.dirty, mid)
	}
	c.cache[mid].n++
	return mid
}

// release takes one reference back.
func (c *counts) release(p *plan, mid uint64) error {
	x := c.cache[mid]
	if x == nil {
		n, err := p.readCount(mid)
		if err != nil {
			return err
		}
		x = &count{n: n}
		c.cache[mid] = x
	}
	if x.n == 0 {
		return damaged(appendID(nil, tagMessage, mid), errCount)
	}
	x.n--
	if !x.dirty {
		x.dirty = true
		c.dirty = append(c.dirty, mid)
	}
	return nil
}

var errCount = errors.New("has fewer references than entries refer to it")

// readCount reads how many references a shared message has.
func (p *plan) readCount(mid uint64) (uint64, error) {
	for _, tag := range []byte{tagCount, tagMessage} {
		p.key = appendID(p.key[:0], tag, mid)
		v, c, err := p.db.Get(p.key)
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		if err != nil {
			return 0, err
		}
		d := view(v)
		n := d.count()
		c.Close()
		if d.err != nil {
			return 0, damaged(p.key, d.err)
		}
		return n, nil
	}
	return 0, damaged(p.key, errMissing)
}

var errMissing = errors.New("is missing, although an entry refers to it")

// write stores changed counts and new messages, and deletes messages that
// nothing refers to.
func (c *counts) write(p *plan) error {
	for _, mid := range c.dirty {
		if err := p.writeCount(mid, c.cache[mid]); err != nil {
			return err
		}
		if x := c.cache[mid]; x.n == 0 {
			delete(c.cache, mid)
		} else {
			x.dirty, x.message = false, nil
		}
	}
	c.dirty = c.dirty[:0]
	clear(c.seen)
	if len(c.cache) > maxCounts {
		clear(c.cache)
	}
	return nil
}

func (p *plan) writeCount(mid uint64, x *count) error {
	body := appendID(nil, tagMessage, mid)
	switch {
	case x.n == 0 && x.message != nil:
		return nil // never stored
	case x.n == 0:
		if err := p.b.Delete(body, nil); err != nil {
			return err
		}
		return p.b.Delete(appendID(nil, tagCount, mid), nil)
	case x.message != nil:
		p.scratch = appendBody(p.scratch[:0], x.n, x.message)
		return p.b.Set(body, p.scratch, nil)
	}
	p.scratch = appendCount(p.scratch[:0], x.n)
	return p.b.Set(appendID(nil, tagCount, mid), p.scratch, nil)
}

// numbers gives out the numbers of sessions and messages. They are reserved in
// blocks, so that none is ever given twice, whatever is lost. Owned by the
// committer.
type numbers struct {
	next, reserved [2]uint64 // of sessions and messages
}

const numberBlock = 1 << 16

func (n *numbers) session() uint64 { n.next[0]++; return n.next[0] }
func (n *numbers) message() uint64 { n.next[1]++; return n.next[1] }

// write reserves what was given out, with the group that uses it first.
func (n *numbers) write(p *plan) error {
	if n.next[0] <= n.reserved[0] && n.next[1] <= n.reserved[1] {
		return nil
	}
	v := []byte{codecVersion}
	for i := range n.next {
		if n.next[i] > n.reserved[i] {
			n.reserved[i] = n.next[i] + numberBlock
		}
		v = binary.AppendUvarint(v, n.reserved[i])
	}
	return p.b.Set(keyIDs, v, nil)
}

// read takes up after what was reserved.
func (n *numbers) read(db *pebble.DB) error {
	v, c, err := db.Get(keyIDs)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer c.Close()
	d := view(v)
	d.version()
	for i := range n.next {
		n.next[i] = d.uvarint(sharedSoon - numberBlock)
		n.reserved[i] = n.next[i]
	}
	if err := d.end(); err != nil {
		return damaged(keyIDs, err)
	}
	return nil
}
