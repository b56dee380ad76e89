// Package bundled says which of the scripts that come with LuneMQ are loaded.
//
// Reference 2.2, 2.7.
// Read first: bundled.go.
package bundled
