package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of /proc/PID/stat; Linux reports 100 per second on
// every processor that Go runs on.
const clockTick = 10 * time.Millisecond

// consumption is what processes have used up to a moment.
type consumption struct {
	cpu      time.Duration // user and system
	switches uint64        // times a thread gave up the processor to wait
}

// consumed reads what processes have used so far.
func consumed(pids []int) (consumption, error) {
	var sum consumption
	for _, pid := range pids {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if err != nil || len(threads) == 0 {
			return sum, fmt.Errorf("bench: no process %d", pid)
		}
		var exact time.Duration
		for _, t := range threads {
			ns, err := threadTime(t)
			if err != nil {
				return sum, err
			}
			n, err := status(t+"/status", "voluntary_ctxt_switches:")
			if err != nil {
				return sum, err
			}
			exact += ns
			sum.switches += n
		}
		ticks, err := processTime(pid)
		if err != nil {
			return sum, err
		}
		// Threads that have ended are missing in the exact figure, which
		// shows as soon as they used more than the unit of the other.
		if ticks > exact+2*clockTick {
			exact = ticks
		}
		sum.cpu += exact
	}
	return sum, nil
}

// threadTime reads the exact time a thread has run. One that has just ended
// counts as 0.
func threadTime(thread string) (time.Duration, error) {
	text, err := os.ReadFile(thread + "/schedstat")
	if gone(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	first, _, _ := strings.Cut(string(text), " ")
	ns, err := strconv.ParseInt(first, 10, 64)
	return time.Duration(ns), err
}

// processTime reads utime and stime, ended threads included.
func processTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	// The name of the process may hold spaces; it ends with the last bracket.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("bench: /proc/%d/stat has %d fields", pid, len(fields))
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * clockTick, errors.Join(err1, err2)
}

// resident returns the resident memory of processes in bytes.
func resident(pids []int) (uint64, error) {
	var sum uint64
	for _, pid := range pids {
		kb, err := status(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:")
		if err != nil {
			return 0, err
		}
		if kb == 0 {
			return 0, fmt.Errorf("bench: process %d has ended", pid)
		}
		sum += kb << 10
	}
	return sum, nil
}

// status reads one number of a status file; 0 when the thread has ended.
func status(file, key string) (uint64, error) {
	text, err := os.ReadFile(file)
	if gone(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			return strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("bench: %s has no %s", file, key)
}

func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(err.Error(), "no such process")
}
