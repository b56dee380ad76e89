package mqtt

// Version is the protocol level byte of CONNECT without the bridge bit.
//
// Spec: MQTT 5.0 §3.1.2.2; MQTT 3.1.1 §3.1.2.2.
type Version uint8

// Protocol levels.
const (
	V31  Version = 3 // MQTT 3.1, protocol name "MQIsdp"
	V311 Version = 4 // MQTT 3.1.1
	V5   Version = 5 // MQTT 5.0
)

// BridgeBit is set by bridges in the level byte (131 = 3.1, 132 = 3.1.1). Such
// a client gets its own messages back suppressed and the RETAIN flag kept.
const BridgeBit = 0x80

// String returns the version as written in documents: "3.1", "3.1.1", "5.0".
func (v Version) String() string {
	switch v {
	case V31:
		return "3.1"
	case V311:
		return "3.1.1"
	case V5:
		return "5.0"
	}
	return "unknown"
}

// QoS is a quality of service level, 0 to 2.
//
// Spec: MQTT 5.0 §4.3.
type QoS uint8

// Quality of service levels.
const (
	AtMostOnce  QoS = 0
	AtLeastOnce QoS = 1
	ExactlyOnce QoS = 2
)
