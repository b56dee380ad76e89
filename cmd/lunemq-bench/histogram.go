package main

import (
	"math/bits"
	"time"
)

// Each power of two is split into histogramSplit buckets, so that a value is
// known within 1/histogramSplit of itself.
const (
	histogramBits    = 7
	histogramSplit   = 1 << histogramBits
	histogramBuckets = (64 - histogramBits + 1) * histogramSplit
)

// histogram counts durations in fixed memory. Owned by one goroutine; the zero
// value is empty.
type histogram struct {
	count   uint64
	max     int64 // nanoseconds, exact
	buckets [histogramBuckets]uint64
}

// record counts a duration in nanoseconds; a negative one counts as 0.
func (h *histogram) record(ns int64) {
	ns = max(ns, 0)
	h.count++
	h.max = max(h.max, ns)
	h.buckets[bucketOf(uint64(ns))]++
}

// add counts what another histogram has counted.
func (h *histogram) add(other *histogram) {
	h.count += other.count
	h.max = max(h.max, other.max)
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
}

// bucketOf returns the bucket of v: the values below histogramSplit have one
// each, above that the leading bits of v name it.
func bucketOf(v uint64) int {
	shift := max(bits.Len64(v)-histogramBits-1, 0)
	return shift*histogramSplit + int(v>>shift)
}

// middle returns the middle of a bucket's values.
func middle(bucket int) int64 {
	shift := max(bucket/histogramSplit-1, 0)
	low := int64(bucket-shift*histogramSplit) << shift
	return low + (int64(1)<<shift)/2
}

// quantile returns the duration that a share q of all values, 0..1, does not
// exceed; 0 when nothing was recorded.
func (h *histogram) quantile(q float64) time.Duration {
	rank, seen := uint64(q*float64(h.count)), uint64(0)
	for i, n := range h.buckets {
		if seen += n; seen > rank || seen == h.count && n > 0 {
			return time.Duration(min(middle(i), h.max))
		}
	}
	return 0
}

// latencies summarises the histogram.
func (h *histogram) latencies() *latencies {
	if h.count == 0 {
		return nil
	}
	return &latencies{P50: h.quantile(0.5), P90: h.quantile(0.9), P99: h.quantile(0.99), P999: h.quantile(0.999), Max: time.Duration(h.max)}
}
