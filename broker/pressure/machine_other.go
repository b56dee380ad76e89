//go:build !linux

package pressure

import "errors"

// machineMemory is not known on this system: a share of it sets no limit.
func machineMemory() int64 { return 0 }

// resident is not known on this system.
func resident() int64 { return 0 }

// diskSpace is not known on this system.
func diskSpace(string) (free, size int64, err error) {
	return 0, 0, errors.New("pressure: the free space is not known on this system")
}
