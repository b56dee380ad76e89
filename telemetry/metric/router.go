package metric

var routerEntries = []Entry{
	{Name: "router_matches_local", Field: "RouterMatchesLocal", Unit: "subscriptions", OID: "4.1", Help: "Subscriptions on this node that a message matched."},
	{Name: "router_matches_remote", Field: "RouterMatchesRemote", Unit: "subscriptions", OID: "4.2", Help: "Subscriptions on other nodes that a message matched."},
	{Name: "router_subscriptions", Field: "RouterSubscriptions", Kind: KindGauge, Unit: "subscriptions", OID: "4.3", Help: "Subscriptions in the routing table."},
	{Name: "router_memory", Field: "RouterMemory", Kind: KindGauge, Unit: "bytes", OID: "4.4", Help: "Bytes used by the routing table."},
}
