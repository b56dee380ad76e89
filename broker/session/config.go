package session

import (
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

// Config are the limits and manners of sessions. Immutable once in use: a
// reload makes a new one for new connections.
type Config struct {
	MaxClientIDSize     int            `key:"max_client_id_size" default:"100" range:"0..65535" unit:"bytes" reload:"new sessions" doc:"Longest client identifier; a longer one is refused."`
	PersistentExpiry    value.Expiry   `key:"persistent_client_expiration" default:"never" reload:"new sessions" doc:"How long a 3.x session without clean session is kept after its connection ended; 5.0 clients say it themselves. never = forever."`
	MaxSubscriptions    int            `key:"max_subscriptions_per_client" default:"0" range:"0..2147483647" reload:"new sessions" doc:"Subscriptions of one session; further ones are refused with 0x80, in 5.0 0x97. 0 = unlimited."`
	RetryInterval       time.Duration  `key:"retry_interval" default:"0" unit:"s" range:"0..86400" reload:"new sessions" doc:"3.x only: send unacknowledged PUBLISH and PUBREL again on a live connection after this time. 0 = only after a reconnect, as the standard advises."`
	MaxInflight         int            `key:"max_inflight_messages" default:"20" range:"0..65535" unit:"messages" reload:"new sessions" doc:"3.x only: QoS 1 and 2 messages sent and not completed. 1 = strict order, 0 = unlimited."`
	MaxMessageSize      value.ByteSize `key:"max_message_size" default:"0" range:"0..268435460" unit:"bytes" reload:"new sessions" doc:"Largest PUBLISH accepted; a larger one ends the connection. 0 = as max_packet_size."`
	MaxPacketSize       value.ByteSize `key:"max_packet_size" default:"268435460" range:"1024..268435460" unit:"bytes" reload:"new sessions" doc:"Largest packet of any kind accepted, announced to 5.0 clients."`
	MaxConnectSize      value.ByteSize `key:"max_connect_size" default:"256kB" range:"128..268435460" unit:"bytes" reload:"new sessions" doc:"Largest packet accepted before the client is authenticated."`
	MaxMessageRate      int            `key:"max_message_rate" default:"0" range:"0..1000000000" unit:"messages/s" reload:"new sessions" doc:"PUBLISH packets a session may send per second; above it the connection is not read for the rest of the second. 0 = unlimited."`
	UpgradeQoS          bool           `key:"upgrade_outgoing_qos" default:"off" reload:"new sessions" doc:"Deliver with the QoS of the subscription even when published with less."`
	MaxWillDelay        value.Cap      `key:"max_last_will_delay" default:"client" reload:"new sessions" doc:"Longest will delay interval a 5.0 client gets; client = as it asked."`
	SuppressTakeover    bool           `key:"suppress_lwt_on_session_takeover" default:"off" reload:"live" doc:"Publish no will when a new connection of the same client takes the session over."`
	ReceiveMaxClient    int            `key:"receive_max_client" default:"65535" range:"1..65535" unit:"messages" reload:"new sessions" doc:"5.0 only: QoS 1 and 2 messages sent to a client and not completed; the client may ask for fewer."`
	ReceiveMaxBroker    int            `key:"receive_max_broker" default:"65535" range:"1..65535" unit:"messages" reload:"new sessions" doc:"5.0 only: QoS 1 and 2 messages a client may have unacknowledged towards the broker; announced."`
	TopicAliasMaxClient int            `key:"topic_alias_max_client" default:"0" range:"0..65535" reload:"new sessions" doc:"5.0 only: topic aliases a client may use towards the broker; announced."`
	TopicAliasMaxBroker int            `key:"topic_alias_max_broker" default:"0" range:"0..65535" reload:"new sessions" doc:"5.0 only: topic aliases the broker uses towards a client that allows them."`
	TopicMaxDepth       int            `key:"topic_max_depth" default:"10" range:"0..65535" unit:"levels" reload:"new sessions" doc:"Levels of a topic name or filter; deeper ones are refused. 0 = unlimited."`
	MaxKeepAlive        int            `key:"max_keepalive" default:"0" range:"0..65535" unit:"s" reload:"new sessions" doc:"Longest keep alive: 5.0 clients are told to use it, 3.x clients that ask for more (or none) are refused with return code 2. 0 = no limit."`
	MaxQoS              int            `key:"max_qos" default:"2" range:"0..2" reload:"new sessions" doc:"Highest QoS accepted from clients; announced to 5.0 clients."`
	RetainAvailable     bool           `key:"retain_available" default:"on" reload:"new sessions" doc:"Accept retained messages; announced to 5.0 clients."`
	DenyClosesV31       bool           `key:"disconnect_on_unauthorized_publish_v3" default:"off" reload:"new sessions" doc:"Close the connection of a 3.1 client whose PUBLISH is refused; off acknowledges it as if accepted."`
	KeepAliveWarning    bool           `key:"logging.keepalive_as_warning" default:"on" reload:"live" doc:"Log an expired keep alive as a warning; off logs it at debug level."`

	MaxOnline      int            `key:"max_online_messages" default:"1000" range:"-1..2147483647" unit:"messages" reload:"new sessions" doc:"Messages waiting for a connected client beside those in flight. -1 = unlimited, 0 = none wait."`
	MaxOffline     int            `key:"max_offline_messages" default:"1000" range:"-1..2147483647" unit:"messages" reload:"new sessions" doc:"Messages kept for a session without a connection. -1 = unlimited, 0 = none are kept."`
	OverrideOnline bool           `key:"override_max_online_messages" default:"off" reload:"new sessions" doc:"When a client returns, keep its backlog even above max_online_messages."`
	QueueType      string         `key:"queue_type" default:"fifo" enum:"fifo,lifo" reload:"new sessions" doc:"fifo: a full queue drops the arriving message. lifo: newest first, and the oldest is dropped."`
	MaxQueueBytes  value.ByteSize `key:"max_queue_bytes" default:"64MB" range:"0..1099511627776" unit:"bytes" reload:"new sessions" doc:"Bytes one session's queue may hold, beside the limits in messages. 0 = unlimited."`
	MaxOutputBytes value.ByteSize `key:"max_output_bytes" default:"1MB" range:"1024..1073741824" unit:"bytes" reload:"new sessions" doc:"Bytes waiting for one connection's socket; QoS 0 messages beyond are dropped and counted, others wait in the queue."`
}
