// Package memcached is the driver behind the library memcached.
//
// The client knows no contexts: an operation runs beside the call, which ends at
// its deadline, while the operation ends by a time limit of its own. As many run
// at a time as the pool is large.
//
// Reference 2.5, 2.8.
// Read first: memcached.go.
package memcached
