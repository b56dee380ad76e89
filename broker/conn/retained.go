package conn

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/retain"
	"github.com/lunemq/lunemq/broker/store"
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
	p := c.newPage()
	for {
		job, ok := c.nextJob()
		if !ok {
			return
		}
		now := time.Now()
		more := p.read(now, &job)
		p.deliver(now)
		c.jobDone(job, more)
		p.cl.Flush(now)
	}
}

// page is a number of retained messages on their way to a new subscription.
// Owned by one goroutine; reused.
type page struct {
	c          *Conn
	cl         *registry.Client
	sub        mqtt.Subscription
	list       []*mqtt.Message
	generation uint64 // of the retained messages when it was read
	batch      store.Batch
}

func (c *Conn) newPage() *page { return &page{c: c, cl: c.client.Load()} }

// read fills the page with what comes next for a job.
func (p *page) read(now time.Time, job *retainJob) (more bool) {
	r := p.c.srv.Router.Retained()
	p.sub, p.generation = job.sub, r.Generation()
	p.list, job.cursor, more = r.Page(now, p.c.info.Key.Mountpoint, job.sub.Filter, job.cursor, retainPage, p.list[:0])
	return more
}

// deliver gives the client the page.
func (p *page) deliver(now time.Time) {
	srv := p.c.srv
	var m *mqtt.Message
	pick := func() (*mqtt.Message, mqtt.Delivery) { return p.pick(now, m) }
	n := int64(0)
	for _, m = range p.list {
		if p.cl.DeliverPicked(now, &p.batch, pick) {
			n++
		}
	}
	clear(p.list)
	srv.Metrics.CopiesMade.Inc(n)
	srv.Metrics.QueueMessageIn.Inc(n)
	if !p.batch.Empty() {
		p.batch.Submit(srv.Store, srv.committed)
		p.batch.Reset()
	}
}

// pick returns what the client gets for m: m, or what is retained in its place
// since the page was read, if anything is. Called with the lock held. A message
// is retained before its live copies are made, so that one that is not retained
// yet reaches the client behind this one, and one that has reached it already is
// retained: nothing older follows it.
func (p *page) pick(now time.Time, m *mqtt.Message) (*mqtt.Message, mqtt.Delivery) {
	if r := p.c.srv.Router.Retained(); r.Generation() != p.generation {
		is := r.Get(m.Mountpoint, m.Topic)
		if is == nil || is != m && is.Expired(now) {
			return nil, mqtt.Delivery{}
		}
		m = is
	}
	if p.sub.NoLocal && m.Publisher == p.cl.Key() { // [MQTT-3.8.3-3]
		return nil, mqtt.Delivery{}
	}
	d := mqtt.Delivery{QoS: min(m.QoS, p.sub.QoS), Retain: true, SubscriptionID: p.sub.ID}
	if p.sub.UpgradeQoS {
		d.QoS = p.sub.QoS
	}
	return m, d
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
