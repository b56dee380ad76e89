package metric

var retainEntries = []Entry{
	{Name: "retain_messages", Field: "RetainMessages", Kind: KindGauge, Unit: "messages", OID: "5.1", Help: "Retained messages."},
	{Name: "retain_memory", Field: "RetainMemory", Kind: KindGauge, Unit: "bytes", OID: "5.2", Help: "Bytes used by retained messages."},
}
