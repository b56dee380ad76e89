//go:build !linux

package pressure

// Descriptors is not known on this system.
func Descriptors() (limit, reserve int) { return 0, 0 }
