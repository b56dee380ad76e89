module github.com/lunemq/lunemq

go 1.26

require github.com/rcrowley/go-metrics v0.0.0-20250401214520-65e299d6c5c9 // what readers of instruments know: registry and interfaces; the instruments are our own
