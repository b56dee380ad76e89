//go:build !linux

package metric

// readOS reads nothing: these figures come from Linux only.
func readOS() osFigures { return osFigures{} }
