package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lunemq/lunemq/telemetry/metric"
)

// metricLabels are the labels that "metrics show" filters by.
var metricLabels = []string{"mqtt_version", "reason_code", "return_code", "reason"}

// MetricsCommands returns "metrics show" and "metrics reset" over a catalogue.
// now is the clock that snapshots are taken by.
func MetricsCommands(catalogue *metric.Catalogue, now func() time.Time) []Command {
	flags := []Flag{
		{Name: "with-descriptions", Short: "d", Doc: "print the description of each metric above it"},
		{Name: "aggregate", Short: "a", Doc: "sum over labels (default true); false prints each label value"},
	}
	for _, l := range metricLabels {
		flags = append(flags, Flag{Name: l, Kind: FlagValue, Doc: "only rows with one of these values, a comma list"})
	}
	return []Command{
		{
			Path:  "metrics show",
			Doc:   "Show all metrics of this node",
			Flags: flags,
			Run: func(_ context.Context, c *Call) (Result, error) {
				return showMetrics(catalogue.Snapshot(now()), c), nil
			},
		},
		{
			Path:    "metrics reset",
			Doc:     "Set counters and histograms to 0\n\nThe counters of the balance of messages and the figures of the process stay: they hold\nfrom the start of the process.",
			Changes: true,
			Run: func(context.Context, *Call) (Result, error) {
				catalogue.Reset()
				return Done, nil
			},
		},
	}
}

func showMetrics(s *metric.Snapshot, c *Call) Text {
	rows := slices.DeleteFunc(slices.Clone(s.Rows), func(r metric.Row) bool {
		for _, l := range metricLabels {
			if want := c.List(l); want != nil && !slices.Contains(want, r.Label(l)) {
				return true
			}
		}
		return false
	})
	if c.Bool("aggregate", true) {
		rows = metric.Sum(rows)
	}
	var b strings.Builder
	described := ""
	for i := range rows {
		if r := &rows[i]; c.Bool("with-descriptions", false) && r.Name != described {
			fmt.Fprintf(&b, "# %s\n", r.Help)
			described = r.Name
		}
		writeMetric(&b, &rows[i])
	}
	return Text(b.String())
}

// writeMetric prints KIND.NAME = VALUE; a histogram prints its count, its sum
// and its cumulative buckets.
func writeMetric(b *strings.Builder, r *metric.Row) {
	labels := ""
	if len(r.Labels) > 0 {
		pairs := make([]string, len(r.Labels))
		for i, l := range r.Labels {
			pairs[i] = l.Name + "=" + l.Value
		}
		labels = "{" + strings.Join(pairs, ",") + "}"
	}
	if r.Distribution == nil {
		fmt.Fprintf(b, "%s.%s%s = %d\n", r.Kind, r.Name, labels, r.Value)
		return
	}
	name := r.Kind.String() + "." + r.Name
	fmt.Fprintf(b, "%s_count%s = %d\n%s_sum%s = %d\n", name, labels, r.Value, name, labels, r.Distribution.Sum)
	seen := int64(0)
	for i, bound := range metric.Bounds() {
		seen += r.Distribution.Buckets[i]
		fmt.Fprintf(b, "%s_bucket_%d%s = %d\n", name, bound, labels, seen)
	}
	fmt.Fprintf(b, "%s_bucket_infinity%s = %d\n", name, labels, r.Value)
}
