// Package broker composes the broker of its parts: store, router, registry,
// plugins, listeners, engine, administration.
//
// It decides the order in which things start and stop and what a reload may
// replace, and nothing else.
//
// # Locks
//
// Each client has one lock (registry.Client): conn, session, queue and output
// buffer. A goroutine holds one client's lock at a time. While holding it, it
// may take, in this order and each for a moment only:
//
//	registry shard    the map of clients
//	registry timers   the heap of expiries and delayed wills
//	subtrie writer    one change of the routing table
//	metric.Catalogue  never: snapshots take clients' figures, not the reverse
//
//	conn.Gate         what waits for the end of the start
//
// Leaf locks taken without any other: startup, retain.Store, memstore.Store,
// admin.Keys, metric.Catalogue, the engine's own, those of listener.
//
// # Start
//
// Open lets clients in before their sessions are read: Load reads them in one
// pass, and the session of a client that connects meanwhile out of its turn,
// each once. PUBLISH and SUBSCRIBE packets stay unread, wills, expiry and the
// broker's own messages wait, until all durable subscriptions are there.
//
// Read first: broker.go, then startup.go.
package broker
