package main

import (
	"io"
	"strings"
	"testing"
)

func TestRows_AreCommands(t *testing.T) {
	c := &comparison{quick: true}
	names := map[string]bool{}
	for _, r := range rows() {
		if names[r.name] || len(r.measures) == 0 {
			t.Errorf("%q is there twice or measures nothing", r.name)
		}
		names[r.name] = true
		for _, column := range []string{colLuneMQ, colRelay} {
			words := c.command(column, r)
			if column == colRelay && r.limit == nil {
				continue
			}
			found := false
			for _, s := range scenarios() {
				if s.name != words[0] {
					continue
				}
				found = true
				if _, err := parseOptions(&s, append(words[1:], "--duration", "1s", "--warmup", "0s"), io.Discard); err != nil {
					t.Errorf("%s: %v", r.name, err)
				}
			}
			if !found {
				t.Errorf("%s: no scenario %q", r.name, words[0])
			}
		}
	}
}

func TestTable_Line(t *testing.T) {
	c := &comparison{}
	of := func(cpus ...float64) (out []*report) {
		for _, v := range cpus {
			out = append(out, &report{CPU: v, Unit: "message"})
		}
		return out
	}
	columns := []string{colLuneMQ, colMosquitto, colRelay}
	res := results{colLuneMQ: of(9, 1, 2), colMosquitto: of(4, 6)}
	r := row{name: "a row", measures: []measure{cpu("≤ 1"), {"p99", "µs", ""}}}
	got := c.heading(columns) + "\n" + c.line(r, 0, r.measures[0], columns, res) + "\n" + c.line(r, 1, r.measures[1], columns, res)
	want := strings.Join([]string{
		"| scenario | measure | LuneMQ | Mosquitto | ratio | relay | ratio | target |",
		"|---|---|--:|--:|--:|--:|--:|---|",
		"| a row | CPU µs per message | 2.00 | 5.00 | 0.40 | - | - | ≤ 1 |",
		"|  | p99, µs | - | - | - | - | - |  |"}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for v, want := range map[float64]string{1.234: "1.23", 12.34: "12.3", 1234: "1234", 56789: "57 k"} {
		if got := digits(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}
