package metric

import (
	"slices"
	"time"
)

// Label is one name and value that tells rows of a metric apart.
type Label struct{ Name, Value string }

// Row is one value of a metric.
type Row struct {
	Name   string
	Labels []Label // not to be changed; nil for metrics without labels and for sums
	Kind   Kind
	Unit   string
	Help   string
	OID    string // below the enterprise's objects: the entry's, then the row's index
	Value  int64  // for a histogram the number of observations
	// Distribution is set for histograms only.
	Distribution *Distribution
}

// Label returns the value of a label, "" if the row lacks it.
func (r *Row) Label(name string) string {
	for _, l := range r.Labels {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

// Snapshot is all metrics as of one moment. Immutable, shared by all readers.
type Snapshot struct {
	Number uint64 // rises by one with each snapshot of the process, from 1
	Time   time.Time
	Rows   []Row // in the order of the catalogue; rows of one metric stand together
}

// Snapshot returns the last snapshot if it is younger than a second, else it
// makes one. It calls the functions of Gauges.
func (c *Catalogue) Snapshot(now time.Time) *Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil {
		if age := now.Sub(c.last.Time); age >= 0 && age < interval {
			return c.last
		}
	}
	c.process.refresh(now)
	c.number++
	s := &Snapshot{Number: c.number, Time: now, Rows: make([]Row, 0, len(c.series))}
	for i := range c.series {
		from := &c.series[i]
		if from.table != nil {
			s.Rows = append(s.Rows, from.table()...)
			continue
		}
		s.Rows = append(s.Rows, from.row)
		row := &s.Rows[len(s.Rows)-1]
		if from.hist != nil {
			d := from.hist.Distribution()
			row.Value, row.Distribution = d.Count(), &d
			continue
		}
		row.Value = from.read()
	}
	c.last = s
	return s
}

// Sums returns one row per metric, summed over labels, in the catalogue's
// order, with the OID of the entry's scalar.
func (s *Snapshot) Sums() []Row { return Sum(s.Rows) }

// Sum adds up rows of the same name that stand together. Rows are copied.
func Sum(rows []Row) []Row {
	var out []Row
	for _, r := range rows {
		if n := len(out); n > 0 && out[n-1].Name == r.Name {
			out[n-1].add(&r)
			continue
		}
		if len(r.Labels) > 0 {
			r.Labels = nil
			r.OID = scalar(r.OID)
		}
		out = append(out, r)
	}
	return out
}

// add adds the value of o; r's distribution is replaced, not changed, since the
// snapshot shares it.
func (r *Row) add(o *Row) {
	r.Value += o.Value
	if r.Distribution == nil || o.Distribution == nil {
		return
	}
	d := *r.Distribution
	d.Sum += o.Distribution.Sum
	for i, n := range o.Distribution.Buckets {
		d.Buckets[i] += n
	}
	r.Distribution = &d
}

// scalar returns the instance of the entry's sum for the OID of one of its
// rows: AREA.NUMBER.0.
func scalar(oid string) string {
	dots := 0
	for i := range oid {
		if oid[i] == '.' {
			if dots++; dots == 2 {
				return oid[:i] + ".0"
			}
		}
	}
	return oid
}

// Get returns the sum over labels of the metric with the name, nil if there is
// none.
func (s *Snapshot) Get(name string) *Row {
	i := slices.IndexFunc(s.Rows, func(r Row) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	j := i
	for j < len(s.Rows) && s.Rows[j].Name == name {
		j++
	}
	return &Sum(s.Rows[i:j])[0]
}
