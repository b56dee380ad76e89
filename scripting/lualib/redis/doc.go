// Package redis is the driver behind the library redis.
//
// A command is a list of arguments. VerneMQ makes that list by splitting a
// string at blanks, which lets a client identifier with a blank add arguments
// of its own; here only a string that stands in the script itself is split, and
// one put together at run time is a name and one argument, or an error.
//
// Reference 2.5, 2.7, 2.8.
// Read first: redis.go.
package redis
