package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// latencies from the time a message was to be sent until it was read, in
// nanoseconds.
type latencies struct {
	P50  time.Duration `json:"p50"`
	P90  time.Duration `json:"p90"`
	P99  time.Duration `json:"p99"`
	P999 time.Duration `json:"p99.9"`
	Max  time.Duration `json:"max"`
}

// figure is a result that only some scenarios have.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// report is the result of one scenario. Sent to Refused cover the whole run,
// the others the time measured.
type report struct {
	Scenario   string     `json:"scenario"`
	Unit       string     `json:"unit"` // what Rate and CPU count
	Rate       float64    `json:"rate"` // per second
	CPU        float64    `json:"cpu"`  // microseconds of the broker per unit
	RSS        uint64     `json:"rss"`  // bytes, at the end
	Latency    *latencies `json:"latency,omitempty"`
	Sent       uint64     `json:"sent"`
	Delivered  uint64     `json:"delivered"`
	Lost       uint64     `json:"lost"`
	Duplicates uint64     `json:"duplicates"`
	Reordered  uint64     `json:"reordered"`
	Refused    uint64     `json:"refused"`
	Figures    []figure   `json:"figures,omitempty"`

	measured bool // there was a process to read
}

// traffic adds what was sent and what arrived.
func (r *report) traffic(t *traffic) {
	for _, p := range t.pubs {
		r.Sent += p.sent
		r.Lost += p.sent*t.copies - p.arrived
	}
	for i := range t.seen {
		r.Duplicates += t.seen[i].repeated
		if !t.shared { // between several receivers there is no order
			r.Reordered += t.seen[i].reordered
		}
	}
	r.Delivered += t.arrived
	r.Refused += t.refused
}

// broker fills in rate, CPU and memory.
func (r *report) broker(o *options, p period, unit string) (err error) {
	r.Unit, r.Rate, r.CPU = unit, p.rate(), p.perUnit()
	r.measured = len(o.pids) > 0
	r.RSS, err = resident(o.pids)
	return err
}

// add adds a figure.
func (r *report) add(name string, value float64, unit string) {
	r.Figures = append(r.Figures, figure{name, value, unit})
}

// value returns a figure by name, or one of the fixed ones.
func (r *report) value(name string) (float64, bool) {
	switch name {
	case "cpu":
		return r.CPU, true
	case "rate":
		return r.Rate, true
	case "p50", "p99":
		if r.Latency == nil {
			return 0, false
		}
		return map[string]float64{"p50": float64(r.Latency.P50) / 1e3, "p99": float64(r.Latency.P99) / 1e3}[name], true
	case "rss":
		return float64(r.RSS) / (1 << 20), true
	}
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value, true
		}
	}
	return 0, false
}

// print writes the report for people or for programs.
func (r *report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("scenario", "%s", r.Scenario)
	line("rate", "%.0f %ss/s", r.Rate, r.Unit)
	if l := r.Latency; l != nil {
		line("latency", "p50 %v  p90 %v  p99 %v  p99.9 %v  max %v", short(l.P50), short(l.P90), short(l.P99), short(l.P999), short(l.Max))
	}
	if r.measured {
		line("broker CPU", "%.2f µs per %s", r.CPU, r.Unit)
		line("broker RSS", "%.1f MB", float64(r.RSS)/(1<<20))
	}
	if r.Sent > 0 {
		line("messages", "%d sent, %d delivered, %d lost, %d duplicates, %d out of order, %d refused", r.Sent, r.Delivered, r.Lost, r.Duplicates, r.Reordered, r.Refused)
	}
	for _, f := range r.Figures {
		line("", "%s: %.2f %s", f.Name, f.Value, f.Unit)
	}
	return nil
}

// short rounds a duration to three digits or so.
func short(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(100 * time.Nanosecond)
}
