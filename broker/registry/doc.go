// Package registry knows every client identifier: its session, its connection
// if it has one, and when either comes to an end.
//
// Client is the unit of locking: its one lock guards conn, session, queue and
// output buffer together. The registry decides takeover, session expiry and
// delayed wills; it knows neither sockets nor packets, and calls the router
// only through the functions it was given.
//
// Spec: MQTT 5.0 §3.1.2.4, §3.1.2.5, §3.1.2.11.2, §3.1.4 (takeover), §4.1.
// Read first: client.go, then attach.go.
package registry
