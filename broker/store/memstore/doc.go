// Package memstore keeps durable sessions and retained messages in memory, for
// tests and for brokers that need nothing to survive a restart.
//
// It runs the suite in broker/store/storetest, as every store does.
// Read first: memstore.go.
package memstore
