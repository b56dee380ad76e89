module github.com/lunemq/lunemq

go 1.26.0

require (
	github.com/rcrowley/go-metrics v0.0.0-20250401214520-65e299d6c5c9 // what readers of instruments know: registry and interfaces; the instruments are our own
	golang.org/x/term v0.47.0 // asks for passwords without echo: switching a terminal differs by system
)

require golang.org/x/sys v0.49.0 // indirect
