package session

import "github.com/lunemq/lunemq/broker/packet"

// Phase is how far a connection has come.
type Phase uint8

// Phases of a connection.
const (
	AwaitConnect   Phase = iota // nothing has arrived
	Authenticating              // enhanced authentication before CONNACK
	Connecting                  // the broker decides; nothing is read
	Connected                   // CONNACK was sent
	Reauthing                   // connected, and enhanced authentication runs again
	Ended                       // nothing more is sent or accepted
)

var phaseNames = [...]string{"await connect", "authenticating", "connecting", "connected", "reauthenticating", "ended"}

// String returns the phase in words.
func (p Phase) String() string { return phaseNames[p] }

// allowed is the one table of what may arrive in which phase; everything else
// is a protocol error. AUTH needs an authentication method besides, see
// auth.go.
//
// Spec: MQTT 5.0 §3.1.0-1 [MQTT-3.1.0-1], [MQTT-3.1.0-2], §4.12, §4.12.1.
var allowed = [...]uint16{
	AwaitConnect:   bit(packet.TypeConnect),
	Authenticating: bit(packet.TypeAuth) | bit(packet.TypeDisconnect),
	Connecting:     0,
	Connected:      clientPackets,
	Reauthing:      clientPackets,
	Ended:          0,
}

const clientPackets = 1<<packet.TypePublish | 1<<packet.TypePuback | 1<<packet.TypePubrec | 1<<packet.TypePubrel |
	1<<packet.TypePubcomp | 1<<packet.TypeSubscribe | 1<<packet.TypeUnsubscribe | 1<<packet.TypePingreq |
	1<<packet.TypeDisconnect | 1<<packet.TypeAuth

func bit(t packet.Type) uint16 { return 1 << t }

// mayArrive reports whether t may arrive in phase p.
func mayArrive(p Phase, t packet.Type) bool { return allowed[p]&bit(t) != 0 }
