package hook

import (
	"crypto/x509"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Client tells a hook whom it is about. Immutable once the client is
// registered; one per network connection.
type Client struct {
	Key      mqtt.SessionKey
	Username string
	HasUser  bool
	Version  mqtt.Version
	Bridge   bool
	Peer     netip.AddrPort // zero for Unix sockets
	Listener ListenerInfo

	kept  atomic.Pointer[any]
	ended atomic.Bool
}

// End says that the network connection has ended, or was refused.
func (c *Client) End() { c.ended.Store(true) }

// Ended reports whether the network connection has ended.
func (c *Client) Ended() bool { return c.ended.Load() }

// Keep keeps what a plugin derives from the client once and needs for each
// message; nil forgets it. There is room for one value. Safe for concurrent
// use.
func (c *Client) Keep(v any) {
	if v == nil {
		c.kept.Store(nil)
		return
	}
	c.kept.Store(&v)
}

// Kept returns what was kept last, nil if nothing was.
func (c *Client) Kept() any {
	if p := c.kept.Load(); p != nil {
		return *p
	}
	return nil
}

// ListenerInfo names the door the client came through. Plugins sees more of it
// only with forward_connection_opts = on.
type ListenerInfo struct {
	Name    string // "tcp.default"
	Type    string // mqtt, mqtts, mqttws, mqttwss
	Addr    netip.AddrPort
	Forward bool // forward_connection_opts
	Cert    *x509.Certificate
}

// Properties are 5.0 properties in the order of the packet, readable for
// hooks. The zero value stands for none, and that of a field for one that the
// client did not send.
type Properties struct {
	User            []mqtt.UserProperty
	AuthMethod      string
	AuthData        []byte
	SessionExpiry   *uint32 // seconds
	ReceiveMaximum  uint16
	MaxPacketSize   uint32
	TopicAliasMax   *uint16
	RequestResponse *bool
	RequestProblem  *bool
	SubscriptionID  uint32
	Raw             []byte        // of a message: mqtt.Message.Properties, read with package packet
	MessageExpiry   time.Duration // 0 = none
}

// Register is the question of AuthOnRegister.
type Register struct {
	Client     *Client
	Password   []byte // clear text; nil when absent; never logged
	CleanStart bool
	Properties Properties
}

// RegisterResult carries the modifiers of an accepted registration; nil fields
// change nothing. Reference 1.6.
type RegisterResult struct {
	Key                      *mqtt.SessionKey
	Username                 *string
	CleanStart               *bool
	SessionExpiry            *time.Duration
	MaxMessageSize           *int
	MaxMessageRate           *int
	MaxInflight              *int    // 0 = unlimited; a 5.0 client's own receive maximum is never exceeded
	ReceiveMaximum           *uint16 // 5.0 only
	MaxConnectionLifetime    *time.Duration
	RetryInterval            *time.Duration // 3.x only
	UpgradeQoS               *bool
	MaxOnlineMessages        *int
	MaxOfflineMessages       *int
	QueueType                *string             // fifo or lifo
	SharedSubscriptionPolicy *string             // for what the client publishes, not for its will; an unknown name changes nothing
	UserProperties           []mqtt.UserProperty // to CONNACK
}

// Publish is the question of AuthOnPublish and the news of OnPublish. The
// message must not be changed.
type Publish struct {
	Client  *Client
	Message *mqtt.Message
	Will    bool // the message is the client's will
	// WillDelay and WillExpiry are the will delay interval and the message expiry
	// interval of a will that is asked about, 0 = none; both begin later.
	WillDelay, WillExpiry time.Duration
}

// PublishResult carries the modifiers of an accepted publish; nil fields
// change nothing. A topic name or QoS that no client could use refuses the
// message. Reference 1.7.
type PublishResult struct {
	Topic      *string
	Payload    *[]byte
	QoS        *mqtt.QoS
	Retain     *bool
	Mountpoint *string
	Throttle   time.Duration  // the publisher's socket is not read that long
	Properties *[]byte        // as mqtt.Message.Properties
	Expiry     *time.Duration // 0 = never; of a will it begins when the will is published
	WillDelay  *time.Duration // of a will
}

// Subscribe is the question of AuthOnSubscribe and the news of OnSubscribe.
type Subscribe struct {
	Client     *Client
	Topics     []Topic // of OnSubscribe: the granted ones only
	Properties Properties
}

// Topic is one entry of a SUBSCRIBE: the filter as sent, "$share/..."
// included, with its options. A Code that IsError refuses just this entry.
type Topic struct {
	Filter       string
	Subscription mqtt.Subscription
	Code         mqtt.ReasonCode
}

// SubscribeResult carries the modifiers of an accepted SUBSCRIBE: Topics, when
// not nil, replaces the entries by position; further ones are subscribed to as
// well, without a reason code in SUBACK.
type SubscribeResult struct {
	Topics         []Topic
	UserProperties []mqtt.UserProperty // to SUBACK
}

// Unsubscribe is the argument of OnUnsubscribe.
type Unsubscribe struct {
	Client     *Client
	Filters    []string // as sent
	Properties Properties
}

// Deliver is the question of OnDeliver: a message on its way to one client. It
// is asked just before the message is sent, and once more if the connection ends
// meanwhile or a restart comes between.
type Deliver struct {
	Client  *Client
	Message *mqtt.Message
	QoS     mqtt.QoS
	Retain  bool
}

// DeliverResult carries the modifiers of a delivery; nil fields change nothing.
// Only this receiver gets them; Properties are for 5.0 clients only.
type DeliverResult struct {
	Topic      *string
	Payload    *[]byte
	Properties *[]byte
}

// Auth is the question of OnAuth: one step of enhanced authentication.
//
// Spec: MQTT 5.0 §4.12.
type Auth struct {
	Client *Client
	Method string
	Data   []byte
	Again  bool // re-authentication of a connected client
}

// AuthResult is the answer's content: Continue asks for another round.
type AuthResult struct {
	Continue       bool
	Data           []byte
	ReasonString   string
	UserProperties []mqtt.UserProperty
}

// Drop is the news of OnMessageDrop. Message is read-only.
type Drop struct {
	Key     mqtt.SessionKey
	Message *mqtt.Message
	Reason  mqtt.DropReason
}
