package conn

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Jobs is how many subscriptions wait for their retained messages.
func (c *Conn) Jobs() int {
	defer c.unlock(c.lock())
	return len(c.jobs)
}

// Loading reports whether the backlog is being read.
func (c *Conn) Loading() bool {
	defer c.unlock(c.lock())
	return c.loading
}

// RetainedPage reads retained messages for a subscription, as sendRetained does,
// and returns what delivers them to the client.
func (c *Conn) RetainedPage(sub mqtt.Subscription) (deliver func()) {
	p, now := c.newPage(), time.Now()
	p.read(now, &retainJob{sub: sub})
	return func() {
		p.deliver(now)
		p.cl.Flush(now)
	}
}

// Waiting is how many bytes of output are encoded. For a caller without any
// client's lock but one of a connection that is not c's.
func (c *Conn) Waiting() int { return len(c.m.Output()) }
