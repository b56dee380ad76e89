package metric

var queueEntries = []Entry{
	{Name: "queue_setup", Field: "QueueSetup", Unit: "queues", OID: "3.1", Help: "Queues set up."},
	{Name: "queue_initialized_from_storage", Field: "QueueInitializedFromStorage", Unit: "queues", OID: "3.2", Help: "Queues set up from the store."},
	{Name: "queue_teardown", Field: "QueueTeardown", Unit: "queues", OID: "3.3", Help: "Queues torn down."},
	{Name: "queue_message_in", Field: "QueueMessageIn", Unit: "messages", OID: "3.4", Help: "Messages put into queues."},
	{Name: "queue_message_out", Field: "QueueMessageOut", Unit: "messages", OID: "3.5", Help: "Messages taken out of queues to be sent."},
	{Name: "queue_message_drop", Field: "QueueMessageDrop", Unit: "messages", OID: "3.6", Help: "Messages dropped because a queue was full."},
	{Name: "queue_message_expired", Field: "QueueMessageExpired", Unit: "messages", OID: "3.7", Help: "Messages that expired in a queue."},
	{Name: "queue_message_unhandled", Field: "QueueMessageUnhandled", Unit: "messages", OID: "3.8", Help: "Messages in queues whose session ended."},
	{Name: "client_expired", Field: "ClientExpired", Unit: "sessions", OID: "3.9", Help: "Sessions whose expiry interval ran out."},
	{Name: "queue_processes", Field: "QueueProcesses", Kind: KindGauge, Unit: "queues", OID: "3.10", Help: "Queues that exist, of connected and of offline sessions."},
}
