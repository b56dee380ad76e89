package conn

import "github.com/lunemq/lunemq/broker/registry"

// Joined implements registry.Attachment. Who holds pre at this moment goes on
// under it; nobody takes the client's lock while holding it.
func (c *Conn) Joined(cl *registry.Client) {
	c.pre.Lock()
	defer c.pre.Unlock()
	c.client.Store(cl)
}

// ready says that what connections before have taken of the client is routed.
func (c *Conn) ready() {
	cl := c.lock()
	c.busy--
	idle := c.rests()
	c.unlock(cl)
	idle()
	c.ec.Wake()
}

// Idle implements registry.Attachment.
func (c *Conn) Idle(f func()) bool {
	if !c.receiving && c.busy == 0 {
		return true
	}
	c.idle = append(c.idle, f)
	return false
}

// rests returns what is to be called, without the lock, if the connection has
// nothing in hand any longer. Called with the lock held.
func (c *Conn) rests() func() {
	if len(c.idle) == 0 || c.receiving || c.busy > 0 {
		return func() {}
	}
	list := c.idle
	c.idle = nil
	return func() {
		for _, f := range list {
			f()
		}
	}
}
