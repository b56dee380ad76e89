package metric

import (
	"sync"
	"testing"
	"time"
)

func TestSnapshot_OncePerSecond(t *testing.T) {
	b := NewBroker()
	calls := int64(0)
	c := NewCatalogue(b, &Gauges{RouterSubscriptions: func() int64 { calls++; return calls }})
	start := time.Unix(1000, 0)
	first := c.Snapshot(start)
	b.SocketOpen.Inc(1)
	if c.Snapshot(start.Add(999*time.Millisecond)) != first {
		t.Error("within a second: got another snapshot")
	}
	second := c.Snapshot(start.Add(time.Second))
	if first.Number != 1 || second.Number != 2 || calls != 2 {
		t.Errorf("got numbers %d and %d and %d gauge calls, want 1, 2 and 2", first.Number, second.Number, calls)
	}
	if got := first.Get("socket_open").Value; got != 0 {
		t.Errorf("the first snapshot changed: got %d, want 0", got)
	}
	if got := second.Get("socket_open").Value; got != 1 {
		t.Errorf("socket_open: got %d, want 1", got)
	}
	if third := c.Snapshot(start); third.Number != 3 {
		t.Errorf("after the clock was set back: got number %d, want 3", third.Number)
	}
}

func TestSnapshot_Sums(t *testing.T) {
	b := NewBroker()
	c := NewCatalogue(b, &Gauges{})
	b.MQTTPubackSent.V4.Inc(1)
	b.MQTTPubackSent.For(0x00).Inc(2)
	b.MQTTPubackSent.For(0x97).Inc(4)
	b.MQTTPubackSent.For(0x42).Inc(8) // not permitted, must not be lost
	b.StorageRead.Update(5)
	s := c.Snapshot(time.Unix(1000, 0))
	sums := s.Sums()
	if got, want := len(sums), len(Entries()); got != want {
		t.Fatalf("got %d sums for %d metrics", got, want)
	}
	for _, r := range sums {
		if r.Name == "mqtt_puback_sent" && (r.Value != 15 || r.Labels != nil || r.OID != "2.6.0") {
			t.Errorf("got %+v, want 15 without labels at 2.6.0", r)
		}
	}
	if r := s.Get("storage_read_microseconds"); r.Value != 1 || r.Distribution.Sum != 5 {
		t.Errorf("got %+v, want one observation of 5", r)
	}
	if s.Get("no_such_metric") != nil {
		t.Error("an unknown metric was found")
	}
	two := Sum([]Row{{Name: "h", Distribution: &Distribution{Sum: 1}}, {Name: "h", Distribution: &Distribution{Sum: 2}}})
	if len(two) != 1 || two[0].Distribution.Sum != 3 {
		t.Errorf("histograms: got %+v, want one with sum 3", two)
	}
}

func TestReset_KeepsBalance(t *testing.T) {
	b := NewBroker()
	c := NewCatalogue(b, &Gauges{})
	now := time.Unix(1000, 0)
	b.SocketOpen.Inc(1)
	b.MQTTAuthSent.For(0x77).Inc(1)
	b.StorageRead.Update(1)
	b.MessagesReceived.Inc(1)
	b.Dropped(1).Inc(1)
	c.Snapshot(now)
	c.Reset()
	s := c.Snapshot(now)
	for name, want := range map[string]int64{
		"socket_open": 0, "mqtt_auth_sent": 0, "storage_read_microseconds": 0, "messages_received": 1, "messages_dropped": 1,
	} {
		if got := s.Get(name).Value; got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
	if s.Number != 2 {
		t.Errorf("got number %d, want 2", s.Number)
	}
}

func TestSnapshot_Process(t *testing.T) {
	c := NewCatalogue(NewBroker(), &Gauges{})
	start := time.Unix(1000, 0)
	c.Snapshot(start)
	s := c.Snapshot(start.Add(2 * time.Second))
	if got := s.Get("system_wallclock").Value; got != 2000 {
		t.Errorf("system_wallclock: got %d ms, want 2000", got)
	}
	for _, name := range []string{"vm_memory_total", "system_process_count", "go_memory_objects_bytes", "go_memory_goal_bytes"} {
		if s.Get(name).Value <= 0 {
			t.Errorf("%s: got %d, want more than 0", name, s.Get(name).Value)
		}
	}
	if u := s.Get("system_utilization").Value; u < 0 || u > 100 {
		t.Errorf("system_utilization: got %d", u)
	}
	for i, sample := range c.process.samples {
		if sample.Value.Kind() == 0 {
			t.Errorf("the runtime does not know %s (%d)", sample.Name, i)
		}
	}
}

func TestSnapshot_Concurrent(t *testing.T) {
	b := NewBroker()
	c := NewCatalogue(b, &Gauges{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 50 {
				b.MQTTPublishSent.For(j&1 == 0).Inc(1)
				c.Snapshot(time.Unix(int64(i*50+j), 0))
			}
		})
	}
	wg.Wait()
	c.Reset()
}

func BenchmarkSnapshot(b *testing.B) {
	c := NewCatalogue(NewBroker(), &Gauges{})
	now := time.Unix(1000, 0)
	b.ReportAllocs()
	for range b.N {
		now = now.Add(interval)
		c.Snapshot(now)
	}
}
