// Package certtest makes authorities, certificates and lists of revoked
// certificates for tests. It must not know listeners.
//
// Read first: certtest.go.
//
// Spec: RFC 5280.
package certtest
