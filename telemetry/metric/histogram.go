package metric

import (
	"math"
	"sync/atomic"
	"time"

	metrics "github.com/rcrowley/go-metrics"
)

var _ metrics.Histogram = (*Histogram)(nil)

// bounds are the upper bounds of the buckets in microseconds, inclusive; one
// more bucket takes what is above.
var bounds = [...]int64{10, 100, 1000, 10_000, 100_000, 1_000_000}

// Bounds returns the upper bounds of a histogram's buckets in microseconds,
// inclusive and rising; the last bucket has none.
func Bounds() []int64 { return append([]int64(nil), bounds[:]...) }

// Histogram counts durations in fixed buckets; its memory never grows. The
// zero value is ready. Safe for concurrent use; a reader may see the count of
// an observation a moment before its sum. Readers may treat it as a
// go-metrics Histogram, whose percentiles are then interpolated in a bucket.
type Histogram struct {
	buckets [len(bounds) + 1]atomic.Int64
	sum     atomic.Int64
}

// Observe counts one duration, rounded down to microseconds.
func (h *Histogram) Observe(d time.Duration) { h.Update(d.Microseconds()) }

// Update counts one value in microseconds.
func (h *Histogram) Update(us int64) {
	i := 0
	for i < len(bounds) && us > bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(us)
}

// Distribution is what a histogram held at one moment.
type Distribution struct {
	Buckets [len(bounds) + 1]int64 // observations per bucket, not cumulative; bounds as Bounds
	Sum     int64                  // microseconds
}

// Count returns the number of observations.
func (d *Distribution) Count() (n int64) {
	for _, b := range d.Buckets {
		n += b
	}
	return n
}

// Distribution returns what the histogram holds now.
func (h *Histogram) Distribution() (d Distribution) {
	for i := range h.buckets {
		d.Buckets[i] = h.buckets[i].Load()
	}
	d.Sum = h.sum.Load()
	return d
}

// Clear sets all buckets and the sum to 0.
func (h *Histogram) Clear() {
	for i := range h.buckets {
		h.buckets[i].Store(0)
	}
	h.sum.Store(0)
}

// Count returns the number of observations.
func (h *Histogram) Count() int64 { d := h.Distribution(); return d.Count() }

// Sum returns the sum of the observations in microseconds.
func (h *Histogram) Sum() int64 { return h.sum.Load() }

// Mean returns the mean in microseconds, 0 when nothing was observed.
func (h *Histogram) Mean() float64 {
	d := h.Distribution()
	if n := d.Count(); n > 0 {
		return float64(d.Sum) / float64(n)
	}
	return 0
}

// Min returns the lower bound of the lowest bucket in use, in microseconds.
func (h *Histogram) Min() int64 { return int64(h.Percentile(0)) }

// Max returns the upper bound of the highest bucket in use, in microseconds;
// what lies above the last bound counts as the bound.
func (h *Histogram) Max() int64 { return int64(h.Percentile(1)) }

// Percentile returns the value below which the share p (0 to 1) of the
// observations lies, interpolated in its bucket, in microseconds.
func (h *Histogram) Percentile(p float64) float64 {
	d := h.Distribution()
	return d.percentile(p)
}

func (d *Distribution) percentile(p float64) float64 {
	total := d.Count()
	if total == 0 {
		return 0
	}
	rank := math.Min(math.Max(p, 0), 1) * float64(total)
	seen, low := 0.0, 0.0
	for i, n := range d.Buckets {
		if i == len(bounds) {
			break
		}
		high := float64(bounds[i])
		if n > 0 && seen+float64(n) >= rank {
			return low + (high-low)*(rank-seen)/float64(n)
		}
		seen, low = seen+float64(n), high
	}
	return low
}

// Percentiles returns Percentile of each share.
func (h *Histogram) Percentiles(ps []float64) []float64 {
	d := h.Distribution()
	out := make([]float64, len(ps))
	for i, p := range ps {
		out[i] = d.percentile(p)
	}
	return out
}

// StdDev returns 0: buckets do not hold it.
func (h *Histogram) StdDev() float64 { return 0 }

// Variance returns 0: buckets do not hold it.
func (h *Histogram) Variance() float64 { return 0 }

// Sample returns an empty sample: single values are not kept.
func (h *Histogram) Sample() metrics.Sample { return metrics.NilSample{} }

// Snapshot returns a copy that no one else updates.
func (h *Histogram) Snapshot() metrics.Histogram {
	d := h.Distribution()
	c := &Histogram{}
	for i, n := range d.Buckets {
		c.buckets[i].Store(n)
	}
	c.sum.Store(d.Sum)
	return c
}
