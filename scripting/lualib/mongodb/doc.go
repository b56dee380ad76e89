// Package mongodb is the driver behind the library mongodb.
//
// Documents are copied from Lua to BSON and back; the cursors of searches stay
// here, scripts get names of them.
//
// Reference 2.5, 2.8.
// Read first: mongodb.go.
package mongodb
