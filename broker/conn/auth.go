package conn

import (
	"context"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/session"
)

// authentication is the state of enhanced authentication, if the client uses it.
//
// Spec: MQTT 5.0 §4.12.
type authentication struct {
	connect *packet.Connect // waits for its end; nil when connected
	last    []byte          // data of the last step, for CONNACK
}

// authenticate takes an AUTH packet.
func (c *Conn) authenticate(now time.Time, p *packet.Auth) {
	c.step(now, p.Method, p.Data, c.auth == nil || c.auth.connect == nil)
}

// step asks the hooks for one step, on a worker if they may wait.
func (c *Conn) step(now time.Time, method string, data []byte, again bool) {
	a := &hook.Auth{Client: c.info, Method: method, Data: data, Again: again}
	if c.chain.BlocksRegister() {
		c.work(func(now time.Time) { c.stepped(now, a) })
		return
	}
	c.stepped(now, a)
}

func (c *Conn) stepped(now time.Time, a *hook.Auth) {
	v, r := c.chain.OnAuth(context.Background(), a)
	if v.Decision != hook.OK {
		if v.Code == 0 {
			v.Code = mqtt.NotAuthorized
		}
		if !a.Again {
			c.refuse(now, v)
			return
		}
		cl := c.lock()
		c.srv.Log.Warn("re-authentication refused", c.who("reason", v.Reason)...)
		if !c.ended {
			c.m.Disconnect(v.Code, v.ReasonString)
			c.finish(now, errEnded, true)
		}
		c.unlock(cl)
		return
	}
	if r == nil {
		r = &hook.AuthResult{}
	}
	next := session.Step{Data: r.Data, ReasonString: r.ReasonString, UserProperties: r.UserProperties}
	cl := c.lock()
	var p *packet.Connect
	if c.auth != nil {
		p = c.auth.connect
	}
	switch {
	case c.ended:
	case r.Continue:
		c.m.Challenge(next)
	case p != nil:
		c.auth.connect, c.auth.last = nil, r.Data
		c.m.Authenticated(session.Step{})
	default:
		c.m.Authenticated(next)
	}
	after := c.Flush(now)
	ready := !c.ended && c.m.Phase() == session.Connecting
	c.unlock(cl)
	if after != nil {
		after()
	}
	if ready && p != nil {
		c.register(now, p)
	}
}
