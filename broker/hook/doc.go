// Package hook declares every point at which a plugin may decide or observe,
// once, and the chain that calls the plugins in order.
//
// A plugin is a value that implements any of this package's one-method
// interfaces; which of them it implements is which hooks it has. A hook
// decides (Auth..., OnAuth, OnDeliver, OnUnsubscribe) or observes (the other
// On...). The MQTT 5.0 variants of VerneMQ (suffix _m5) are the same Go hook:
// Client.Version tells them apart.
//
// Deciding hooks may block; the caller then parks that one client. Observing
// hooks must not block. No hook is called with a lock held.
//
// Default deny: registering, publishing and subscribing need one plugin's yes.
// Read first: catalogue.go, then chain.go.
package hook
