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
//	conn.Gate         what waits for the end of the start
//
// metric.Catalogue is never taken under a client's lock: a snapshot takes the
// clients' figures, not the reverse. Broker.mu, of reloads, stops and listener
// commands, comes before all others. Leaf locks: startup, retain.Store,
// memstore.Store, conn's list of big packets, admin.Keys, alarm.List, the drop log's, the engine's and the listeners'
// own. conn.Conn.pre stands for a client's lock until there is a client.
//
// # Start
//
// Open lets clients in before their sessions are read: Load reads them in one
// pass, and the session of a client that connects meanwhile out of its turn,
// each once. PUBLISH and SUBSCRIBE packets stay unread, wills, expiry and the
// broker's own messages wait, until all durable subscriptions are there.
//
// # Alarms
//
// Whoever meets a fault that needs an operator raises it in Parts.Alarms and
// clears it: storeTimer, checkClock, checkCertificate and reloaded here, the
// access files in auth, memory and disk in pressure, reloads in cmd/lunemq.
// Logging and counting them is observeAlarms' affair.
//
// Read first: broker.go, then startup.go.
package broker
