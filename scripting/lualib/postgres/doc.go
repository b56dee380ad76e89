// Package postgres is the driver behind the libraries postgres and cockroachdb.
//
// Statements go out with their values beside them, as text whose type the
// server infers: what a client sent cannot become part of a statement. It must
// not know what statements are for.
//
// Reference 2.5, 2.8.
// Read first: postgres.go.
package postgres
