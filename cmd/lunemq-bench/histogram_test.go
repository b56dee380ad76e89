package main

import (
	"math/rand"
	"slices"
	"testing"
	"time"
)

func TestHistogram_NearExactPercentiles(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	draws := map[string]func() int64{
		"uniform":     func() int64 { return rng.Int63n(5e9) },
		"exponential": func() int64 { return int64(rng.ExpFloat64() * 1e6) },
		"tiny":        func() int64 { return rng.Int63n(300) },
	}
	for name, draw := range draws {
		h, all := &histogram{}, []int64{}
		for range 100_000 {
			v := draw()
			h.record(v)
			all = append(all, v)
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999} {
			got, want := int64(h.quantile(q)), all[int(q*float64(len(all)))]
			if diff := max(got-want, want-got); float64(diff) > float64(want)/histogramSplit+1 {
				t.Errorf("%s: quantile %v: got %d, want %d", name, q, got, want)
			}
		}
		if l := h.latencies(); int64(l.Max) != all[len(all)-1] || h.quantile(1) > l.Max {
			t.Errorf("%s: max %v, want %d", name, l.Max, all[len(all)-1])
		}
	}
}

func TestHistogram_EdgesAndBuckets(t *testing.T) {
	h := &histogram{}
	if h.latencies() != nil || h.quantile(0.5) != 0 {
		t.Error("an empty histogram has latencies")
	}
	h.record(-5)
	h.record(1<<63 - 1)
	if h.quantile(0) != 0 || h.quantile(1) < time.Duration(1<<62) {
		t.Errorf("edges: %v to %v", h.quantile(0), h.quantile(1))
	}
	last := -1
	for shift := 2; shift < 63; shift++ {
		for _, v := range []uint64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			b := bucketOf(v)
			if b < last || b >= histogramBuckets {
				t.Fatalf("bucket of %d is %d after %d", v, b, last)
			}
			last = b
		}
	}
}

func TestTracker(t *testing.T) {
	for _, c := range []struct {
		name                        string
		arrive                      []uint64
		unique, repeated, reordered uint64
	}{
		{"in order", []uint64{0, 1, 2, 3}, 4, 0, 0},
		{"gap", []uint64{0, 1, 5}, 3, 0, 0},
		{"again", []uint64{0, 1, 1, 0}, 2, 2, 0},
		{"late", []uint64{0, 2, 1, 1}, 3, 1, 1},
		{"far ahead, then the ring's old marks are gone", []uint64{0, 1, 2, trackerWindow + 904, trackerWindow + 1, trackerWindow + 1, trackerWindow + 2}, 6, 1, 2},
		{"too old", []uint64{2*trackerWindow + 2, 1}, 1, 1, 0},
	} {
		var x tracker
		for _, n := range c.arrive {
			x.take(n)
		}
		if x.unique != c.unique || x.repeated != c.repeated || x.reordered != c.reordered {
			t.Errorf("%s: got %d unique, %d repeated, %d late", c.name, x.unique, x.repeated, x.reordered)
		}
	}
}
