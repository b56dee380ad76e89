package metric

// Broker holds the instruments that the broker moves. Owners keep a pointer to
// it, or to single fields, and count; each field is one entry of the
// catalogue, found by its name. The structure must not be copied.
// Safe for concurrent use.
type Broker struct {
	// Sockets: one unit is a network connection, or a byte on the wire.
	SocketOpen, SocketClose, SocketCloseTimeout, SocketError Counter
	BytesReceived, BytesSent                                 Counter
	ConnectionsRefused                                       Counter // closed by a connection limit before CONNECT
	ConnectionsShed                                          Counter // ended because memory_limit was nearly reached

	// Queues: one unit is a session's queue, or a message in it.
	QueueSetup, QueueInitializedFromStorage, QueueTeardown Counter
	QueueMessageIn, QueueMessageOut                        Counter
	QueueMessageDrop, QueueMessageExpired                  Counter
	QueueMessageUnhandled                                  Counter
	ClientExpired                                          Counter // sessions whose expiry interval ran out

	// Router: one unit is a subscriber that a message was routed to.
	RouterMatchesLocal, RouterMatchesRemote Counter

	// Packets by version, those of 5.0 with a reason code by that as well.
	MQTTConnectReceived                          Versioned
	MQTTConnackSent                              Connacks
	MQTTPublishReceived, MQTTPublishSent         Versioned
	MQTTPubackReceived, MQTTPubackSent           Reasoned
	MQTTPubrecReceived, MQTTPubrecSent           Reasoned
	MQTTPubrelReceived, MQTTPubrelSent           Reasoned
	MQTTPubcompReceived, MQTTPubcompSent         Reasoned
	MQTTSubscribeReceived, MQTTSubackSent        Versioned
	MQTTUnsubscribeReceived, MQTTUnsubackSent    Versioned
	MQTTPingreqReceived, MQTTPingrespSent        Versioned
	MQTTDisconnectReceived                       Reasoned
	MQTTDisconnectSent                           Coded
	MQTTAuthReceived, MQTTAuthSent               Coded
	MQTTPublishAuthError, MQTTSubscribeAuthError Versioned
	MQTTInvalidMsgSizeError                      Versioned
	MQTTPublishError                             Versioned
	MQTTSubscribeError, MQTTUnsubscribeError     Versioned
	MQTTPubackInvalidError                       Versioned
	MQTTPubrecInvalidError                       Versioned
	MQTTPubcompInvalidError                      Versioned
	ClientKeepaliveExpired                       Versioned

	// The balance: at rest
	//	MessagesReceived = MessagesRefused + MessagesRouted + MessagesUnrouted
	//	CopiesMade + CopiesRestored = CopiesCompleted + queued + in flight + MessagesDropped
	MessagesReceived Counter // PUBLISH taken from clients, wills and the broker's own
	MessagesRefused  Counter // not routed: no permission, limit, malformed
	MessagesRouted   Counter // routed to one or more copies
	MessagesUnrouted Counter // routed, but nobody subscribed
	CopiesMade       Counter // one per local receiver or chosen share member
	CopiesRestored   Counter // read back from the store at start
	CopiesCompleted  Counter // QoS 0 written to the socket's buffer, 1 and 2 acknowledged
	MessagesDropped  Drops   // copies discarded on purpose, by reason

	// Hooks and files.
	HookErrors                        Counter // hook calls that failed rather than decided
	ACLReloads, ACLReloadErrors       Counter
	PasswdReloads, PasswdReloadErrors Counter
	ConfigReloads, ConfigReloadErrors Counter
	CertificateReloadErrors           Counter

	// Scripts.
	Scripts                         Scripts // per script and hook
	ScriptReloads, ScriptLoadErrors Counter
	ScriptEventsDropped             Counter // news that scripts were too slow for
	AuthCacheHits                   Counter // questions answered without Lua
	// Alarms, a change of text not counted.
	AlarmsRaised Counter

	// Store: commits, and the time of its operations in microseconds.
	StoreCommits, StoreErrors  Counter
	StorageRead, StorageWrite  Histogram
	StorageDelete, StorageScan Histogram
	StoreCommit                Histogram
}

// NewBroker returns instruments that stand at 0.
func NewBroker() *Broker { return new(Broker) }

// Dropped returns the counter of copies dropped for a reason, an index of
// DropReasons.
func (b *Broker) Dropped(reason int) *Counter { return b.MessagesDropped.For(reason) }
