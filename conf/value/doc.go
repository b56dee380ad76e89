// Package value holds the types of configuration values that Go has no type
// for: secrets, sizes, percentages, VerneMQ's durations and addresses.
//
// It is pure: no network, no files, no clock, no log. It must not know keys,
// files or tags; package conf reads those and calls UnmarshalText here. Each
// type implements encoding.TextUnmarshaler and encoding.TextMarshaler, and
// each parse error shows the input and what is accepted.
//
// Flags are plain bool fields (on/off) and durations with a fixed unit plain
// time.Duration fields with the tag unit; package conf parses both.
//
// Spec: no standard; the value syntaxes are VerneMQ's, see testdata of
// package conf.
// Read first: address.go.
package value
