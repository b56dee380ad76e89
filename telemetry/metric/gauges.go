package metric

// Gauges are the values that owners supply on request. A function must not
// block and is called at most once a second, by one goroutine at a time; nil
// reads as 0.
type Gauges struct {
	ActiveMQTTConnections   func() int64 // clients over TCP, TLS, Unix sockets
	ActiveMQTTWSConnections func() int64 // clients over WebSocket
	TotalActiveConnections  func() int64 // clients
	QueueProcesses          func() int64 // queues, of connected and offline sessions
	RouterSubscriptions     func() int64 // subscriptions
	RouterMemory            func() int64 // bytes
	RetainMessages          func() int64 // messages
	RetainMemory            func() int64 // bytes
	CopiesQueued            func() int64 // copies in queues
	CopiesInflight          func() int64 // copies sent and not completed
	AlarmsActive            func() int64 // alarms
}
