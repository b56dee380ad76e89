package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/brokertest"
)

// TestMain lets the test's binary stand in for lunemq-bench where that starts
// itself: tests are called with flags, lunemq-bench with a word.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// broker starts one that drops nothing by itself, and returns its URL.
func broker(t *testing.T) string {
	b := brokertest.Start(t, brokertest.Options{Set: []string{"max_online_messages=-1", "max_offline_messages=-1"}, Log: slog.New(slog.DiscardHandler)})
	return "tcp://" + b.Addr
}

// bench runs a command line with short times and returns the report. The
// test's own process stands in for the broker's.
func bench(t *testing.T, line string, more ...string) *report {
	t.Helper()
	args := append(strings.Fields(line), "--duration", "100ms", "--warmup", "20ms", "--json", "--pid", strconv.Itoa(os.Getpid()))
	var out, said bytes.Buffer
	if code := run(t.Context(), append(args, more...), &out, &said); code != exitOK {
		t.Fatalf("%s: exit %d\n%s", line, code, said.Bytes())
	}
	r := &report{}
	if err := json.Unmarshal(out.Bytes(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestScenarios_Traffic(t *testing.T) {
	url := broker(t)
	for i, line := range []string{
		"pair", "pair --batch one --pairs 3", "pair --threads 3 --pairs 4", "pair --threads 2 --qos 1 --durable", "pair --rate 100 --pairs 20", "pair --qos 1", "pair --qos 2",
		"pair --version 5.0 --qos 2 --durable", "pair --version 3.1 --qos 1 --clean=false", "pair --size 16384 --window 32",
		"fan-in --publishers 20", "fan-in --publishers 20 --qos 1", "fan-out --subscribers 30", "fan-out --subscribers 30 --rate 100",
		"fan-out --subscribers 3 --publishers 3 --qos 2", "shared --version 5.0 --qos 1", "shared", "subscribe --pairs 3",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			plausible(t, bench(t, line, "--url", url, "--prefix", "test"+strconv.Itoa(i)))
		})
	}
}

// plausible checks a report of traffic without faults.
func plausible(t *testing.T, r *report) {
	t.Helper()
	if r.Delivered == 0 || r.Delivered < r.Sent || r.Lost+r.Duplicates+r.Reordered+r.Refused > 0 {
		t.Errorf("%d sent, %d delivered, %d lost, %d duplicates, %d out of order, %d refused", r.Sent, r.Delivered, r.Lost, r.Duplicates, r.Reordered, r.Refused)
	}
	if r.Rate <= 0 || r.RSS == 0 || r.Latency == nil || r.Latency.P50 <= 0 || r.Latency.P50 > r.Latency.Max {
		t.Errorf("implausible: %+v, latency %+v", r, r.Latency)
	}
}

// Filters that begin with + and # see the topics of others, so these have a
// broker alone.
func TestScenarios_Subscriptions(t *testing.T) {
	for _, line := range []string{"subscriptions --count 2000 --subscribers 7 --entries 30", "subscriptions --count 100 --version 5.0 --qos 1"} {
		r := bench(t, line, "--url", broker(t), "--prefix", "test")
		plausible(t, r)
		for _, k := range []string{"resident per subscription", "CPU per entry", "entries"} {
			if _, ok := r.value(k); !ok {
				t.Errorf("no %q in %+v", k, r)
			}
		}
	}
}

func TestScenarios_State(t *testing.T) {
	url := broker(t)
	for line, keys := range map[string][]string{
		"idle --count 50":                                          {"resident per connection", "wake-ups"},
		"connect":                                                  {"p99"},
		"drain --count 500 --version 5.0":                          {"load"},
		"drain --count 500 --subscribers 2":                        {"load", "load CPU"},
		"limit --pattern idle --count 30":                          {"resident per connection"},
		"limit --pattern connect --sources 3":                      {"p50"},
		"limit --relay goroutine --pairs 12":                       {"cpu"},
		"limit --pattern fan-out --subscribers 9":                  {"cpu"},
		"limit --pattern fan-in --publishers 12":                   {"cpu"},
		"limit --pattern fan-in --publishers 12 --relay goroutine": {"cpu"},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			args := []string{"--prefix", "test" + strconv.Itoa(len(line)*100+len(keys))}
			if !strings.HasPrefix(line, "limit") {
				args = append(args, "--url", url)
			}
			r := bench(t, line, args...)
			if r.Rate <= 0 || r.Lost+r.Duplicates+r.Reordered+r.Refused > 0 {
				t.Errorf("implausible: %+v", r)
			}
			for _, k := range keys {
				if _, ok := r.value(k); !ok {
					t.Errorf("no %q in %+v", k, r)
				}
			}
		})
	}
}

func TestScenarios_Retained(t *testing.T) {
	url := broker(t)
	for range 2 { // nothing of the first run is left for the second
		r := bench(t, "retained --count 500", "--url", url, "--prefix", "test")
		if r.Sent != 500 || r.Delivered != 500 || r.Lost+r.Duplicates > 0 {
			t.Errorf("%+v", r)
		}
	}
	if r := bench(t, "retained --count 500 --version 5.0 --qos 2", "--url", url, "--prefix", "test"); r.Delivered != 500 {
		t.Errorf("%+v", r)
	}
}

func TestRun_Statuses(t *testing.T) {
	for _, c := range []struct {
		line   string
		status int
		says   string
	}{
		{"", exitOK, "point to point"},
		{"pair --help", exitOK, "-window"},
		{"nonsense", exitUsage, "unknown scenario"},
		{"pair --nonsense", exitUsage, "not defined"},
		{"pair rest", exitUsage, "unexpected argument"},
		{"pair --qos 3", exitUsage, "--qos 3"},
		{"pair --size 10", exitUsage, "--size 10"},
		{"pair --version 4", exitUsage, "--version"},
		{"pair --url http://x", exitUsage, "--url"},
		{"pair --batch two", exitUsage, "--batch"},
		{"pair --pairs 0", exitUsage, "--pairs 0"},
		{"pair --duration -1s", exitUsage, "negative"},
		{"pair --pid me", exitUsage, "--pid"},
		{"pair --pidfile missing/file", exitUsage, "--pidfile"},
		{"pair --url tcp://127.0.0.1:1", exitFailed, "was not let in"},
		{"limit --pattern shared", exitFailed, "--pattern"},
		{"limit --qos 1", exitFailed, "acknowledges nothing"},
		{"peers --peers nobody", exitFailed, "unknown peer"},
	} {
		var out bytes.Buffer
		if got := run(t.Context(), strings.Fields(c.line), &out, &out); got != c.status || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q: exit %d, want %d; says %q", c.line, got, c.status, out.String())
		}
	}
}

func TestReport_ForPeople(t *testing.T) {
	r := &report{Scenario: "pair", Unit: "message", Rate: 1000, CPU: 1.5, RSS: 1 << 20, measured: true, Sent: 10, Delivered: 9, Lost: 1,
		Latency: &latencies{P50: 1500, P99: 2_345_678, Max: 3_000_000_000}}
	r.add("load", 7, "per second")
	var out bytes.Buffer
	if err := r.print(&out, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1000 messages/s", "p50 1.5µs", "p99 2.35ms", "max 3s", "1.50 µs per message", "1.0 MB", "1 lost", "load: 7.00 per second"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
