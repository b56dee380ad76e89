package crashtest

import "sync"

// readiness is a moment that others can wait for. The zero value is before it.
type readiness struct {
	mu sync.Mutex
	ch chan struct{}
	on bool
}

func (r *readiness) done() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ch == nil {
		r.ch = make(chan struct{})
	}
	return r.ch
}

func (r *readiness) set() {
	r.done()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on {
		r.on = true
		close(r.ch)
	}
}

func (r *readiness) is() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.on
}

// fault notes something else that went wrong.
func (c *Checker) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.say(format, args...)
}
