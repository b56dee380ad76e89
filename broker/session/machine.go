package session

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
)

// EventKind says what a packet asks of the broker.
type EventKind uint8

// Kinds of Event, with the packet each carries.
const (
	None            EventKind = iota // the machine has dealt with it
	WantConnect                      // *packet.Connect: authenticate, register, then Accept or Refuse
	WantAuth                         // *packet.Auth: one step of enhanced authentication
	WantPublish                      // *packet.Publish: authorise and route; QoS > 0: then Settle Slot
	WantSubscribe                    // *packet.Subscribe: then SettleSubscribe Slot
	WantUnsubscribe                  // *packet.Unsubscribe: then SettleUnsubscribe Slot
	WantSettle                       // an answer rests on the batch: Settle Slot when it is committed
	WantDisconnect                   // *packet.Disconnect: the client leaves; its will counts if its code says so
)

// Event is what one packet asks of the broker. Packet is valid until the next
// packet is decoded.
type Event struct {
	Kind   EventKind
	Slot   Slot
	Packet packet.Packet
	Topic  string // WantPublish: topic name, alias resolved; valid as long as Packet
}

// Params are the limits of one connection: the configuration as modified by
// hooks and by what the client announced.
type Params struct {
	MaxInflight    int // QoS 1 and 2 messages in flight to the client
	ReceiveMaximum int // 5.0: unacknowledged messages from the client
	MaxMessageSize int // bytes of a PUBLISH packet, 0 = no own limit
	Online         queue.Limits
	UpgradeQoS     bool
	RetryInterval  time.Duration
	Lifetime       time.Duration // the connection is closed after it, 0 = never
}

// Machine is one connection's run over a session. Owned by the holder of the
// client's lock. Its zero value is not ready; use NewMachine.
type Machine struct {
	cfg    *Config
	params Params
	st     *State
	phase  Phase

	version       mqtt.Version
	keepAlive     time.Duration // 0 = off
	noProblemInfo bool
	bridge        bool // no local and retain as published for all its subscriptions
	maxPacket     int  // of the client, 0 = no limit
	authMethod    string
	lastReceive   time.Time
	opened        time.Time
	nextRetry     time.Time
	retryMark     uint64 // sequence numbers below were sent before the last retry

	responses responses
	awaiting  int // inbound QoS 1 and 2 not acknowledged, against the receive maximum
	onWire    int // outgoing messages sent on this connection and not completed
	assigning int // of these, whose identifier is on its way to the store
	resume    bool
	assigns   bool // since the last Flow, identifiers were put on their way
	vets      bool // see Vet
	aliasIn   map[uint16]string
	aliasOut  map[string]uint16
	aliasMax  int // aliases we may use towards the client

	out   []byte
	taken int    // bytes of out already on their way
	tally *Tally // nil = nothing was done
}

// NewMachine returns the machine of a connection opened at now.
func NewMachine(cfg *Config, now time.Time) *Machine {
	return &Machine{cfg: cfg, opened: now, lastReceive: now}
}

// Phase returns how far the connection has come.
func (m *Machine) Phase() Phase { return m.phase }

// Version returns the protocol version, 0 before CONNECT.
func (m *Machine) Version() mqtt.Version { return m.version }

// Params returns the limits in force.
func (m *Machine) Params() *Params { return &m.params }

// Speak sets the version answers are encoded in before a CONNECT has been
// accepted: that of a CONNECT that could not be.
func (m *Machine) Speak(v mqtt.Version) { m.version = v }

// KeepAlive returns the keep alive in force, 0 = off.
func (m *Machine) KeepAlive() time.Duration { return m.keepAlive }

// Receive takes one decoded packet. What must be stored because of it goes
// into b; if an event names a Slot, the broker answers it after b is
// committed. An error is a *mqtt.Error after which the connection must end,
// see Fail.
func (m *Machine) Receive(now time.Time, p packet.Packet, b *store.Batch) (Event, error) {
	m.lastReceive = now
	t := p.Type()
	if !mayArrive(m.phase, t) {
		return Event{}, mqtt.Errorf("session: receive", mqtt.ProtocolError, "%s while %s", t, m.phase)
	}
	switch p := p.(type) {
	case *packet.Publish:
		return m.publish(p)
	case *packet.Puback:
		return Event{}, m.puback(now, p, b)
	case *packet.Pubrec:
		return m.pubrec(now, p, b)
	case *packet.Pubrel:
		return m.pubrel(p, b)
	case *packet.Pubcomp:
		return Event{}, m.pubcomp(now, p, b)
	case *packet.Pingreq:
		m.send(&packet.Pingresp{})
		return Event{}, nil
	case *packet.Subscribe:
		return m.subscribe(p)
	case *packet.Unsubscribe:
		return m.unsubscribe(p)
	case *packet.Connect:
		return m.connect(p)
	case *packet.Auth:
		return m.auth(p)
	case *packet.Disconnect:
		return m.disconnect(p)
	}
	return Event{}, mqtt.Errorf("session: receive", mqtt.ProtocolError, "%s from a client", t)
}

// Fail says goodbye because of err: CONNACK before the connection was
// accepted, DISCONNECT after, nothing where the version has no such packet.
//
// Spec: MQTT 5.0 §4.13.
func (m *Machine) Fail(err *mqtt.Error) {
	switch m.phase {
	case Connected, Reauthing:
		m.Disconnect(err.Code, "")
	case AwaitConnect:
		// Nobody who has not spoken MQTT gets an answer, but whoever sent a
		// CONNECT of an unknown version does [MQTT-3.1.2-2].
		if err.Code == mqtt.UnsupportedProtocolVersion || m.version != 0 && m.hasCode(err.Code) {
			m.Refuse(err.Code, "")
		}
	default:
		if m.hasCode(err.Code) {
			m.Refuse(err.Code, "")
		}
	}
	m.phase = Ended
}

// hasCode reports whether CONNACK of the client's version can say what is
// wrong. 3.x has no return code for a malformed packet or a bad will and must
// then close without CONNACK.
//
// Spec: MQTT 3.1.1 §3.1.4 [MQTT-3.1.4-1], §3.2.2.3 [MQTT-3.2.2-6].
func (m *Machine) hasCode(c mqtt.ReasonCode) bool {
	return m.version == mqtt.V5 || c == mqtt.NotAuthorized || packet.ReturnCode(c) != packet.ReturnCode(mqtt.NotAuthorized)
}

// Disconnect appends a DISCONNECT for 5.0 clients; for others only the end of
// the connection tells. The phase is Ended afterwards.
//
// Spec: MQTT 5.0 §3.14.
func (m *Machine) Disconnect(code mqtt.ReasonCode, reason string) {
	if m.version == mqtt.V5 && (m.phase == Connected || m.phase == Reauthing) {
		d := packet.Disconnect{Code: code}
		if !m.noProblemInfo {
			d.ReasonString = reason
		}
		m.send(&d)
		m.did().code(packet.TypeDisconnect, code)
	}
	m.phase = Ended
}

// send encodes one packet behind the output.
func (m *Machine) send(p packet.Packet) {
	m.out = p.Append(m.out, m.version)
	m.did().Sent[p.Type()]++
}

// Output returns the encoded packets not yet taken. Valid until the next call
// of another method.
func (m *Machine) Output() []byte { return m.out[m.taken:] }

// Taken says that the first n bytes of Output are on their way. It returns
// a buffer the machine no longer needs, to be used again elsewhere, or nil.
func (m *Machine) Taken(n int) (spare []byte) {
	m.taken += n
	switch {
	case m.taken == len(m.out):
		spare, m.out, m.taken = m.out[:0], nil, 0
	case m.taken > len(m.out)/2:
		m.out = m.out[:copy(m.out, m.out[m.taken:])]
		m.taken = 0
	}
	return spare
}

// Lend gives the machine an empty buffer to encode into, if it has none.
func (m *Machine) Lend(buf []byte) {
	if m.out == nil {
		m.out = buf[:0]
	}
}

// NeedsBuffer reports whether Lend would be used.
func (m *Machine) NeedsBuffer() bool { return m.out == nil }

// NextDeadline returns the earliest moment at which Deadline must be called,
// zero for none.
func (m *Machine) NextDeadline() time.Time {
	var d time.Time
	add := func(t time.Time) {
		if d.IsZero() || t.Before(d) {
			d = t
		}
	}
	if m.phase < Connected || m.phase == Ended {
		return d
	}
	if m.keepAlive > 0 {
		add(m.lastReceive.Add(m.keepAlive + m.keepAlive/2))
	}
	if m.params.Lifetime > 0 {
		add(m.opened.Add(m.params.Lifetime))
	}
	if !m.nextRetry.IsZero() {
		add(m.nextRetry)
	}
	return d
}

// Excuse counts the keep alive anew from now, for a client whose packets were
// left unread.
func (m *Machine) Excuse(now time.Time) { m.lastReceive = now }

// Deadline does what is due at now. An error ends the connection: keep alive
// expired (KeepAliveTimeout) or lifetime over (AdministrativeAction).
//
// Spec: MQTT 5.0 §3.1.2.10 [MQTT-3.1.2-22].
func (m *Machine) Deadline(now time.Time) error {
	if m.phase < Connected || m.phase == Ended {
		return nil
	}
	if ka := m.keepAlive + m.keepAlive/2; ka > 0 && now.Sub(m.lastReceive) >= ka {
		return mqtt.Errorf("session: keep alive", mqtt.KeepAliveTimeout, "nothing received for %s", ka)
	}
	if m.params.Lifetime > 0 && now.Sub(m.opened) >= m.params.Lifetime {
		return mqtt.Errorf("session: lifetime", mqtt.AdministrativeAction, "max_connection_lifetime of %s is over", m.params.Lifetime)
	}
	if !m.nextRetry.IsZero() && !now.Before(m.nextRetry) {
		m.retry(now)
	}
	return nil
}
