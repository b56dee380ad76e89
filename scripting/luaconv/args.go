package luaconv

import (
	"time"
	"unsafe"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Args makes the argument tables of one State's calls. Owned by the State's
// user; the tables are valid until the State's Reset.
type Args struct {
	state   *sandbox.State
	secrets *Obfuscation

	register  registerArgs
	client    clientArgs
	publish   publishArgs
	deliver   deliverArgs
	subscribe subscribeArgs
	unsub     unsubscribeArgs
	auth      authArgs
	offline   offlineArgs
}

// NewArgs returns the Args of a State. Passwords are handed over obfuscated.
func NewArgs(s *sandbox.State, o *Obfuscation) *Args { return &Args{state: s, secrets: o} }

// identity is what each table says of its client, made once per connection.
type identity struct{ mountpoint, clientID, username lua.LValue }

func identityOf(c *hook.Client) *identity {
	if i, ok := c.Kept().(*identity); ok {
		return i
	}
	i := &identity{mountpoint: lua.LString(c.Key.Mountpoint), clientID: lua.LString(c.Key.ClientID), username: lua.LNil}
	if c.HasUser {
		i.username = lua.LString(c.Username)
	}
	c.Keep(i)
	return i
}

// numbers are small numbers as Lua values, made once.
var numbers = func() (n [256]lua.LValue) {
	for i := range n {
		n[i] = lua.LNumber(i)
	}
	return n
}()

func number(n int) lua.LValue {
	if n >= 0 && n < len(numbers) {
		return numbers[n]
	}
	return lua.LNumber(n)
}

func boolean(b bool) lua.LValue {
	if b {
		return lua.LTrue
	}
	return lua.LFalse
}

// text makes a string of bytes that never change, as those of a message,
// without copying them.
func text(b []byte) lua.LValue { return lua.LString(unsafe.String(unsafe.SliceData(b), len(b))) }

// Shapes by hook; v5 variants have properties.
var (
	publishShape      = &sandbox.Shape{Keys: []string{"username", "mountpoint", "client_id", "qos", "topic", "payload", "retain"}}
	publishShape5     = &sandbox.Shape{Keys: append(publishShape.Keys[:7:7], "properties")}
	subscribeShape    = &sandbox.Shape{Keys: []string{"username", "mountpoint", "client_id", "topics"}}
	subscribeShape5   = &sandbox.Shape{Keys: append(subscribeShape.Keys[:4:4], "properties")}
	authShape         = &sandbox.Shape{Keys: []string{"username", "mountpoint", "client_id", "properties"}}
	clientShape       = &sandbox.Shape{Keys: []string{"addr", "port", "mountpoint", "client_id", "username"}}
	clientShape5      = &sandbox.Shape{Keys: append(clientShape.Keys[:5:5], "properties")}
	offlineShape      = &sandbox.Shape{Keys: []string{"mountpoint", "client_id", "qos", "topic", "payload", "retain"}}
	registerShape     = &sandbox.Shape{Keys: registerKeys("clean_session")}
	registerShape5    = &sandbox.Shape{Keys: append(registerKeys("clean_start"), "properties")}
	registerForwarded = []string{"client_cert", "listener_addr", "listener_port", "listener_type"}
)

func registerKeys(clean string) []string {
	return append([]string{"addr", "port", "mountpoint", "client_id", "username", "password", clean}, registerForwarded...)
}

// common are the first three fields of most tables.
func common(c *hook.Client, i int) lua.LValue {
	id := identityOf(c)
	return [...]lua.LValue{id.username, id.mountpoint, id.clientID}[i]
}

type publishArgs struct{ p *hook.Publish }

// Publish is the argument of auth_on_publish and on_publish.
func (a *Args) Publish(p *hook.Publish) *lua.LTable {
	a.publish.p = p
	return a.state.Lazy(&a.publish)
}

func (a *publishArgs) Shape() *sandbox.Shape {
	if a.p.Client.Version == mqtt.V5 {
		return publishShape5
	}
	return publishShape
}

func (a *publishArgs) Field(s *sandbox.State, i int) lua.LValue {
	if i < 3 {
		return common(a.p.Client, i)
	}
	m := a.p.Message
	v := messageField(s, m, i-3, m.QoS, m.Retain)
	if t, ok := v.(*lua.LTable); ok && a.p.Will {
		if d := a.p.WillDelay; d > 0 {
			t.RawSetString("p_will_delay_interval", lua.LNumber(d/time.Second))
		}
		if d := a.p.WillExpiry; d > 0 {
			t.RawSetString("p_message_expiry_interval", lua.LNumber(d/time.Second))
		}
	}
	return v
}

// messageField is qos, topic, payload, retain, properties.
func messageField(s *sandbox.State, m *mqtt.Message, i int, qos mqtt.QoS, retain bool) lua.LValue {
	switch i {
	case 0:
		return numbers[qos]
	case 1:
		return lua.LString(m.Topic)
	case 2:
		return text(m.Payload)
	case 3:
		return boolean(retain)
	}
	return messageProperties(s, m)
}

type deliverArgs struct{ d *hook.Deliver }

// Deliver is the argument of on_deliver.
func (a *Args) Deliver(d *hook.Deliver) *lua.LTable {
	a.deliver.d = d
	return a.state.Lazy(&a.deliver)
}

func (a *deliverArgs) Shape() *sandbox.Shape { return publishShape5 }

func (a *deliverArgs) Field(s *sandbox.State, i int) lua.LValue {
	if i < 3 {
		return common(a.d.Client, i)
	}
	return messageField(s, a.d.Message, i-3, a.d.QoS, a.d.Retain)
}

type subscribeArgs struct{ q *hook.Subscribe }

// Subscribe is the argument of auth_on_subscribe and on_subscribe.
func (a *Args) Subscribe(q *hook.Subscribe) *lua.LTable {
	a.subscribe.q = q
	return a.state.Lazy(&a.subscribe)
}

func (a *subscribeArgs) Shape() *sandbox.Shape {
	if a.q.Client.Version == mqtt.V5 {
		return subscribeShape5
	}
	return subscribeShape
}

func (a *subscribeArgs) Field(s *sandbox.State, i int) lua.LValue {
	switch {
	case i < 3:
		return common(a.q.Client, i)
	case i == 3:
		return topics(s, a.q)
	}
	return properties(s, &a.q.Properties)
}

type unsubscribeArgs struct{ u *hook.Unsubscribe }

// Unsubscribe is the argument of on_unsubscribe.
func (a *Args) Unsubscribe(u *hook.Unsubscribe) *lua.LTable {
	a.unsub.u = u
	return a.state.Lazy(&a.unsub)
}

func (a *unsubscribeArgs) Shape() *sandbox.Shape {
	if a.u.Client.Version == mqtt.V5 {
		return subscribeShape5
	}
	return subscribeShape
}

func (a *unsubscribeArgs) Field(s *sandbox.State, i int) lua.LValue {
	switch {
	case i < 3:
		return common(a.u.Client, i)
	case i == 3:
		t := table(s, len(a.u.Filters), 0)
		for k, f := range a.u.Filters {
			t.RawSetInt(k+1, str(s, f))
		}
		return t
	}
	return properties(s, &a.u.Properties)
}

type authArgs struct{ a *hook.Auth }

// Auth is the argument of on_auth_m5.
func (a *Args) Auth(q *hook.Auth) *lua.LTable {
	a.auth.a = q
	return a.state.Lazy(&a.auth)
}

func (a *authArgs) Shape() *sandbox.Shape { return authShape }

func (a *authArgs) Field(s *sandbox.State, i int) lua.LValue {
	if i < 3 {
		return common(a.a.Client, i)
	}
	t := table(s, 0, 2)
	t.RawSetString("p_authentication_method", str(s, a.a.Method))
	if a.a.Data != nil {
		t.RawSetString("p_authentication_data", str(s, string(a.a.Data)))
	}
	return t
}

type registerArgs struct {
	r       *hook.Register
	secrets *Obfuscation
}

// Register is the argument of auth_on_register.
func (a *Args) Register(r *hook.Register) *lua.LTable {
	a.register = registerArgs{r, a.secrets}
	return a.state.Lazy(&a.register)
}

func (a *registerArgs) Shape() *sandbox.Shape {
	if a.r.Client.Version == mqtt.V5 {
		return registerShape5
	}
	return registerShape
}

func (a *registerArgs) Field(s *sandbox.State, i int) lua.LValue {
	c := a.r.Client
	if i < 5 {
		return peerField(s, c, i)
	}
	switch i - 5 {
	case 0:
		if a.r.Password == nil {
			return lua.LNil
		}
		return lua.LString(a.secrets.Encrypt(string(a.r.Password)))
	case 1:
		return boolean(a.r.CleanStart)
	case 6:
		return properties(s, &a.r.Properties)
	}
	l := &c.Listener
	if !l.Forward {
		return lua.LNil
	}
	switch i - 5 {
	case 2:
		if l.Cert == nil {
			return lua.LNil
		}
		return lua.LString(l.Cert.Raw)
	case 3:
		return lua.LString(l.Addr.Addr().String())
	case 4:
		return lua.LNumber(l.Addr.Port())
	}
	return lua.LString(l.Type)
}

// peerField is addr, port, mountpoint, client_id, username.
func peerField(_ *sandbox.State, c *hook.Client, i int) lua.LValue {
	id := identityOf(c)
	switch i {
	case 0:
		if !c.Peer.IsValid() {
			return lua.LString("")
		}
		return lua.LString(c.Peer.Addr().String())
	case 1:
		return lua.LNumber(c.Peer.Port())
	case 2:
		return id.mountpoint
	case 3:
		return id.clientID
	}
	return id.username
}

type clientArgs struct {
	c     *hook.Client
	props *hook.Properties
}

// Client is the argument of on_register.
func (a *Args) Client(c *hook.Client, props *hook.Properties) *lua.LTable {
	a.client = clientArgs{c, props}
	return a.state.Lazy(&a.client)
}

func (a *clientArgs) Shape() *sandbox.Shape {
	if a.c.Version == mqtt.V5 {
		return clientShape5
	}
	return clientShape
}

func (a *clientArgs) Field(s *sandbox.State, i int) lua.LValue {
	if i < 5 {
		return peerField(s, a.c, i)
	}
	return properties(s, a.props)
}

type offlineArgs struct {
	key mqtt.SessionKey
	d   mqtt.Delivery
	m   *mqtt.Message
}

// OfflineMessage is the argument of on_offline_message.
func (a *Args) OfflineMessage(key mqtt.SessionKey, d mqtt.Delivery, m *mqtt.Message) *lua.LTable {
	a.offline = offlineArgs{key, d, m}
	return a.state.Lazy(&a.offline)
}

func (a *offlineArgs) Shape() *sandbox.Shape { return offlineShape }

func (a *offlineArgs) Field(s *sandbox.State, i int) lua.LValue {
	switch i {
	case 0:
		return lua.LString(a.key.Mountpoint)
	case 1:
		return lua.LString(a.key.ClientID)
	}
	return messageField(s, a.m, i-2, a.d.QoS, a.d.Retain)
}

// Session is the argument of the hooks that name a session only.
func (a *Args) Session(key mqtt.SessionKey) *lua.LTable {
	t := table(a.state, 0, 2)
	t.RawSetString("mountpoint", str(a.state, key.Mountpoint))
	t.RawSetString("client_id", str(a.state, key.ClientID))
	return t
}
