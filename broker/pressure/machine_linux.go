package pressure

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// machineMemory is what the cgroup of this process allows, or what the machine
// has, whichever is less, in bytes.
func machineMemory() int64 { return smaller(memTotal(), cgroupMemory("")) }

// memTotal reads /proc/meminfo; 0 when there is none.
func memTotal() int64 {
	for line := range lines("/proc/meminfo") {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// resident is how much of the process is in memory, in bytes; 0 = not known.
func resident() int64 {
	for line := range lines("/proc/self/statm") {
		if f := strings.Fields(line); len(f) >= 2 { // in pages: SIZE RESIDENT ...
			pages, _ := strconv.ParseInt(f[1], 10, 64)
			return pages * int64(os.Getpagesize())
		}
	}
	return 0
}

// diskSpace returns what is free for us and the size of the file system of
// dir, in bytes.
func diskSpace(dir string) (free, size int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Bavail) * s.Bsize, int64(s.Blocks) * s.Bsize, nil
}
