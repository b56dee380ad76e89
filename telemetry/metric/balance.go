package metric

// The balance holds from the start of the process, therefore a reset leaves
// its counters alone.
var balanceEntries = []Entry{
	{Name: "messages_received", Field: "MessagesReceived", Unit: "messages", keep: true, OID: "9.1", Help: "Messages taken in, to be refused or routed."},
	{Name: "messages_refused", Field: "MessagesRefused", Unit: "messages", keep: true, OID: "9.2", Help: "Messages received and not routed."},
	{Name: "messages_routed", Field: "MessagesRouted", Unit: "messages", keep: true, OID: "9.3", Help: "Messages routed to one copy or more."},
	{Name: "messages_unrouted", Field: "MessagesUnrouted", Unit: "messages", keep: true, OID: "9.4", Help: "Messages that nobody had subscribed to."},
	{Name: "copies_made", Field: "CopiesMade", Unit: "copies", keep: true, OID: "9.5", Help: "Copies of messages made, one per receiver."},
	{Name: "copies_restored", Field: "CopiesRestored", Unit: "copies", keep: true, OID: "9.6", Help: "Copies read back from the store."},
	{Name: "copies_completed", Field: "CopiesCompleted", Unit: "copies", keep: true, OID: "9.7", Help: "Copies delivered: QoS 0 written, QoS 1 and 2 acknowledged."},
	{Name: "messages_dropped", Field: "MessagesDropped", Unit: "copies", Labels: []string{"reason"}, keep: true, OID: "9.8", Help: "Copies discarded on purpose, by reason."},
	{Name: "copies_queued", Field: "CopiesQueued", Kind: KindGauge, Unit: "copies", OID: "9.9", Help: "Copies in queues, connected and offline."},
	{Name: "copies_inflight", Field: "CopiesInflight", Kind: KindGauge, Unit: "copies", OID: "9.10", Help: "Copies of QoS 1 and 2 sent and not completed."},
}
