// Package mqtt holds the nouns every other package speaks: versions, quality
// of service, reason codes, messages, subscriptions and errors.
//
// It is pure and imports nothing of this project: no net, no clock, no log.
// Whatever crosses a package border on the route of a PUBLISH is declared
// here.
//
// Spec: MQTT 5.0 §1.2 (terminology), §2.4 (reason codes).
// Read first: message.go.
package mqtt
