package metric

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// readOS reads getrusage and /proc/self; what cannot be read stays 0.
func readOS() (f osFigures) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		f.cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
		f.contextSwitches = int64(u.Nvcsw) + int64(u.Nivcsw)
	}
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := bytes.Fields(b); len(fields) > 1 {
			pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			f.resident = pages * int64(os.Getpagesize())
		}
	}
	if b, err := os.ReadFile("/proc/self/io"); err == nil {
		for line := range bytes.Lines(b) {
			name, value, _ := bytes.Cut(line, []byte(": "))
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
			switch string(name) {
			case "rchar":
				f.ioIn = n
			case "wchar":
				f.ioOut = n
			}
		}
	}
	return f
}
