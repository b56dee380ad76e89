package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// scenario is one kind of load.
type scenario struct {
	name     string
	doc      string
	countDoc string // what --count means
	defaults defaults
	run      func(ctx context.Context, o *options) (*report, error)
}

// run executes one scenario and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	name := ""
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "", "help", "--help", "-h":
		usage(stdout)
		return exitOK
	case "relay":
		return failed(stderr, serveRelay(ctx, args, stdout))
	case "peers":
		return failed(stderr, comparePeers(ctx, args, stdout, stderr))
	}
	for _, s := range scenarios() {
		if s.name == name {
			return runScenario(ctx, &s, args, stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "lunemq-bench: unknown scenario %q\n\n", name)
	usage(stderr)
	return exitUsage
}

func runScenario(ctx context.Context, s *scenario, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(s, args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "lunemq-bench %s: %v\n", s.name, err)
		return exitUsage
	}
	r, err := s.run(ctx, o)
	if err != nil {
		return failed(stderr, err)
	}
	r.Scenario = s.name
	return failed(stderr, r.print(stdout, o.json))
}

// failed prints an error and returns the exit status.
func failed(stderr io.Writer, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	}
	fmt.Fprintf(stderr, "lunemq-bench: %v\n", err)
	return exitFailed
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: lunemq-bench SCENARIO [--url tcp://127.0.0.1:1883] [--pid PID] [FLAGS]\n\n")
	for _, s := range scenarios() {
		fmt.Fprintf(w, "  %-14s %s\n", s.name, s.doc)
	}
	fmt.Fprintf(w, "  %-14s %s\n", "peers", "several brokers in turns, as a table; see lunemq-bench peers --help")
	fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(`
lunemq-bench SCENARIO --help lists the flags of a scenario with their defaults.
The broker must run on this machine for --pid, from which CPU and memory come.`))
}
