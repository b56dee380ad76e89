package subtrie

import "github.com/lunemq/lunemq/broker/mqtt"

// Flags are the yes-or-no options of a subscription.
type Flags uint8

// Bits of Flags, named as the fields of mqtt.Subscription.
const (
	NoLocal Flags = 1 << iota
	RetainAsPublished
	UpgradeQoS
)

// Options is a subscription as the table keeps it: 8 bytes. What is decided
// when subscribing, such as retain handling, is not kept. Immutable.
//
// Spec: MQTT 5.0 §3.8.3.1.
type Options struct {
	ID    uint32 // subscription identifier, 0 = none
	QoS   mqtt.QoS
	Flags Flags
}

// OptionsOf takes what routing needs from a subscription.
func OptionsOf(sub mqtt.Subscription) Options {
	o := Options{ID: sub.ID, QoS: sub.QoS}
	if sub.NoLocal {
		o.Flags |= NoLocal
	}
	if sub.RetainAsPublished {
		o.Flags |= RetainAsPublished
	}
	if sub.UpgradeQoS {
		o.Flags |= UpgradeQoS
	}
	return o
}

// NoLocal reports whether the subscriber's own messages are kept from it.
func (o Options) NoLocal() bool { return o.Flags&NoLocal != 0 }

// RetainAsPublished reports whether RETAIN goes out as it came in.
func (o Options) RetainAsPublished() bool { return o.Flags&RetainAsPublished != 0 }

// UpgradeQoS reports whether messages published with less are delivered with
// QoS.
func (o Options) UpgradeQoS() bool { return o.Flags&UpgradeQoS != 0 }
