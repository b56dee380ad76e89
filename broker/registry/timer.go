package registry

import (
	"container/heap"
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker/store"
)

// timer is a client's place among those that wait for a moment: the end of its
// session or its delayed will. Guarded by timers.mu.
type timer struct {
	client *Client
	due    time.Time
	index  int // in the heap, plus one; 0 = not in it
}

// timers wakes one goroutine at the earliest due moment of all clients.
type timers struct {
	mu     sync.Mutex
	heap   timerHeap
	wake   *time.Timer
	closed bool
	held   bool // nobody is due, and the heap need not be in order
	// notBefore holds all expiry up: the clock is not to be trusted until then.
	notBefore time.Time
}

// Suspend holds session expiry and delayed wills up until then.
func (r *Registry) Suspend(until time.Time) {
	r.timers.mu.Lock()
	defer r.timers.mu.Unlock()
	r.timers.notBefore = until
	r.sleep()
}

// Hold keeps sessions from expiring and delayed wills from being due until
// Release.
func (r *Registry) Hold() { r.hold(true) }

// Release ends Hold: what has become due meanwhile is due now.
func (r *Registry) Release() { r.hold(false) }

func (r *Registry) hold(held bool) {
	r.timers.mu.Lock()
	defer r.timers.mu.Unlock()
	if r.timers.held && !held {
		heap.Init(&r.timers.heap)
	}
	r.timers.held = held
	r.sleep()
}

func (t *timers) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.wake != nil {
		t.wake.Stop()
	}
}

// arm puts an offline client in line. Called with its lock held.
func (r *Registry) arm(c *Client) {
	due := c.expires
	if !c.willDue.IsZero() && (due.IsZero() || c.willDue.Before(due)) {
		due = c.willDue
	}
	if due.IsZero() {
		return
	}
	t := &r.timers
	t.mu.Lock()
	defer t.mu.Unlock()
	c.timer.client, c.timer.due = c, due
	switch {
	case c.timer.index == 0 && t.held:
		t.heap.Push(&c.timer)
		return
	case c.timer.index == 0:
		heap.Push(&t.heap, &c.timer)
	default:
		heap.Fix(&t.heap, c.timer.index-1)
	}
	r.sleep()
}

// back says that nobody waits for the client any longer. Called with its lock
// held.
func (r *Registry) back(c *Client) {
	if c.away != nil {
		r.timers.remove(&c.timer)
		c.away = nil
	}
}

func (t *timers) remove(x *timer) {
	if t.mu.Lock(); x.index > 0 {
		heap.Remove(&t.heap, x.index-1)
	}
	t.mu.Unlock()
}

// sleep sets the alarm for the first in line. Called with timers.mu held.
func (r *Registry) sleep() {
	t := &r.timers
	if t.closed || t.held || len(t.heap) == 0 {
		return
	}
	d := max(0, time.Until(t.heap[0].due), time.Until(t.notBefore))
	if t.wake == nil {
		t.wake = time.AfterFunc(d, r.ring)
		return
	}
	t.wake.Reset(d)
}

// ring deals with everybody who is due.
func (r *Registry) ring() {
	now := time.Now()
	for {
		t := &r.timers
		t.mu.Lock()
		if t.closed || t.held || len(t.heap) == 0 || t.heap[0].due.After(now) || t.notBefore.After(now) {
			r.sleep()
			t.mu.Unlock()
			return
		}
		c := heap.Pop(&t.heap).(*timer).client
		t.mu.Unlock()
		r.due(now, c)
	}
}

// due publishes a delayed will or ends an expired session.
func (r *Registry) due(now time.Time, c *Client) {
	var late finale
	var b store.Batch
	c.mu.Lock()
	if c.dead || c.conn != nil {
		c.mu.Unlock()
		return
	}
	if c.will != nil && !now.Before(c.willDue) {
		late.will, late.info, c.will, c.willDue = c.will, c.info, nil, time.Time{}
		rec := c.st.Record()
		rec.Offline = c.left
		b.Add(store.Op{Kind: store.PutSession, Key: c.key, Session: rec})
	}
	if !c.expires.IsZero() && !now.Before(c.expires) {
		c.empty(&late, &b)
		late.expired = true
		r.forget(c)
	} else {
		r.arm(c)
	}
	c.mu.Unlock()
	r.handOverAndCommit(now, c, &late, &b, nil)
	r.finish(now, c.key, &late)
}

// timerHeap orders by due moment.
type timerHeap []*timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

// Push implements heap.Interface.
func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.index = len(*h) + 1
	*h = append(*h, t)
}

// Pop implements heap.Interface.
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = 0
	return t
}
