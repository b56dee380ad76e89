// Package subtrie is the routing table: the subscriptions of all mountpoints,
// and which of them match a topic name.
//
// Readers take no lock and never wait; writers take turns. Three structures lie
// in one another, each of which replaces a few hundred bytes per change:
//
//	node    a trie over topic levels; a run of levels without a branch is one
//	        node, whose pointers are replaced in place (node.go)
//	table   a node's children by level: a hash array mapped trie (table.go)
//	chunks  subscribers, or share groups, of one filter: an immutable tree of
//	        short arrays (chunks.go)
//
// Once published, a pointer's target changes in its atomic fields only, and each
// change of a subscription becomes visible with a single store. A reader that
// holds a replaced node goes on in the old state.
//
// It is pure and knows a subscriber as a comparable value only: no sessions, no
// delivery, no choice within a share group.
//
// Spec: MQTT 5.0 §4.7 (filters), §4.8.2 (shared subscriptions).
// Read first: trie.go, then match.go.
package subtrie
