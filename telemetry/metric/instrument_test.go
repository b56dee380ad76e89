package metric

import (
	"testing"
	"time"
)

func TestHistogram_Buckets(t *testing.T) {
	var h Histogram
	for _, us := range []int64{0, 10, 11, 1_000_000, 1_000_001} {
		h.Update(us)
	}
	h.Observe(20 * time.Microsecond)
	d := h.Distribution()
	if want := [7]int64{2, 2, 0, 0, 0, 1, 1}; d.Buckets != want {
		t.Errorf("buckets: got %v, want %v", d.Buckets, want)
	}
	if h.Count() != 6 || h.Sum() != 2_000_042 {
		t.Errorf("got count %d and sum %d, want 6 and 2000042", h.Count(), h.Sum())
	}
	if got := h.Percentile(0.5); got != 55 { // the third of six: half way from 10 to 100
		t.Errorf("median: got %v, want 55", got)
	}
	if h.Min() != 0 || h.Max() != 1_000_000 {
		t.Errorf("got min %d and max %d, want 0 and 1000000", h.Min(), h.Max())
	}
	s := h.Snapshot()
	h.Clear()
	if h.Count() != 0 || s.Count() != 6 {
		t.Errorf("after Clear: got %d and a snapshot of %d, want 0 and 6", h.Count(), s.Count())
	}
	if h.Percentile(1) != 0 || h.Mean() != 0 {
		t.Error("an empty histogram is not 0")
	}
}

func TestCounters_ByLabel(t *testing.T) {
	b := NewBroker()
	b.MQTTPublishReceived.For(true).Inc(2)
	b.MQTTPublishReceived.For(false).Add(3)
	b.MQTTPubackSent.ForVersion(false, 0x87).Inc(1)
	b.MQTTPubackSent.ForVersion(true, 0x87).Inc(4)
	b.MQTTConnackSent.ForReturn(5).Inc(1)
	b.Dropped(1).Inc(7)
	b.Dropped(99).Inc(1)
	b.Dropped(-1).Inc(1)
	for _, c := range []struct {
		name      string
		got, want int64
	}{
		{"publish 5", b.MQTTPublishReceived.V5.Count(), 2},
		{"publish 4", b.MQTTPublishReceived.V4.Count(), 3},
		{"puback 4", b.MQTTPubackSent.V4.Count(), 1},
		{"puback 5", b.MQTTPubackSent.For(0x87).Count(), 4},
		{"connack 4", b.MQTTConnackSent.returns[5].Count(), 1},
		{"queue full", b.MessagesDropped.reasons[1].Count(), 7},
		{"unknown reason", b.MessagesDropped.reasons[0].Count(), 2},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, c.got, c.want)
		}
	}
}

func TestCounters_NoAllocation(t *testing.T) {
	b := NewBroker()
	code := uint8(0)
	n := testing.AllocsPerRun(100, func() {
		b.BytesReceived.Inc(100)
		b.MQTTPublishReceived.For(code&1 == 0).Inc(1)
		b.MQTTPubackSent.ForVersion(code&1 == 0, code).Inc(1)
		b.MQTTConnackSent.For(code).Inc(1)
		b.Dropped(int(code)).Inc(1)
		b.StorageWrite.Observe(time.Millisecond)
		code++
	})
	if n != 0 {
		t.Errorf("counting allocates %v times, want 0", n)
	}
}

func BenchmarkCounter_Versioned(b *testing.B) {
	m := NewBroker()
	b.ReportAllocs()
	for i := range b.N {
		m.MQTTPublishReceived.For(i&1 == 0).Inc(1)
	}
}

func BenchmarkCounter_Reasoned(b *testing.B) {
	m := NewBroker()
	b.ReportAllocs()
	for i := range b.N {
		m.MQTTPubackSent.ForVersion(i&1 == 0, uint8(i)).Inc(1)
	}
}

// A loop counts in variables of its own and adds once per batch: the cost per
// message is this divided by the batch.
func BenchmarkCounter_Batch(b *testing.B) {
	m := NewBroker()
	own := int64(0)
	b.ReportAllocs()
	for i := range b.N {
		own++
		if i&63 == 63 {
			m.MessagesReceived.Inc(own)
			own = 0
		}
	}
}

func BenchmarkHistogram(b *testing.B) {
	m := NewBroker()
	b.ReportAllocs()
	for i := range b.N {
		m.StorageWrite.Update(int64(i & 0xFFFF))
	}
}
