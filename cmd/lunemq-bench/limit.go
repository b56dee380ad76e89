package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// runLimit runs a pattern against a relay of its own process.
func runLimit(ctx context.Context, o *options) (*report, error) {
	if !slices.Contains(limitPatterns, o.pattern) {
		return nil, fmt.Errorf("bench: --pattern %q: one of %s", o.pattern, strings.Join(limitPatterns, ", "))
	}
	if o.qos > 0 {
		return nil, fmt.Errorf("bench: a relay acknowledges nothing; --qos %d has no limit", o.qos)
	}
	addr, pid, stop, err := startRelay(ctx, o.relay)
	if err != nil {
		return nil, err
	}
	defer stop()
	own := *o
	own.bare, own.targets, own.pids = true, []*net.TCPAddr{addr}, []int{pid}
	switch o.pattern {
	case "pair":
		return runPairs(ctx, &own)
	case "connect":
		return runConnect(ctx, &own)
	case "idle":
		return runIdle(ctx, &own)
	}
	return runTraffic(ctx, &own, own.shape(o.pattern))
}

// startRelay starts the relay as a child, so that its CPU time can be read.
func startRelay(ctx context.Context, kind string) (addr *net.TCPAddr, pid int, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, 0, nil, fmt.Errorf("bench: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "relay", "--kind", kind)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		return nil, 0, nil, fmt.Errorf("bench: relay: %v %v", err1, err2)
	}
	if err := cmd.Start(); err != nil {
		return nil, 0, nil, fmt.Errorf("bench: relay: %w", err)
	}
	stop = func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		addr, err = net.ResolveTCPAddr("tcp", strings.TrimSpace(strings.TrimPrefix(line, "ready ")))
	}
	if err != nil {
		stop()
		return nil, 0, nil, fmt.Errorf("bench: the relay said %q: %w", line, err)
	}
	return addr, cmd.Process.Pid, stop, nil
}
