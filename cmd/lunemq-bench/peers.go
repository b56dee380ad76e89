package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// comparison is one run of bench-peers.
type comparison struct {
	runs             int
	quick            bool
	duration, warmup time.Duration
	only             list
	lunemq, conf     string
	mosquitto        string
	peers            list
	self             string
	progress         io.Writer
	faults           []string // runs with losses or duplicates
}

// the columns of the table.
const (
	colLuneMQ    = "LuneMQ"
	colMemory    = "LuneMQ, memory"
	colMosquitto = "Mosquitto"
	colRelay     = "relay"
)

// peerNames maps the words of --peers to columns.
var peerNames = map[string]string{"lunemq": colLuneMQ, "lunemq-memory": colMemory, "mosquitto": colMosquitto, "relay": colRelay}

// comparePeers runs every row against every peer in turns and prints the table.
func comparePeers(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c := &comparison{progress: stderr}
	f := flag.NewFlagSet("lunemq-bench peers", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&c.runs, "runs", 5, "runs of each scenario against each peer; the median is printed")
	f.BoolVar(&c.quick, "quick", false, "one short run with fewer connections, filters and messages")
	f.DurationVar(&c.duration, "duration", time.Second, "how long each run is measured")
	f.DurationVar(&c.warmup, "warmup", 250*time.Millisecond, "traffic before that")
	f.Var(&c.only, "rows", "only scenarios whose name contains one of these `words`")
	f.StringVar(&c.lunemq, "lunemq", "dist/lunemq", "the broker's `binary`")
	f.StringVar(&c.conf, "conf", "conf/quickstart.conf", "its configuration `file`")
	f.StringVar(&c.mosquitto, "mosquitto", "mosquitto", "Mosquitto's `binary`")
	f.Var(&c.peers, "peers", "who is measured: lunemq, lunemq-memory, mosquitto, relay (default lunemq,mosquitto,relay)")
	if err := f.Parse(args); err != nil {
		return err
	}
	if len(c.peers) == 0 {
		c.peers = list{"lunemq", "mosquitto", "relay"}
	}
	for _, p := range c.peers {
		if peerNames[p] == "" {
			return fmt.Errorf("bench: unknown peer %q", p)
		}
	}
	if c.quick {
		c.runs, c.duration, c.warmup = 1, min(c.duration, 400*time.Millisecond), 150*time.Millisecond
	}
	var err error
	if c.self, err = os.Executable(); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return c.table(ctx, stdout)
}

// relayRuns is how often the relay runs at most: it is steady.
const relayRuns = 3

// results are the reports of one row by column.
type results map[string][]*report

// row measures one row.
func (c *comparison) row(ctx context.Context, r row) (results, error) {
	out, runs := results{}, c.runs
	if r.runs > 0 {
		runs = min(runs, r.runs)
	}
	for i := range runs {
		for _, name := range c.peers {
			column := peerNames[name]
			if column == colRelay && (r.limit == nil || i >= relayRuns) {
				continue
			}
			rep, err := c.measure(ctx, column, r)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", r.name, column, err)
			}
			if rep.Lost+rep.Duplicates+rep.Refused > 0 {
				c.faults = append(c.faults, fmt.Sprintf("%s, %s, run %d: %d of %d lost, %d duplicates, %d refused", r.name, column, i+1, rep.Lost, rep.Sent, rep.Duplicates, rep.Refused))
			}
			out[column] = append(out[column], rep)
		}
	}
	return out, nil
}

// command returns the words of a run without the broker's address.
func (c *comparison) command(column string, r row) []string {
	words := r.args
	if column == colRelay {
		words = append([]string{"limit"}, r.limit...)
	}
	words = append(slices.Clone(words), "--duration", c.duration.String(), "--warmup", c.warmup.String())
	if c.quick {
		words = append(words, r.quick...)
	}
	return words
}

// measure starts the peer, runs the row and stops it.
func (c *comparison) measure(ctx context.Context, column string, r row) (rep *report, err error) {
	words := c.command(column, r)
	if column != colRelay {
		dir, err := os.MkdirTemp("", "lunemq-bench-")
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		defer os.RemoveAll(dir)
		s, err := c.start(ctx, column, dir, r)
		if err != nil {
			return nil, err
		}
		defer func() {
			if stop := s.stop(); err == nil {
				err = stop
			}
		}()
		words = append(words, "--url", "tcp://"+s.addr, "--pid", strconv.Itoa(s.cmd.Process.Pid))
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.self, append(words, "--prefix", "bench", "--json")...)
	var said bytes.Buffer
	cmd.Stderr = &said
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, said.Bytes())
	}
	rep = &report{}
	return rep, json.Unmarshal(text, rep)
}

func (c *comparison) start(ctx context.Context, column, dir string, r row) (*server, error) {
	switch column {
	case colMosquitto:
		return startMosquitto(ctx, dir, c.mosquitto, r.mosquitto)
	case colMemory:
		return startLuneMQ(ctx, dir, c.lunemq, c.conf, append(slices.Clone(r.lunemq), "persistence.engine=memory"))
	}
	return startLuneMQ(ctx, dir, c.lunemq, c.conf, r.lunemq)
}
