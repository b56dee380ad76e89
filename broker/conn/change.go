package conn

import (
	"slices"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/session"
)

// change is one subscription that a SUBSCRIBE or UNSUBSCRIBE made, replaced or
// removed, and what there was before, until its commit has ended. Guarded by
// the client's lock.
type change struct {
	st         *session.State
	sent       string
	old        mqtt.Subscription
	had        bool
	prev, next *change // of the same filter, to be committed before and after it
}

// changing notes what the session has of a filter that is about to change.
// Called with the lock held.
func (c *Conn) changing(st *session.State, sent string) *change {
	x := &change{st: st, sent: sent}
	x.old, x.had = st.Subscription(sent)
	if x.prev = c.changes[sent]; x.prev != nil {
		x.prev.next = x
	}
	c.latest(sent, x)
	return x
}

// latest says which is the last change of a filter that is not committed.
func (c *Conn) latest(sent string, x *change) {
	switch {
	case x == nil:
		if delete(c.changes, sent); len(c.changes) == 0 {
			c.changes = nil
		}
	case c.changes == nil:
		c.changes = map[string]*change{sent: x}
	default:
		c.changes[sent] = x
	}
}

// changed says that the commit of these answers has ended. If it has failed,
// the subscriptions are as they were before; where a later packet has changed
// one again, that is what comes back if the later commit fails too. Called with
// the lock held.
func (c *Conn) changed(cl *registry.Client, list []settle, err error) {
	for i := len(list) - 1; i >= 0; i-- {
		for _, x := range slices.Backward(list[i].made) {
			if err == nil {
				x.prev = nil
			} else if x.prev != nil {
				x.prev.next = x.next
			}
			switch {
			case x.next == nil:
				c.latest(x.sent, x.prev)
				if err != nil {
					c.takeBack(cl, x)
				}
			case err == nil:
				x.next.prev = nil
			default:
				x.next.prev, x.next.old, x.next.had = x.prev, x.old, x.had
			}
		}
		list[i].made = nil
	}
}

// takeBack restores one subscription as it was, also after the connection has
// lost the client, unless the session has ended since.
func (c *Conn) takeBack(cl *registry.Client, x *change) {
	if cl == nil || cl.Session() != x.st {
		return
	}
	if x.had {
		x.st.Subscribed(x.sent, x.old)
		c.srv.Router.Subscribe(c.info.Key.Mountpoint, x.old, cl)
	} else if now, has := x.st.Unsubscribed(x.sent); has {
		c.srv.Router.Unsubscribe(c.info.Key.Mountpoint, now, cl)
	}
}
