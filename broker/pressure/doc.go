// Package pressure watches the memory and the disk that the broker may use and
// tells the others how near their limits are.
//
// It knows no MQTT: it samples, raises the alarms about memory and disk, and
// answers from atomic values. What follows
// from a level (refusing, reading more slowly, failing a commit) is the affair
// of whoever asks.
// Read first: pressure.go.
package pressure
