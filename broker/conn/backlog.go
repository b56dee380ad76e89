package conn

import (
	"time"

	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// What the loader does when the store does not yet have what was counted: the
// commit of an append may still be on its way.
const (
	loadAgain = 2 * time.Millisecond
	loadTries = 5000 // ten seconds of them
)

// load reads the queue's messages that are only in the store, page by page, as
// long as the client takes them; a Flush that finds room starts it again. At
// most one runs per connection. No lock is held while the store is read.
func (c *Conn) load() {
	for tries := 0; ; {
		cl := c.client.Load()
		after, ok := c.wantsLoad()
		if !ok {
			return
		}
		var page []store.Entry
		_, err := c.srv.Kept.Queue(c.info.Key, after, func(e store.Entry) bool {
			page = append(page, e)
			return len(page) < session.LoadPage
		})
		progress := c.loaded(page, err)
		cl.Flush(time.Now())
		switch {
		case err != nil:
			return
		case progress:
			tries = 0
		default:
			if tries++; tries > loadTries {
				c.giveUp()
				return
			}
			<-time.After(loadAgain)
		}
	}
}

// wantsLoad reports whether there is a page to be read; if not, the loader
// ends.
func (c *Conn) wantsLoad() (after uint64, ok bool) {
	cl := c.lock()
	defer c.unlock(cl)
	if !c.ended && cl.Attached(c) {
		after, ok = cl.Session().WantsLoad()
	}
	c.loading = ok
	return after, ok
}

// loaded gives a page to the machine.
func (c *Conn) loaded(page []store.Entry, err error) (progress bool) {
	cl := c.lock()
	defer c.unlock(cl)
	if c.ended || !cl.Attached(c) {
		return true // wantsLoad ends it
	}
	if err != nil {
		c.loading = false
		c.fail(time.Now(), err)
		return false
	}
	return c.m.Loaded(page, &c.own)
}

// giveUp counts messages as dropped that the store should have and has not.
func (c *Conn) giveUp() {
	cl := c.lock()
	n := 0
	if !c.ended && cl.Attached(c) {
		n = cl.Session().LoseBacklog()
	}
	c.loading = false
	c.unlock(cl)
	c.srv.Registry.Lost(n)
	c.srv.Log.Error("messages counted in the queue are not in the store", c.who("messages", n)...)
}
