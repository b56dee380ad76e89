package metric

// Versioned counts one kind of packet or event apart for clients of MQTT 3.1
// and 3.1.1 (label mqtt_version="4") and of 5.0 ("5"). Safe for concurrent use.
type Versioned struct{ V4, V5 Counter }

// For returns the counter of the version.
func (v *Versioned) For(v5 bool) *Counter {
	if v5 {
		return &v.V5
	}
	return &v.V4
}

// Coded counts packets that exist in 5.0 only by their reason code. Codes that
// the standard does not permit for the packet are counted together, under the
// label "other". Safe for concurrent use.
type Coded struct{ codes [256]Counter }

// For returns the counter of a reason code.
func (c *Coded) For(code uint8) *Counter { return &c.codes[code] }

// Reasoned counts packets that carry a reason code in 5.0 and none before:
// For(code) for 5.0, V4 for 3.1 and 3.1.1. Safe for concurrent use.
type Reasoned struct {
	V4 Counter
	Coded
}

// ForVersion returns the counter of the version; code matters for 5.0 only.
func (r *Reasoned) ForVersion(v5 bool, code uint8) *Counter {
	if v5 {
		return &r.codes[code]
	}
	return &r.V4
}

// Connacks counts CONNACK packets: For(code) by reason code for 5.0,
// ForReturn by return code for 3.1 and 3.1.1. Safe for concurrent use.
type Connacks struct {
	Coded
	returns [8]Counter
}

// ForReturn returns the counter of a return code of MQTT 3.1.1, 0 to 5.
//
// Spec: MQTT 3.1.1 §3.2.2.3.
func (c *Connacks) ForReturn(code uint8) *Counter { return &c.returns[code&7] }

// Drops counts copies dropped by reason. Safe for concurrent use.
type Drops struct{ reasons [16]Counter }

// dropReasons are the label values of messages_dropped by index. An index once
// given never changes: it is part of an OID.
var dropReasons = [...]string{
	"none", "queue_full", "expired", "session_ended", "no_permission", "max_packet_size_exceeded",
	"output_full", "offline", "operator", "store_failed", "client_rejected", "hook",
}

// DropReasons returns the names of the reasons by index; 0, "none", is not a
// reason.
func DropReasons() []string { return append([]string(nil), dropReasons[:]...) }

// For returns the counter of a reason, an index of DropReasons. An unknown
// one counts as "none", so that nothing is lost.
func (d *Drops) For(reason int) *Counter {
	if uint(reason) >= uint(len(dropReasons)) {
		reason = 0
	}
	return &d.reasons[reason]
}
