// Package queue is the bounded outgoing queue of one session: messages that
// wait for a send quota, for room in the socket, or for the client to return.
//
// It is pure and counts nothing: what does not fit is handed back to the
// caller, who says why and counts.
//
// Spec: MQTT 5.0 §4.6 (order), reference of limits: max_online_messages,
// max_offline_messages, max_queue_bytes, queue_type.
// Read first: queue.go.
package queue
