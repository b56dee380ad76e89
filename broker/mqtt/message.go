package mqtt

import (
	"sync/atomic"
	"time"
)

// SessionKey identifies a session: two clients with one client identifier
// under different mountpoints are strangers to each other. Comparable.
type SessionKey struct {
	Mountpoint string
	ClientID   string
}

// Message is an application message. Immutable from the moment it is given to
// the router: all receivers share its slices.
//
// Spec: MQTT 5.0 §1.2, §3.3.
type Message struct {
	Mountpoint string // "" is the default one; never seen by clients
	Topic      string // topic name without the mountpoint, no wildcards
	Payload    []byte
	// Properties are the MQTT 5.0 properties that travel with the message
	// (payload format, content type, response topic, correlation data, user
	// properties) as encoded on the wire without their length, in the order of
	// the publisher; nil when there are none. Package packet reads and writes
	// them.
	Properties []byte
	Expires    time.Time  // the moment the message expires; zero = never
	Publisher  SessionKey // for no local; zero for messages of the broker itself
	QoS        QoS        // as published
	Retain     bool       // RETAIN as published
}

// Expired reports whether the message's time has passed.
func (m *Message) Expired(now time.Time) bool {
	return !m.Expires.IsZero() && !now.Before(m.Expires)
}

// Size is the number of bytes the message accounts for in queues: topic,
// payload, properties and a fixed overhead for its structures.
func (m *Message) Size() int {
	return len(m.Topic) + len(m.Payload) + len(m.Properties) + messageOverhead
}

const messageOverhead = 128

// Delivery is what one receiver's subscriptions make of a message: one copy.
//
// Spec: MQTT 5.0 §3.3.2.3.8 (subscription identifiers), §3.3.1.3 (RETAIN).
type Delivery struct {
	QoS            QoS      // granted: min(published, subscribed), or the latter with upgrade_outgoing_qos
	Retain         bool     // RETAIN flag of the outgoing packet
	SubscriptionID uint32   // of a matching subscription, 0 = none has one
	MoreIDs        []uint32 // those of further matching subscriptions; shared, read-only
	Share          *Share   // the share group this copy was made for, nil = none
}

// Share identifies a share group: share name and topic filter. Immutable.
//
// Spec: MQTT 5.0 §4.8.2.
type Share struct {
	Name   string
	Filter string // without "$share/{ShareName}/"
}

// Readiness tells how soon a receiver can send a message on, in rising order.
type Readiness uint8

// Values of Readiness.
const (
	Offline Readiness = iota // no connection: kept, if the session is durable
	Full                     // connected, and the queue has no room
	Busy                     // connected, others wait
	Idle                     // connected, nothing waits
)

// Queued is one message in a session's queue or in flight to its client.
type Queued struct {
	Number   uint64 // order within the session, never repeated
	Message  *Message
	Delivery Delivery
	// Ticket, when not nil, is that of the batch that stores the message. Until
	// the batch has been handed to the store the message is held back: what is
	// stored about it later must come behind.
	Ticket *Ticket
}

// Ticket follows a batch to the store. Safe for concurrent use.
type Ticket struct{ submitted, settled atomic.Bool }

// Submitted says that the store has the batch, in the order of calls.
func (t *Ticket) Submitted() { t.submitted.Store(true) }

// Settled says that the batch is committed, or has failed.
func (t *Ticket) Settled() { t.settled.Store(true) }

// Held reports whether the ticket keeps its message back; nil does not.
func (t *Ticket) Held() bool { return t != nil && !t.submitted.Load() }

// Pending reports whether readers of the store may not see the batch yet; nil
// is not.
func (t *Ticket) Pending() bool { return t != nil && !t.settled.Load() }

// RetainHandling says when a SUBSCRIBE is answered with retained messages.
//
// Spec: MQTT 5.0 §3.8.3.1.
type RetainHandling uint8

// Values of RetainHandling.
const (
	SendRetained      RetainHandling = 0
	SendRetainedIfNew RetainHandling = 1
	DoNotSendRetained RetainHandling = 2
)

// Subscription is a topic filter with its options. Immutable once stored.
//
// Spec: MQTT 5.0 §3.8.3.1; shared subscriptions §4.8.2.
type Subscription struct {
	Filter            string // without "$share/{ShareName}/"
	ShareName         string // "" unless shared
	ID                uint32 // subscription identifier, 0 = none
	QoS               QoS    // maximum QoS granted
	NoLocal           bool
	RetainAsPublished bool
	UpgradeQoS        bool // the session's upgrade_outgoing_qos: deliver with QoS even when published with less
	RetainHandling    RetainHandling
}

// Will is the message published on behalf of a client that vanished. Immutable.
//
// Spec: MQTT 5.0 §3.1.2.5, §3.1.3.2.2.
type Will struct {
	Message *Message      // Expires is zero; Expiry counts from publication
	Expiry  time.Duration // message expiry interval, 0 = none
	Delay   time.Duration // will delay interval
}

// UserProperty is a name and value pair; order and repetition are kept.
//
// Spec: MQTT 5.0 §3.1.2.11.8.
type UserProperty struct {
	Key, Value string
}

// DropReason says why a message was discarded on purpose. Every drop is
// counted under exactly one.
type DropReason uint8

// Reasons for a drop. DropNone means that nothing was dropped.
const (
	DropNone           DropReason = iota
	DropQueueFull                 // max_online_messages, max_offline_messages or max_queue_bytes
	DropExpired                   // message expiry interval passed
	DropSessionEnded              // the session ended with messages in its queue
	DropNoPermission              // the client may not have it
	DropTooLarge                  // above the client's maximum packet size
	DropOutputFull                // QoS 0 above max_output_bytes
	DropOffline                   // QoS 0 for a session without a connection
	DropOperator                  // deleted by an operator
	DropStoreFailed               // the store did not take it
	DropClientRejected            // the client acknowledged with an error code
	DropHook                      // on_deliver refused it
	dropReasons
)

// DropReasons is the number of reasons, DropNone included.
const DropReasons = int(dropReasons)

var dropNames = [...]string{"none", "queue_full", "expired", "session_ended", "no_permission",
	"max_packet_size_exceeded", "output_full", "offline", "operator", "store_failed", "client_rejected", "hook"}

// String returns the name used in logs, hooks and metric labels.
func (r DropReason) String() string {
	if int(r) < len(dropNames) {
		return dropNames[r]
	}
	return "unknown"
}
