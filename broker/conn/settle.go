package conn

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/session"
)

// settle is one answer due at the end of a batch.
type settle struct {
	slot   session.Slot
	code   mqtt.ReasonCode
	reason string
	subs   []mqtt.ReasonCode   // of SUBSCRIBE and UNSUBSCRIBE
	user   []mqtt.UserProperty // to SUBACK
	kind   session.EventKind
	stored bool        // of a PUBLISH: the answer rests on the commit
	jobs   []retainJob // retained messages to send after a SUBACK
	made   []*change   // subscriptions, to be taken back if that cannot be stored
}

// endBatch commits what the packets of this read left to be stored, answers
// them, and sends to their receivers what they left with them.
func (c *Conn) endBatch(now time.Time) {
	b := &c.batch
	switch {
	case b.Store.Empty():
		c.settle(now, c.settles, nil)
		clear(c.settles) // what they hold of subscriptions goes
		c.settles = c.settles[:0]
	case !b.Store.Sync:
		b.Submit(c.srv.Router, c.srv.Store, c.srv.committed)
		c.settle(now, c.settles, nil)
		clear(c.settles)
		c.settles = c.settles[:0]
	default:
		waiting, what := c.settles, c.weigh()
		c.settles = nil
		cl := c.lock()
		c.unsettled.add(what)
		c.unlock(cl)
		c.srv.Metrics.StoreCommits.Inc(1)
		b.Submit(c.srv.Router, c.srv.Store, func(err error) { c.commitDone(waiting, what, err) })
	}
	c.read = 0
	b.Store.Reset()
	b.Flush(now, c.srv.Router)
	for _, f := range c.flushes {
		f()
	}
	c.flushes = nil
	c.flushSelf(now)
}

// commitDone answers the packets of a batch that is now in stable storage, or
// refuses them.
func (c *Conn) commitDone(waiting []settle, what weight, err error) {
	now := time.Now()
	if err != nil {
		c.srv.committed(err)
	}
	cl := c.lock()
	wake := c.unsettled.remove(what)
	c.unlock(cl)
	c.settle(now, waiting, err)
	c.flushSelfAside(now)
	if wake {
		c.ec.Wake()
	}
}

// settle gives the machine the answers. A failed commit is told to 5.0 clients
// and ends the connection of others, without an acknowledgement. The answer to a
// message that left nothing to be stored does not depend on it.
func (c *Conn) settle(now time.Time, list []settle, commit error) {
	if len(list) == 0 {
		return
	}
	var jobs []retainJob
	cl := c.lock()
	defer c.unlock(cl)
	c.changed(cl, list, commit)
	for i := range list {
		s, err := &list[i], commit
		if s.kind == session.WantPublish && !s.stored {
			err = nil
		}
		if err != nil && s.kind == session.WantUnsubscribe {
			c.countFailed(packet.TypeUnsubscribe)
		}
		if err != nil && c.m.Version() != mqtt.V5 {
			c.forget(list[i:])
			c.fail(now, mqtt.Errorf("conn: store", storeCode(err), "%v", err))
			break
		}
		switch s.kind {
		case session.WantSubscribe:
			if err != nil {
				refuseAll(s.subs, storeCode(err))
				s.jobs, s.user = nil, nil
			}
			c.m.SettleSubscribe(s.slot, s.subs, s.reason, s.user)
			jobs = append(jobs, s.jobs...)
		case session.WantUnsubscribe:
			if err != nil {
				refuseAll(s.subs, mqtt.ImplementationSpecificError)
			}
			c.m.SettleUnsubscribe(s.slot, s.subs)
		default:
			if err != nil {
				s.code = storeCode(err)
			}
			c.m.Settle(s.slot, s.code, s.reason)
		}
	}
	c.addJobs(cl, jobs)
}

// forget makes the identifiers of QoS 2 messages free that could not be stored.
// Once the connection has ended, another one may have taken over the session,
// whose identifiers they are then. Called with the lock held.
func (c *Conn) forget(list []settle) {
	for i := range list {
		if s := &list[i]; s.kind == session.WantPublish && s.stored && !c.ended {
			c.m.Forget(s.slot)
		}
	}
}
