package conn

import (
	"errors"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/session"
)

// Deadline implements engine.Handler.
func (c *Conn) Deadline(now time.Time) {
	wake, after := c.expire(now)
	if after != nil {
		after()
	}
	if wake {
		c.ec.Wake()
	}
}

// expire does what is due. wake says that input has waited long enough.
func (c *Conn) expire(now time.Time) (wake bool, after func()) {
	cl := c.lock()
	defer c.unlock(cl)
	c.armed = time.Time{}
	if c.ended {
		return false, nil
	}
	if !c.throttled.IsZero() && !now.Before(c.throttled) {
		c.throttled, wake = time.Time{}, true
		c.m.Excuse(now)
	}
	if err := c.due(now); err != nil {
		c.fail(now, err)
	}
	c.arm()
	return wake, c.Flush(now)
}

// due checks what the time has brought. Called with the lock held.
func (c *Conn) due(now time.Time) error {
	if c.m.Phase() < session.Connecting {
		c.srv.Metrics.SocketCloseTimeout.Inc(1)
		return mqtt.Errorf("conn: connect", mqtt.MaximumConnectTime, "CONNECT was not complete within mqtt_connect_timeout")
	}
	err := c.m.Deadline(now)
	var e *mqtt.Error
	if errors.As(err, &e) && e.Code == mqtt.KeepAliveTimeout {
		if c.held() { // it is we who do not read
			c.m.Excuse(now)
			return nil
		}
		c.srv.Metrics.ClientKeepaliveExpired.For(c.v5()).Inc(1)
	}
	return err
}

// arm gives the engine the earliest deadline, unless an earlier one is armed:
// it is looked at again when that fires. Called with the lock held.
func (c *Conn) arm() {
	next := c.m.NextDeadline()
	if !c.throttled.IsZero() && (next.IsZero() || c.throttled.Before(next)) {
		next = c.throttled
	}
	if c.ended || next.IsZero() || !c.armed.IsZero() && !next.Before(c.armed) {
		return
	}
	c.armed = next
	c.ec.SetDeadline(next)
}

// rearm gives the engine the earliest deadline, be it later than what is armed.
// Called with the lock held.
func (c *Conn) rearm() {
	c.armed = time.Time{}
	if c.arm(); c.armed.IsZero() && !c.ended {
		c.ec.SetDeadline(time.Time{})
	}
}

// held reports whether input must wait: for a worker, the answer to CONNECT, a
// throttle, commits, the gate, or the client, which reads too little of what is
// sent to it. Whoever ends that calls Wake. Called with the lock held.
func (c *Conn) held() bool {
	return c.busy > 0 || !c.throttled.IsZero() || c.unsettled.tooMuch() || c.gated && !c.srv.Gate.Opened() || c.clogged()
}

// clogged reports whether input waits because twice max_output_bytes wait for the
// socket: answers have no other bound than that nothing more is read. Messages
// alone do not fill as much, so that a slow subscriber is still heard. A client
// that takes nothing at all is ended by the engine. Called with the lock held.
func (c *Conn) clogged() bool {
	c.behind = c.behind || c.blocked && len(c.m.Output()) >= 2*c.maxOutput()
	return c.behind
}

// caughtUp goes on with the input of a client that has read enough. Called with
// the lock held, whenever the socket may have taken something.
func (c *Conn) caughtUp(now time.Time) {
	if c.behind && (!c.blocked || len(c.m.Output()) < c.maxOutput()) {
		c.behind = false
		c.m.Excuse(now) // we have not read, it may well have sent
		c.ec.Wake()
	}
}

func (c *Conn) maxOutput() int { return int(c.srv.Settings.Load().Session.MaxOutputBytes) }
