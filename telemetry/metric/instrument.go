package metric

import (
	"sync/atomic"

	metrics "github.com/rcrowley/go-metrics"
)

var (
	_ metrics.Counter = (*Counter)(nil)
	_ metrics.Gauge   = (*Gauge)(nil)
)

// Counter counts units since the process started. The zero value is ready;
// counting is one atomic addition. Safe for concurrent use. Readers may treat
// it as a go-metrics Counter.
type Counter struct{ n atomic.Int64 }

// Inc adds n units, n >= 0.
func (c *Counter) Inc(n int64) { c.n.Add(n) }

// Add adds n units, for lengths and batch sums that are of type int, n >= 0.
func (c *Counter) Add(n int) { c.n.Add(int64(n)) }

// Dec takes n units away. It exists for go-metrics' interface: a counter that
// a reader sees falling looks like a restart.
func (c *Counter) Dec(n int64) { c.n.Add(-n) }

// Count returns the units counted so far.
func (c *Counter) Count() int64 { return c.n.Load() }

// Clear sets the counter to 0.
func (c *Counter) Clear() { c.n.Store(0) }

// Snapshot returns an unchanging copy.
func (c *Counter) Snapshot() metrics.Counter { return metrics.CounterSnapshot(c.Count()) }

// Gauge holds a value that goes up and down. The zero value is ready. Safe for
// concurrent use. Readers may treat it as a go-metrics Gauge.
type Gauge struct{ n atomic.Int64 }

// Update sets the value.
func (g *Gauge) Update(n int64) { g.n.Store(n) }

// Add changes the value by n, which may be negative.
func (g *Gauge) Add(n int64) { g.n.Add(n) }

// Value returns the present value.
func (g *Gauge) Value() int64 { return g.n.Load() }

// Snapshot returns an unchanging copy.
func (g *Gauge) Snapshot() metrics.Gauge { return metrics.GaugeSnapshot(g.Value()) }
