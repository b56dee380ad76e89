// Package retain keeps the retained messages of all mountpoints and looks them
// up by topic name and by topic filter.
//
// Per mountpoint there are a map, for exact look-ups, and a tree in the order of
// topic levels, in which everything below a level lies together. A filter is
// answered by walking that order from a cursor and jumping over what cannot
// match, page by page; no lock is held between pages and none for longer than
// a bounded number of steps.
//
// It is pure: time is an argument, expired messages stay until the caller
// deletes them. It knows nothing of stores, sessions and subscriptions.
//
// Spec: MQTT 5.0 §3.3.1.3, §4.7.
// Read first: store.go, then page.go.
package retain
