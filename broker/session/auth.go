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

// Challenge asks the client for another step.
func (m *Machine) Challenge(data []byte) {
	m.sendAuth(mqtt.ContinueAuthentication, data)
}

// Authenticated ends enhanced authentication: the caller goes on to register
// the client, or, when it was connected already, tells it so with data.
func (m *Machine) Authenticated(data []byte) {
	if m.phase == Reauthing {
		m.phase = Connected
		m.sendAuth(mqtt.Success, data)
		return
	}
	m.phase = Connecting
}

func (m *Machine) sendAuth(code mqtt.ReasonCode, data []byte) {
	m.send(&packet.Auth{Code: code, Method: m.authMethod, Data: data})
	m.tally.code(packet.TypeAuth, code)
}
