package metric

import (
	"testing"
	"time"
)

func TestScripts(t *testing.T) {
	b := NewBroker()
	c := NewCatalogue(b, &Gauges{})
	if r := c.Snapshot(time.Unix(1, 0)).Get("script_calls"); r == nil || r.Value != 0 {
		t.Errorf("without scripts: got %+v", r)
	}
	a := b.Scripts.Row("a.lua", "on_publish")
	b.Scripts.Row("a.lua", "on_register")
	z := b.Scripts.Row("z.lua", "on_publish")
	a.Calls.Inc(2)
	z.Calls.Inc(3)
	z.Latency.Observe(time.Millisecond)
	if b.Scripts.Row("a.lua", "on_publish") != a {
		t.Error("a row is made twice")
	}
	s := c.Snapshot(time.Unix(3, 0))
	var got []Row
	for _, r := range s.Rows {
		if r.Name == "script_calls" {
			got = append(got, r)
		}
	}
	if len(got) != 2 || got[0].OID != "13.1.1" || got[1].OID != "13.1.3" || got[1].Label("script") != "z.lua" || got[1].Value != 3 {
		t.Errorf("got %+v", got)
	}
	if r := s.Get("script_calls"); r.Value != 5 || r.OID != "13.1.0" {
		t.Errorf("sum: got %+v", r)
	}
	if r := s.Get("script_latency"); r.Distribution == nil || r.Distribution.Sum != 1000 {
		t.Errorf("latency: got %+v", r)
	}
	c.Reset()
	if a.Calls.Count() != 0 || z.Latency.Distribution().Sum != 0 {
		t.Error("metrics reset leaves the rows alone")
	}
}
