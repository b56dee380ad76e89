package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// table measures all rows and prints them.
func (c *comparison) table(ctx context.Context, w io.Writer) error {
	began := time.Now()
	fsync, err := medianFsync()
	if err != nil {
		return err
	}
	var columns []string
	for _, p := range c.peers {
		columns = append(columns, peerNames[p])
	}
	lines := []string{c.heading(columns)}
	var commands []string
	for _, r := range rows() {
		named := func(word string) bool { return strings.Contains(r.name, word) }
		if len(c.only) > 0 && !slices.ContainsFunc(c.only, named) {
			continue
		}
		fmt.Fprintf(c.progress, "%4.0fs  %s\n", time.Since(began).Seconds(), r.name)
		res, err := c.row(ctx, r)
		if err != nil {
			return err
		}
		for i, m := range r.measures {
			lines = append(lines, c.line(r, i, m, columns, res))
		}
		commands = append(commands, c.describe(r)...)
	}
	fmt.Fprintf(w, "%d processors, %s, %s, %d runs of %v each in turns, medians. Median fsync of 4 kB: %v. Ratios are %s's.\n\n%s\n\n",
		runtime.NumCPU(), runtime.GOARCH, began.Format(time.DateOnly), c.runs, c.duration, fsync.Round(time.Microsecond), columns[0], strings.Join(lines, "\n"))
	for _, f := range c.faults {
		fmt.Fprintf(w, "- %s\n", f)
	}
	fmt.Fprintf(w, "\nCommands, with --url and --pid of the broker:\n\n```\n%s\n```\n\nTook %.0f s.\n", strings.Join(commands, "\n"), time.Since(began).Seconds())
	return nil
}

func (c *comparison) heading(columns []string) string {
	head, rule := "| scenario | measure |", "|---|---|"
	for i, name := range columns {
		head += " " + name + " |"
		rule += "--:|"
		if i > 0 {
			head += " ratio |"
			rule += "--:|"
		}
	}
	return head + " target |\n" + rule + "---|"
}

// line is one measure of a row; the row's name is on the first only.
func (c *comparison) line(r row, i int, m measure, columns []string, res results) string {
	name := r.name
	if i > 0 {
		name = ""
	}
	label := m.key + ", " + m.unit
	if m.key == "cpu" {
		label = "CPU " + m.unit
		if m.unit == "µs" {
			label += " per " + res[columns[0]][0].Unit
		}
	}
	line := fmt.Sprintf("| %s | %s |", name, label)
	first, ok := median(res[columns[0]], m.key)
	for i, column := range columns {
		v, found := median(res[column], m.key)
		if !found {
			line += " - |"
		} else {
			line += " " + digits(v) + " |"
		}
		switch {
		case i == 0:
		case found && ok && v > 0:
			line += fmt.Sprintf(" %.2f |", first/v)
		default:
			line += " - |"
		}
	}
	return line + " " + m.target + " |"
}

// describe says how a row is measured.
func (c *comparison) describe(r row) []string {
	line := "lunemq-bench " + strings.Join(c.command("", r), " ")
	var raised []string
	for _, kv := range r.lunemq {
		raised = append(raised, "LuneMQ "+kv)
	}
	for _, l := range r.mosquitto {
		raised = append(raised, "Mosquitto "+l)
	}
	if len(raised) > 0 {
		line += "   # " + strings.Join(raised, ", ")
	}
	lines := []string{line}
	if r.limit != nil {
		lines = append(lines, "lunemq-bench "+strings.Join(c.command(colRelay, r), " "))
	}
	return lines
}

// median of one measure over the runs.
func median(runs []*report, key string) (float64, bool) {
	var all []float64
	for _, r := range runs {
		v, ok := r.value(key)
		if !ok {
			return 0, false
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2, true
}

// digits prints three digits or so.
func digits(v float64) string {
	switch {
	case v >= 10_000:
		return fmt.Sprintf("%.0f k", v/1000)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// medianFsync is what the disk below the brokers' data folders takes.
func medianFsync() (time.Duration, error) {
	dir, err := os.MkdirTemp("", "lunemq-bench-")
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir)
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	defer f.Close()
	var all []time.Duration
	for range 51 {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
		began := time.Now()
		if err := f.Sync(); err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
