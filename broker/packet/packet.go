package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Type is the control packet type, the high half of the first byte.
//
// Spec: MQTT 5.0 §2.1.2.
type Type uint8

// Control packet types.
const (
	TypeConnect     Type = 1
	TypeConnack     Type = 2
	TypePublish     Type = 3
	TypePuback      Type = 4
	TypePubrec      Type = 5
	TypePubrel      Type = 6
	TypePubcomp     Type = 7
	TypeSubscribe   Type = 8
	TypeSuback      Type = 9
	TypeUnsubscribe Type = 10
	TypeUnsuback    Type = 11
	TypePingreq     Type = 12
	TypePingresp    Type = 13
	TypeDisconnect  Type = 14
	TypeAuth        Type = 15
)

var typeNames = [...]string{"RESERVED", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"}

// String returns the name as in the standard: "CONNECT".
func (t Type) String() string { return typeNames[t&15] }

// MaxRemaining is the largest remaining length a packet can carry.
//
// Spec: MQTT 5.0 §1.5.5.
const MaxRemaining = 268435455

// Packet is one control packet, always a pointer to one of this package's
// structures.
type Packet interface {
	// Type returns the control packet type.
	Type() Type
	// Append appends the whole packet as version v writes it and returns the
	// longer slice. Fields that v does not have are left out.
	Append(dst []byte, v mqtt.Version) []byte
}
