package metric

var socketEntries = []Entry{
	{Name: "socket_open", Field: "SocketOpen", Unit: "connections", OID: "1.1", Help: "Network connections accepted."},
	{Name: "socket_close", Field: "SocketClose", Unit: "connections", OID: "1.2", Help: "Network connections closed."},
	{Name: "socket_close_timeout", Field: "SocketCloseTimeout", Unit: "connections", OID: "1.3", Help: "Network connections closed because no CONNECT arrived in time."},
	{Name: "socket_error", Field: "SocketError", Unit: "errors", OID: "1.4", Help: "Errors of network connections."},
	{Name: "bytes_received", Field: "BytesReceived", Unit: "bytes", OID: "1.5", Help: "Bytes received from clients."},
	{Name: "bytes_sent", Field: "BytesSent", Unit: "bytes", OID: "1.6", Help: "Bytes sent to clients."},
	{Name: "connections_refused", Field: "ConnectionsRefused", Unit: "connections", OID: "1.7", Help: "Network connections closed by a connection limit."},
	{Name: "active_mqtt_connections", Field: "ActiveMQTTConnections", Kind: KindGauge, Unit: "connections", OID: "1.8", Help: "Clients connected over TCP, TLS and Unix sockets."},
	{Name: "active_mqttws_connections", Field: "ActiveMQTTWSConnections", Kind: KindGauge, Unit: "connections", OID: "1.9", Help: "Clients connected over WebSocket."},
	{Name: "total_active_connections", Field: "TotalActiveConnections", Kind: KindGauge, Unit: "connections", OID: "1.10", Help: "Clients connected over any transport."},
	{Name: "connections_shed", Field: "ConnectionsShed", Unit: "connections", OID: "1.11", Help: "Network connections ended because memory_limit was nearly reached and they held much."},
}
