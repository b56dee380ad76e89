package session

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/topic"
)

// connect checks a CONNECT against the limits and sets the connection's
// parameters from it. The broker answers with Accept or Refuse.
//
// Errors: ClientIdentifierNotValid (too long, or empty where the version
// forbids it), UnspecifiedError for a keep alive above max_keepalive in 3.x,
// TopicNameInvalid, QoSNotSupported, RetainNotSupported for the will.
//
// Spec: MQTT 5.0 §3.1; MQTT 3.1.1 §3.1.
func (m *Machine) connect(p *packet.Connect) (Event, error) {
	const op = "session: connect"
	m.version = p.Version
	m.phase = Connecting
	m.noProblemInfo, m.bridge = p.NoProblemInfo, p.Bridge
	m.maxPacket = int(p.MaximumPacketSize)
	m.aliasMax = min(int(p.TopicAliasMaximum), m.cfg.TopicAliasMaxBroker)
	m.authMethod = p.AuthMethod
	if err := m.checkClientID(p); err != nil {
		return Event{}, err
	}
	m.keepAlive = time.Duration(p.KeepAlive) * time.Second
	if limit := m.cfg.MaxKeepAlive; limit > 0 && (p.KeepAlive == 0 || int(p.KeepAlive) > limit) {
		if p.Version != mqtt.V5 {
			return Event{}, mqtt.Errorf(op, mqtt.ClientIdentifierNotValid, "keep alive of %d s is above max_keepalive = %d", p.KeepAlive, limit)
		}
		m.keepAlive = time.Duration(limit) * time.Second
	}
	if w := p.Will; w != nil {
		if err := topic.ValidateName(w.Topic, m.cfg.TopicMaxDepth); err != nil {
			return Event{}, err
		}
		if int(w.QoS) > m.cfg.MaxQoS { // [MQTT-3.2.2-12]
			return Event{}, mqtt.Errorf(op, mqtt.QoSNotSupported, "will has QoS %d, max_qos is %d", w.QoS, m.cfg.MaxQoS)
		}
		if w.Retain && !m.cfg.RetainAvailable { // [MQTT-3.2.2-13]
			return Event{}, mqtt.Errorf(op, mqtt.RetainNotSupported, "will is retained, retain_available is off")
		}
	}
	m.params = m.defaults(p)
	if p.AuthMethod != "" {
		m.phase = Authenticating
	}
	return Event{Kind: WantConnect, Packet: p}, nil
}

// checkClientID: an empty identifier needs a clean session in 3.1.1 and is
// refused in 3.1; in 5.0 the broker assigns one.
//
// Spec: MQTT 5.0 §3.1.3.1; MQTT 3.1.1 §3.1.3.1 [MQTT-3.1.3-7], [MQTT-3.1.3-8].
func (m *Machine) checkClientID(p *packet.Connect) error {
	const op = "session: connect"
	if len(p.ClientID) > m.cfg.MaxClientIDSize {
		return mqtt.Errorf(op, mqtt.ClientIdentifierNotValid, "client identifier %.40q... has %d bytes, max_client_id_size is %d", p.ClientID, len(p.ClientID), m.cfg.MaxClientIDSize)
	}
	if p.ClientID == "" && (p.Version == mqtt.V31 || p.Version == mqtt.V311 && !p.CleanStart) {
		return mqtt.Errorf(op, mqtt.ClientIdentifierNotValid, "client identifier is empty")
	}
	return nil
}

// defaults are the parameters before hooks have changed them.
func (m *Machine) defaults(p *packet.Connect) Params {
	c := m.cfg
	d := Params{
		MaxInflight:    c.MaxInflight,
		ReceiveMaximum: maxID,
		MaxMessageSize: int(c.MaxMessageSize),
		UpgradeQoS:     c.UpgradeQoS,
		RetryInterval:  c.RetryInterval,
		Online:         queue.Limits{Messages: c.MaxOnline, Bytes: int(c.MaxQueueBytes), LIFO: c.QueueType == "lifo"},
	}
	if p.Version == mqtt.V5 {
		d.MaxInflight, d.ReceiveMaximum, d.RetryInterval = c.ReceiveMaxClient, c.ReceiveMaxBroker, 0
		if p.ReceiveMaximum > 0 {
			d.MaxInflight = min(d.MaxInflight, int(p.ReceiveMaximum)) // [MQTT-4.9.0-1]
		}
	}
	if d.MaxInflight == 0 {
		d.MaxInflight = maxID
	}
	return d
}

// OfflineLimits are those of a session without a connection.
func (c *Config) OfflineLimits() queue.Limits {
	return queue.Limits{Messages: c.MaxOffline, Bytes: int(c.MaxQueueBytes), LIFO: c.QueueType == "lifo"}
}

// SessionExpiry is how long the session of this CONNECT outlives its
// connection: 5.0 by its property, 3.x without clean session by
// persistent_client_expiration.
//
// Spec: MQTT 5.0 §3.1.2.11.2; MQTT 3.1.1 §3.1.2.4.
func (c *Config) SessionExpiry(p *packet.Connect) time.Duration {
	if p.Version == mqtt.V5 {
		return expiry(p.SessionExpiry)
	}
	if p.CleanStart {
		return 0
	}
	if limit, ok := c.PersistentExpiry.Limit(); ok && limit > 0 {
		return limit
	}
	return store.Forever
}

// expiry turns the wire's seconds into a duration.
func expiry(seconds uint32) time.Duration {
	if seconds == 0xFFFFFFFF {
		return store.Forever
	}
	return time.Duration(seconds) * time.Second
}

// Accepted is what Accept tells the client beside the limits.
type Accepted struct {
	SessionPresent bool
	AssignedID     string        // 5.0: the identifier we chose, "" if the client did
	SessionExpiry  time.Duration // as granted
	Asked          time.Duration // as the client asked; told in CONNACK if it differs
	KeepAlive      uint16        // as the client asked, seconds
	AuthData       []byte        // last step of enhanced authentication
	UserProperties []mqtt.UserProperty
	Shared         bool // shared subscriptions are available
}

// Accept answers CONNECT with success, attaches the session and sends again
// what was in flight. Whoever calls it then calls Flow. b takes the completion
// of what is above max_online_messages.
//
// Spec: MQTT 5.0 §3.2, §4.4 [MQTT-4.4.0-1], [MQTT-4.4.0-2].
func (m *Machine) Accept(now time.Time, st *State, a Accepted, b *store.Batch) {
	ack := packet.Connack{SessionPresent: a.SessionPresent, UserProperties: a.UserProperties}
	if m.version == mqtt.V5 {
		m.announce(&ack, a)
	}
	m.st, m.phase = st, Connected
	m.fit(&ack)
	m.send(&ack)
	m.did().code(packet.TypeConnack, mqtt.Success)
	m.lastReceive, m.resume = now, true
	st.window.each(func(f *inflight) { f.onWire = false })
	if m.params.RetryInterval > 0 {
		m.nextRetry = now.Add(m.params.RetryInterval)
	}
	if !m.cfg.OverrideOnline {
		m.trim(b)
	}
}

// trim applies max_online_messages to the backlog of a client that returns.
func (m *Machine) trim(b *store.Batch) {
	st, limit := m.st, m.params.Online
	if n, _ := st.Queued(); st.backlog.count > 0 {
		if limit.Messages >= 0 {
			st.backlog.drop = max(0, n-limit.Messages)
		}
		return
	}
	st.Queue.Trim(limit, func(it mqtt.Queued) { m.Drop(it, mqtt.DropQueueFull, b) })
}

// announce fills the properties of CONNACK; what is at the standard's default
// is left out.
//
// Spec: MQTT 5.0 §3.2.2.3.
func (m *Machine) announce(ack *packet.Connack, a Accepted) {
	c := m.cfg
	ack.AssignedClientID = a.AssignedID
	if a.SessionExpiry != a.Asked {
		ack.HasSessionExpiry, ack.SessionExpiry = true, Seconds(a.SessionExpiry)
	}
	if m.params.ReceiveMaximum < maxID {
		ack.ReceiveMaximum = uint16(m.params.ReceiveMaximum)
	}
	if c.MaxQoS < 2 {
		ack.HasMaximumQoS, ack.MaximumQoS = true, mqtt.QoS(c.MaxQoS)
	}
	ack.RetainUnavailable = !c.RetainAvailable
	ack.SharedUnavailable = !a.Shared
	if limit := m.PacketLimit(); limit < packet.MaxRemaining {
		ack.MaximumPacketSize = uint32(limit)
	}
	ack.TopicAliasMaximum = uint16(c.TopicAliasMaxClient)
	if ka := uint16(m.keepAlive / time.Second); ka != a.KeepAlive {
		ack.HasServerKeepAlive, ack.ServerKeepAlive = true, ka // [MQTT-3.1.2-21]
	}
	if m.authMethod != "" {
		ack.AuthMethod, ack.AuthData = m.authMethod, a.AuthData
	}
}

// Seconds turns a session expiry interval into the wire's seconds.
func Seconds(d time.Duration) uint32 {
	if d >= 0xFFFFFFFF*time.Second {
		return 0xFFFFFFFF
	}
	return uint32(d / time.Second)
}

// PacketLimit is the largest packet accepted on this connection, in bytes: the
// smaller of max_packet_size and a set max_message_size.
func (m *Machine) PacketLimit() int {
	limit := int(m.cfg.MaxPacketSize)
	if s := m.params.MaxMessageSize; s > 0 {
		limit = min(limit, s)
	}
	return limit
}

// Refuse answers CONNECT with an error code. The phase is Ended afterwards.
//
// Spec: MQTT 5.0 §3.2.2.2 [MQTT-3.2.2-6]; MQTT 3.1.1 §3.2.2.3.
func (m *Machine) Refuse(code mqtt.ReasonCode, reason string) {
	ack := packet.Connack{Code: code}
	if !m.noProblemInfo {
		ack.ReasonString = reason
	}
	m.refuse(&ack)
}

// RefuseMoved is Refuse with a server reference and reason string of a hook.
func (m *Machine) RefuseMoved(code mqtt.ReasonCode, reason, server string) {
	ack := packet.Connack{Code: code, ServerReference: server}
	if !m.noProblemInfo {
		ack.ReasonString = reason
	}
	m.refuse(&ack)
}

func (m *Machine) refuse(ack *packet.Connack) {
	if m.version == 0 {
		m.version = mqtt.V5
	}
	m.fit(ack)
	m.send(ack)
	m.did().code(packet.TypeConnack, ack.Code)
	m.phase = Ended
}

// fit leaves out what would make CONNACK larger than the client accepts.
//
// Spec: MQTT 5.0 §3.2.2.3.9 [MQTT-3.2.2-19], §3.2.2.3.10 [MQTT-3.2.2-20].
func (m *Machine) fit(ack *packet.Connack) {
	tooLarge := func() bool { return m.version == mqtt.V5 && m.maxPacket > 0 && ack.Size(m.version) > m.maxPacket }
	if tooLarge() {
		ack.ReasonString = ""
	}
	if tooLarge() {
		ack.UserProperties = nil
	}
	if tooLarge() {
		ack.ServerReference = ""
	}
}
