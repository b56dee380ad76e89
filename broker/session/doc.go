// Package session is the protocol itself: what may arrive when, what is
// answered, what is in flight, and what survives the connection.
//
// State is the session, which may outlive its connection; Machine is one
// connection's run over it. Both are pure and owned by the holder of the
// client's lock. The machine calls nothing: Receive returns what a packet asks
// of the broker as an Event, the broker answers with Accept, Settle and
// Deliver, and encoded packets gather in Output. What must be in stable
// storage before something is sent goes into the store.Batch of the call, and
// the packet waits until the broker says Settle or Assigned for it. A QoS 1
// message waits for nothing: its packet identifier follows from its number,
// which is stored with it (numberID).
//
// A machine that vets (Vet) sends no message without a verdict: Question names
// the next one, Vetted takes the answer and sends, rewrites or drops it, packet
// identifiers being given only then. The message stays in the queue meanwhile, so
// that it belongs to the session whatever becomes of the connection.
//
// Responses leave in the order of the packets they answer.
//
// Spec: MQTT 5.0 §3, §4.1 to §4.9; MQTT 3.1.1 §3, §4.
// Read first: state.go (what may arrive in which phase), then machine.go.
package session
