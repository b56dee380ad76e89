package conn

import (
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/router"
)

// reader is what a connection needs only while it deals with input: it borrows
// one when Receive begins, and gives it back at its end or at that of the worker
// it has parked for.
type reader struct {
	dec     packet.Decoder
	batch   router.Batch
	settles []settle
	tasks   []func(now time.Time) // for a worker
	flushes []func()              // to be called once the batch is submitted
	ask     hook.Publish          // scratch
	read    int                   // bytes of the packets of the batch
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// borrow takes a reader. Called with the lock held.
func (c *Conn) borrow() {
	c.reader = readers.Get().(*reader)
	c.dec.Version = c.level
	c.batch.Choose(nil)
	if c.bound != nil {
		c.batch.Choose(c.bound.policy)
	}
}

// maxSettles is how many answers a reader keeps room for, and operations of a
// batch.
const maxSettles = 1024

// giveReader gives it back for others to use.
func (c *Conn) giveReader() {
	r := c.reader
	c.reader = nil
	r.tasks, r.ask, r.read = nil, hook.Publish{}, 0
	if cap(r.settles) <= maxSettles && cap(r.batch.Store.Ops) <= maxSettles {
		readers.Put(r)
	}
}
