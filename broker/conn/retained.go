package conn

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/retain"
	"github.com/lunemq/lunemq/broker/router"
)

// retainJob is what is left to send of the retained messages of one new
// subscription.
type retainJob struct {
	sub    mqtt.Subscription
	cursor retain.Cursor
}

// retainPage is how many retained messages are sent before others may go on.
const retainPage = 64

// sendRetained sends retained messages page by page, as long as the client
// takes them; when it does not, the next Flush that finds room starts it
// again. At most one runs per connection. No lock is held while messages are
// looked up.
//
// Spec: MQTT 5.0 §3.8.4, §3.3.1.3 [MQTT-3.3.1-8].
func (c *Conn) sendRetained() {
	var page []*mqtt.Message
	var b router.Batch
	for {
		job, ok := c.nextJob()
		if !ok {
			return
		}
		now := time.Now()
		more := false
		page, job.cursor, more = c.srv.Router.Retained().Page(now, c.info.Key.Mountpoint, job.sub.Filter, job.cursor, retainPage, page[:0])
		cl := c.client.Load()
		for _, m := range page {
			d := mqtt.Delivery{QoS: min(m.QoS, job.sub.QoS), Retain: true, SubscriptionID: job.sub.ID}
			if job.sub.UpgradeQoS {
				d.QoS = job.sub.QoS
			}
			c.srv.Metrics.CopiesMade.Inc(1)
			c.srv.Metrics.QueueMessageIn.Inc(1)
			cl.Deliver(now, m, d, &b.Store)
		}
		clear(page)
		if !b.Store.Empty() {
			b.Store.Submit(c.srv.Store, c.srv.committed)
			b.Store.Reset()
		}
		c.jobDone(job, more)
		cl.Flush(now)
	}
}

// manyJobs is how long the list of jobs may grow before it is looked through.
const manyJobs = 1024

// addJobs enters what new subscriptions ask for. A client that subscribes again
// and again and is slow to take the messages must not make the list grow: of
// what has not begun, each subscription there is has one job. Called with the
// lock held.
func (c *Conn) addJobs(cl *registry.Client, jobs []retainJob) {
	if len(jobs) == 0 {
		return
	}
	c.jobs = append(c.jobs, jobs...)
	if len(c.jobs) < manyJobs+2*c.merged {
		return
	}
	at := make(map[string]int, len(c.jobs)/2)
	kept := c.jobs[:1] // it may have begun
	for _, j := range c.jobs[1:] {
		i, again := at[j.sub.Filter]
		if again {
			kept[i] = j
			continue
		}
		if _, there := cl.Session().Subscription(j.sub.Filter); there {
			at[j.sub.Filter] = len(kept)
			kept = append(kept, j)
		}
	}
	clear(c.jobs[len(kept):])
	c.jobs, c.merged = kept, len(kept)
}

// nextJob returns the job to go on with, or none when there is none or the
// client is behind.
func (c *Conn) nextJob() (retainJob, bool) {
	cl := c.lock()
	defer c.unlock(cl)
	if len(c.jobs) == 0 || !c.wantsJob() {
		c.jobsRun = false
		return retainJob{}, false
	}
	return c.jobs[0], true
}

// wantsJob reports whether the client can be sent retained messages. Called
// with the lock held.
func (c *Conn) wantsJob() bool {
	cl := c.client.Load()
	return !c.ended && !c.blocked && cl.Attached(c) && waiting(cl) == 0
}

// jobDone notes how far the first job has come.
func (c *Conn) jobDone(job retainJob, more bool) {
	cl := c.lock()
	defer c.unlock(cl)
	if len(c.jobs) == 0 {
		return
	}
	if more {
		c.jobs[0] = job
		return
	}
	if c.jobs = c.jobs[1:]; len(c.jobs) == 0 {
		c.jobs = nil
	}
}

// waiting is the number of messages in the client's queue. Called with the lock
// held.
func waiting(cl *registry.Client) int {
	n, _ := cl.Session().Queued()
	return n
}
