module github.com/lunemq/lunemq

go 1.26.0

require (
	github.com/gobwas/ws v1.5.0 // WebSocket: handshake, frame rules and fast unmasking, without a buffer per connection
	github.com/pires/go-proxyproto v0.15.0 // parses PROXY headers of both versions and the values behind them
	github.com/rcrowley/go-metrics v0.0.0-20250401214520-65e299d6c5c9 // what readers of instruments know: registry and interfaces; the instruments are our own
	golang.org/x/term v0.47.0 // asks for passwords without echo: switching a terminal differs by system
)

require (
	github.com/eclipse/paho.golang v0.23.0
	github.com/eclipse/paho.mqtt.golang v1.5.1
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
	golang.org/x/net v0.55.0 // indirect
	golang.org/x/sync v0.17.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
