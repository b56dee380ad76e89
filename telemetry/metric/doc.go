// Package metric holds the instruments, the one catalogue of all metrics and
// the snapshot that every outlet reads.
//
// Owners take their instruments from a Go structure by field name (Broker) and
// count into them; outlets ($SYS, Graphite, SNMP, Prometheus, the admin API)
// only read snapshots. A metric is declared once, in the table of its area,
// with the name VerneMQ gives it where there is one. Its OID never changes
// once published.
//
// The package knows nothing of MQTT beyond names.
// Read first: catalogue.go.
package metric
