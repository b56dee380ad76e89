package conn

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/session"
)

// commitDone answers the packets of a batch that is now in stable storage, or
// refuses them.
func (c *Conn) commitDone(waiting []settle, err error) {
	now := time.Now()
	if err != nil {
		c.srv.committed(err)
	}
	cl := c.lock()
	c.unsettled -= len(waiting)
	wake := c.unsettled <= maxUnsettled && c.unsettled+len(waiting) > maxUnsettled
	c.unlock(cl)
	c.settle(now, waiting, err)
	c.flushSelf(now)
	if wake {
		c.ec.Wake()
	}
}

// settle gives the machine the answers. A failed commit is told to 5.0 clients
// and ends the connection of others, without an acknowledgement.
func (c *Conn) settle(now time.Time, list []settle, err error) {
	if len(list) == 0 {
		return
	}
	var jobs []retainJob
	cl := c.lock()
	defer c.unlock(cl)
	if err != nil {
		c.takeBack(cl, list)
	}
	for i := range list {
		s := &list[i]
		if err != nil && s.kind == session.WantUnsubscribe {
			c.countFailed(packet.TypeUnsubscribe)
		}
		if err != nil && c.m.Version() != mqtt.V5 {
			c.fail(now, mqtt.Errorf("conn: store", storeCode(err), "%v", err))
			break
		}
		switch s.kind {
		case session.WantSubscribe:
			if err != nil {
				refuseAll(s.subs, storeCode(err))
				s.jobs = nil
			}
			c.m.SettleSubscribe(s.slot, s.subs, s.reason)
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
