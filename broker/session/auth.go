package session

import (
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// auth takes one step of enhanced authentication: the answer to our challenge,
// or a connected client's wish to authenticate again.
//
// Spec: MQTT 5.0 §3.15, §4.12 [MQTT-4.12.0-5], [MQTT-4.12.1-1].
func (m *Machine) auth(p *packet.Auth) (Event, error) {
	const op = "session: auth"
	if m.authMethod == "" {
		return Event{}, mqtt.Errorf(op, mqtt.ProtocolError, "AUTH without an authentication method in CONNECT")
	}
	if p.Method != m.authMethod {
		return Event{}, mqtt.Errorf(op, mqtt.ProtocolError, "authentication method %q, CONNECT named %q", p.Method, m.authMethod)
	}
	switch {
	case m.phase == Connected && p.Code == mqtt.Reauthenticate:
		m.phase = Reauthing
	case m.phase != Connected && p.Code == mqtt.ContinueAuthentication:
	default:
		return Event{}, mqtt.Errorf(op, mqtt.ProtocolError, "reason code %s while %s", p.Code, m.phase)
	}
	return Event{Kind: WantAuth, Packet: p}, nil
}

// AuthMethod returns the authentication method of CONNECT, "" for none.
func (m *Machine) AuthMethod() string { return m.authMethod }

// Step is what the broker sends with an AUTH packet.
type Step struct {
	Data           []byte
	ReasonString   string // left out when the client asked for no problem information
	UserProperties []mqtt.UserProperty
}

// Challenge asks the client for another step.
func (m *Machine) Challenge(s Step) { m.sendAuth(mqtt.ContinueAuthentication, s) }

// Authenticated ends enhanced authentication: the caller goes on to register
// the client, or, when it was connected already, it is told so.
func (m *Machine) Authenticated(s Step) {
	if m.phase == Reauthing {
		m.phase = Connected
		m.sendAuth(mqtt.Success, s)
		return
	}
	m.phase = Connecting
}

// sendAuth sends an AUTH packet. What only explains is left out when the client
// asked for no problem information, or when it would not fit.
//
// Spec: MQTT 5.0 §3.15.2.2, §3.1.2.11.7 [MQTT-3.1.2-29].
func (m *Machine) sendAuth(code mqtt.ReasonCode, s Step) {
	p := packet.Auth{Code: code, HasMethod: true, Method: m.authMethod, Data: s.Data}
	if !m.noProblemInfo {
		p.ReasonString, p.UserProperties = s.ReasonString, s.UserProperties
	}
	if m.maxPacket > 0 && p.Size(m.version) > m.maxPacket {
		p.ReasonString, p.UserProperties = "", nil
	}
	m.send(&p)
	m.did().code(packet.TypeAuth, code)
}
