package conn

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/pressure"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// connect answers a CONNECT: protocol version, enhanced authentication if
// asked for, the hooks, the will, the session. Called without the lock.
func (c *Conn) connect(now time.Time, p *packet.Connect) {
	info := c.info
	info.Version, info.Bridge = p.Version, p.Bridge
	if !info.HasUser { // else the listener has said who it is
		info.Username, info.HasUser = p.Username, p.HasUsername
	}
	if p.ClientID == "" {
		var raw [15]byte
		_, _ = rand.Read(raw[:])
		p.ClientID = "anon-" + base64.RawURLEncoding.EncodeToString(raw[:])
		c.assigned = true
	}
	info.Key = mqtt.SessionKey{Mountpoint: c.door.Mountpoint, ClientID: p.ClientID}
	level := int(p.Version)
	if p.Bridge {
		level |= mqtt.BridgeBit
	}
	if !slices.Contains(c.door.Versions, level) {
		c.refuse(now, hook.Verdict{Code: mqtt.UnsupportedProtocolVersion, Reason: "not among allowed_protocol_versions of " + c.door.Info.Name})
		return
	}
	if c.srv.Pressure.Level() >= pressure.Severe {
		c.refuse(now, hook.Verdict{Code: mqtt.QuotaExceeded, Reason: "memory_limit is nearly reached"})
		return
	}
	if p.AuthMethod != "" {
		c.auth = &authentication{connect: p}
		c.step(now, p.AuthMethod, p.AuthData, false)
		return
	}
	c.register(now, p)
}

// register asks whether the client may connect, unless anonymous clients may.
func (c *Conn) register(now time.Time, p *packet.Connect) {
	judge := c.judge
	blocks := c.chain.BlocksRegister()
	if c.srv.Settings.Load().AllowAnonymous || c.door.Anonymous {
		judge = func(now time.Time, p *packet.Connect) { c.admit(now, p, nil) }
		blocks = false
	}
	if !blocks && (p.Will == nil || !c.chain.BlocksPublish(len(p.Will.Payload))) {
		judge(now, p)
		return
	}
	c.work(func(now time.Time) { judge(now, p) })
}

// judge asks the hooks.
func (c *Conn) judge(now time.Time, p *packet.Connect) {
	r := &hook.Register{Client: c.info, CleanStart: p.CleanStart, Properties: connectProperties(p)}
	if p.HasPassword {
		r.Password = p.Password
	}
	v, mod := c.chain.AuthOnRegister(context.Background(), r)
	if v.Decision != hook.OK {
		c.refuseRegister(now, v)
		return
	}
	c.admit(now, p, mod)
}

// refuseRegister maps a hook's no to what the client sees. Reference 1.10.
func (c *Conn) refuseRegister(now time.Time, v hook.Verdict) {
	switch {
	case v.Code != 0:
	case c.info.Version == mqtt.V5 || v.InvalidCredentials:
		v.Code = mqtt.BadUserNameOrPassword
	default:
		v.Code = mqtt.NotAuthorized
	}
	c.refuse(now, v)
}

// refuse answers CONNECT with an error and ends the connection.
func (c *Conn) refuse(now time.Time, v hook.Verdict) {
	cl := c.lock()
	defer c.unlock(cl)
	if c.ended {
		return
	}
	c.srv.Log.Warn("client refused", c.who("reason_code", v.Code.String(), "reason", v.Reason)...)
	c.m.RefuseMoved(v.Code, v.ReasonString, v.ServerReference)
	c.finish(now, errEnded, false)
}

func connectProperties(p *packet.Connect) hook.Properties {
	h := hook.Properties{User: p.UserProperties, AuthMethod: p.AuthMethod, AuthData: p.AuthData, ReceiveMaximum: p.ReceiveMaximum,
		MaxPacketSize: p.MaximumPacketSize}
	if p.HasSessionExpiry {
		h.SessionExpiry = &p.SessionExpiry
	}
	if p.HasTopicAliasMaximum {
		h.TopicAliasMax = &p.TopicAliasMaximum
	}
	if p.HasRequestResponseInfo {
		h.RequestResponse = &p.RequestResponseInfo
	}
	if p.HasRequestProblemInfo {
		wanted := !p.NoProblemInfo
		h.RequestProblem = &wanted
	}
	return h
}

// admit checks the will and gives the client its session, which may have to be
// read first. mod may be nil.
//
// Spec: MQTT 5.0 §3.1.4; quirk 28: a refused will costs nobody his session.
func (c *Conn) admit(now time.Time, p *packet.Connect, mod *hook.RegisterResult) {
	cfg := c.srv.Settings.Load().Session
	params := *c.m.Params()
	params.Lifetime = c.door.Lifetime
	asked := cfg.SessionExpiry(p)
	reg := registry.Connection{Attachment: c, Info: c.info, CleanStart: p.CleanStart, Expiry: asked, Offline: cfg.OfflineLimits(),
		SuppressWills: cfg.SuppressTakeover}
	if mod != nil {
		applyRegister(mod, &reg, &params, p)
	}
	will, v := c.will(now, p, reg.Expiry, cfg)
	if v.Decision != hook.OK {
		c.explain("will", p.Will.Topic, v)
		if v.Code == 0 {
			v.Code = mqtt.NotAuthorized
		}
		c.refuse(now, v)
		return
	}
	reg.Will = will
	if c.srv.Gate.Opened() {
		c.attach(now, p, mod, reg, params, asked)
		return
	}
	c.work(func(time.Time) {
		err := c.srv.Fetch(reg.Info.Key, reg.CleanStart || reg.Expiry == 0)
		if now := time.Now(); err != nil {
			c.refuse(now, hook.Verdict{Code: mqtt.ServerUnavailable, Reason: err.Error()})
		} else {
			c.attach(now, p, mod, reg, params, asked)
		}
	})
}

// attach gives the client its session and answers once that is stored. mod may
// be nil; asked is the session expiry interval of the CONNECT.
func (c *Conn) attach(now time.Time, p *packet.Connect, mod *hook.RegisterResult, reg registry.Connection, params session.Params, asked time.Duration) {
	cfg := c.srv.Settings.Load().Session
	var b store.Batch
	c.pre.Lock()
	if c.ended { // timed out or closed meanwhile
		c.pre.Unlock()
		return
	}
	*c.m.Params() = params
	c.busy += 2 // accept and ready
	c.pre.Unlock()
	reg.Ready = c.ready
	client, present, flush := c.srv.Registry.Attach(now, reg, &b)
	c.lock() // the client's
	gone := c.ended
	if gone {
		c.busy--
	}
	c.unlock(client)
	if gone {
		b.Submit(c.srv.Store, c.srv.committed)
		flush()
		c.detach(now, true)
		return
	}
	most := cfg.MaxMessageRate
	if mod != nil {
		set(&most, mod.MaxMessageRate)
		c.choose(mod.SharedSubscriptionPolicy)
	}
	if most > 0 {
		c.bounds().published.limit = most
	}
	a := session.Accepted{SessionPresent: present, SessionExpiry: reg.Expiry, Asked: asked, KeepAlive: p.KeepAlive, Shared: true}
	if c.assigned {
		a.AssignedID = p.ClientID
	}
	if c.auth != nil {
		a.AuthData = c.auth.last
	}
	if mod != nil {
		a.UserProperties = mod.UserProperties
	}
	props := connectProperties(p)
	c.chain.OnRegister(c.info, &props)
	if b.Empty() {
		c.accept(now, a, nil)
		return
	}
	c.srv.Metrics.StoreCommits.Inc(1)
	b.Submit(c.srv.Store, func(err error) {
		c.accept(time.Now(), a, err)
		c.ec.Wake()
	})
	flush()
}

// accept answers CONNECT once the session is stored and lets input go on.
func (c *Conn) accept(now time.Time, a session.Accepted, err error) {
	var groups []mqtt.Share
	cl := c.lock()
	c.busy--
	idle := c.rests()
	defer idle()
	switch {
	case c.ended || !cl.Attached(c):
		c.unlock(cl)
		return
	case err != nil:
		// The client is refused: it has no session, and its will was not accepted.
		if !a.SessionPresent {
			cl.Session().Expiry = 0
		}
		e := mqtt.Errorf("conn: store", mqtt.ServerUnavailable, "%v", err)
		c.logFail(e)
		c.m.Fail(e)
		c.finish(now, e, false)
	default:
		c.lend()
		c.m.Accept(now, cl.Session(), a, &c.own)
		groups = shares(cl.Session().Subscriptions())
		cl.Accepted()
		c.srv.count(c.door, 1)
		c.counted = true
		c.largest = c.m.PacketLimit()
		c.srv.Log.Info("client connected", c.who("version", c.info.Version.String(), "session_present", a.SessionPresent)...)
	}
	c.rearm()
	after := c.flushAside(now)
	c.unlock(cl)
	if after != nil {
		after()
	}
	for _, g := range groups {
		if !c.srv.Gate.before(func() { c.srv.collect(time.Now(), c.info.Key.Mountpoint, g) }) {
			c.srv.collect(now, c.info.Key.Mountpoint, g)
		}
	}
}

// will makes the message of the will and asks whether it may be published.
func (c *Conn) will(now time.Time, p *packet.Connect, expiry time.Duration, cfg *session.Config) (*mqtt.Will, hook.Verdict) {
	w := p.Will
	if w == nil {
		return nil, hook.Accept
	}
	m := &mqtt.Message{Mountpoint: c.info.Key.Mountpoint, Topic: w.Topic, Payload: w.Payload, Properties: w.Properties, Publisher: c.info.Key, QoS: w.QoS, Retain: w.Retain}
	will := &mqtt.Will{Message: m, Delay: time.Duration(w.Delay) * time.Second}
	if w.HasMessageExpiry {
		will.Expiry = time.Duration(w.MessageExpiry) * time.Second
	}
	v, mod := c.authorise(&hook.Publish{Client: c.info, Message: m, Will: true, WillDelay: will.Delay, WillExpiry: will.Expiry})
	if v.Decision != hook.OK {
		return nil, v
	}
	if mod != nil {
		c.modify(now, m, mod)
		set(&will.Expiry, mod.Expiry) // from its publication on
		set(&will.Delay, mod.WillDelay)
		m.Expires = time.Time{}
	}
	if limit, ok := cfg.MaxWillDelay.Limit(); ok {
		will.Delay = min(will.Delay, limit)
	}
	will.Delay = min(will.Delay, expiry)
	return will, hook.Accept
}
