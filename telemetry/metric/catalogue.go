package metric

import (
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"time"

	metrics "github.com/rcrowley/go-metrics"
)

// interval is the least time between two snapshots.
const interval = time.Second

// Catalogue binds the declarations to the instruments of one broker and makes
// snapshots of them. Safe for concurrent use; its lock is a leaf, held while a
// snapshot is made.
type Catalogue struct {
	series []series

	mu      sync.Mutex
	process *process
	last    *Snapshot
	number  uint64
}

// series is one row to be and how to read it.
type series struct {
	row   Row
	entry *Entry
	read  func() int64 // nil for a histogram
	hist  *Histogram
	// instrument is what go-metrics' registry gets; nil for figures of the
	// process and the label "other".
	instrument any
	table      func() []Row // in place of row and read: rows that come with use
	clear      func()       // nil: cannot be reset
}

// NewCatalogue binds all Entries to b and g. It panics when a declaration
// names no instrument, which the package's tests exclude.
func NewCatalogue(b *Broker, g *Gauges) *Catalogue {
	c := &Catalogue{process: newProcess()}
	places := []reflect.Value{reflect.ValueOf(b).Elem(), reflect.ValueOf(g).Elem(), reflect.ValueOf(c.process).Elem()}
	entries := Entries()
	for i := range entries {
		e := &entries[i]
		f := field(places, e.Field)
		if !f.IsValid() {
			panic(fmt.Sprintf("metric: %s names the unknown instrument %q", e.Name, e.Field))
		}
		c.bind(e, f)
	}
	return c
}

func field(places []reflect.Value, name string) reflect.Value {
	for _, p := range places {
		if f := p.FieldByName(name); f.IsValid() {
			return f
		}
	}
	return reflect.Value{}
}

// bind appends the series of one entry. Their order is that of the OIDs.
func (c *Catalogue) bind(e *Entry, f reflect.Value) {
	if f.Type() == reflect.TypeFor[int64]() { // a figure of the process
		p := (*int64)(f.Addr().UnsafePointer())
		c.add(e, series{read: func() int64 { return *p }}, ".0")
		return
	}
	if fn, ok := f.Interface().(func() int64); ok {
		if fn == nil {
			fn = func() int64 { return 0 }
		}
		c.add(e, series{read: fn, instrument: metrics.NewFunctionalGauge(fn)}, ".0")
		return
	}
	v4, v5 := Label{"mqtt_version", "4"}, Label{"mqtt_version", "5"}
	switch in := f.Addr().Interface().(type) {
	case *Counter:
		c.counter(e, in, ".0")
	case *Histogram:
		c.add(e, series{hist: in, instrument: in, clear: in.Clear}, ".0")
	case *Versioned:
		c.counter(e, &in.V4, ".4", v4)
		c.counter(e, &in.V5, ".5", v5)
	case *Coded:
		c.coded(e, in, v5)
	case *Reasoned:
		c.counter(e, &in.V4, ".4", v4)
		c.coded(e, &in.Coded, v5)
	case *Connacks:
		for i, name := range returnNames {
			c.counter(e, in.ForReturn(uint8(i)), ".4."+strconv.Itoa(i), v4, Label{"return_code", name})
		}
		c.coded(e, &in.Coded, v5)
	case *Scripts:
		c.add(e, series{table: func() []Row { return in.snapshot(e) }, clear: func() { in.clear(e.Name) }}, "")
	case *Drops:
		for i, name := range dropReasons {
			c.counter(e, in.For(i), "."+strconv.Itoa(i), Label{"reason", name})
		}
	default:
		panic(fmt.Sprintf("metric: %s has an instrument of type %T", e.Name, in))
	}
}

func (c *Catalogue) counter(e *Entry, in *Counter, index string, labels ...Label) {
	c.add(e, series{read: in.Count, instrument: in, clear: in.Clear}, index, labels...)
}

// coded adds a series per permitted code and one, index 255, for all others.
func (c *Catalogue) coded(e *Entry, in *Coded, version Label) {
	permitted := [256]bool{}
	for _, code := range e.codes {
		permitted[code] = true
		name := reasonNames[code]
		if code == 0 && (e.Field == "MQTTDisconnectReceived" || e.Field == "MQTTDisconnectSent") {
			name = "normal_disconnect"
		}
		c.counter(e, in.For(code), ".5."+strconv.Itoa(int(code)), version, Label{"reason_code", name})
	}
	others := func(do func(*Counter)) {
		for code := range permitted {
			if !permitted[code] {
				do(&in.codes[code])
			}
		}
	}
	c.add(e, series{
		read:  func() (n int64) { others(func(o *Counter) { n += o.Count() }); return n },
		clear: func() { others((*Counter).Clear) },
	}, ".5.255", version, Label{"reason_code", "other"})
}

func (c *Catalogue) add(e *Entry, s series, index string, labels ...Label) {
	s.entry = e
	s.row = Row{Name: e.Name, Labels: labels, Kind: e.Kind, Unit: e.Unit, Help: e.Help, OID: e.OID + index}
	c.series = append(c.series, s)
}

// Reset sets the counters and histograms to 0, apart from those of the balance
// and of the process, which hold from its start. The next snapshot is new.
func (c *Catalogue) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.series {
		if s.clear != nil && !s.entry.keep {
			s.clear()
		}
	}
	c.last = nil
}

// Register enters the instruments in a registry of go-metrics, each under its
// name followed by its label values, joined by dots. Figures of the process
// are not entered: go-metrics has its own.
func (c *Catalogue) Register(r metrics.Registry) error {
	for _, s := range c.series {
		if s.instrument == nil {
			continue
		}
		name := s.row.Name
		for _, l := range s.row.Labels {
			name += "." + l.Value
		}
		if err := r.Register(name, s.instrument); err != nil {
			return fmt.Errorf("metric: register %s: %w", name, err)
		}
	}
	return nil
}
