// Package brokertest runs a broker in the test's process and talks to it over
// loopback in whole control packets.
//
// Read first: broker.go, client.go.
package brokertest
