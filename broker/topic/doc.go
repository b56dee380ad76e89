// Package topic checks topic names and filters, takes share names apart and
// holds the reference matcher that faster structures are tested against.
//
// It is pure. Topics here never carry a mountpoint: tenants are told apart by
// a field of their own (mqtt.SessionKey, mqtt.Message), so that no filter of
// one tenant can ever spell a topic of another.
//
// Spec: MQTT 5.0 §4.7, §4.8.2; MQTT 3.1.1 §4.7.
// Read first: topic.go.
package topic
