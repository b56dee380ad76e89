package metric

import (
	"strconv"
	"sync"
)

var byScript = []string{"script", "hook"}

var scriptEntries = []Entry{
	{Name: "script_calls", Field: "Scripts", Unit: "calls", OID: "13.1", Labels: byScript, Help: "Calls of a script's hook."},
	{Name: "script_accepted", Field: "Scripts", Unit: "calls", OID: "13.2", Labels: byScript, Help: "Calls that said yes."},
	{Name: "script_refused", Field: "Scripts", Unit: "calls", OID: "13.3", Labels: byScript, Help: "Calls that said no."},
	{Name: "script_next", Field: "Scripts", Unit: "calls", OID: "13.4", Labels: byScript, Help: "Calls without an opinion, those of observing hooks included."},
	{Name: "script_errors", Field: "Scripts", Unit: "calls", OID: "13.5", Labels: byScript, Help: "Calls that failed: errors of the script, limits broken, no free state."},
	{Name: "script_limit_breaches", Field: "Scripts", Unit: "calls", OID: "13.6", Labels: byScript, Help: "Calls that broke a limit of time, instructions or memory."},
	{Name: "script_wait", Field: "Scripts", Unit: "microseconds", OID: "13.7", Labels: byScript, Help: "Time that calls waited for a free Lua state."},
	{Name: "script_latency", Field: "Scripts", Kind: KindHistogram, Unit: "microseconds", OID: "13.8", Labels: byScript, Help: "Duration of calls, waiting included."},
	{Name: "script_reloads", Field: "ScriptReloads", Unit: "reloads", OID: "13.9", Help: "Reloads of scripts that took effect."},
	{Name: "script_load_errors", Field: "ScriptLoadErrors", Unit: "loads", OID: "13.10", Help: "Loads and reloads of scripts that failed; the version before stays in force."},
	{Name: "script_events_dropped", Field: "ScriptEventsDropped", Unit: "calls", OID: "13.11", Help: "News for scripts that was dropped because they take longer than it comes."},
	{Name: "auth_cache_hits", Field: "AuthCacheHits", Unit: "questions", OID: "13.12", Help: "Publish and subscribe questions answered by rules that scripts inserted into auth_cache."},
}

// ScriptRow is the instruments of one hook of one script.
type ScriptRow struct {
	Calls, Accepted, Refused, Next, Errors, Breaches Counter
	Waited                                           Counter // microseconds
	Latency                                          Histogram
}

// counter returns the instrument of one of scriptEntries, nil for the
// histogram.
func (r *ScriptRow) counter(name string) *Counter {
	switch name {
	case "script_calls":
		return &r.Calls
	case "script_accepted":
		return &r.Accepted
	case "script_refused":
		return &r.Refused
	case "script_next":
		return &r.Next
	case "script_errors":
		return &r.Errors
	case "script_limit_breaches":
		return &r.Breaches
	case "script_wait":
		return &r.Waited
	}
	return nil
}

// Scripts is a table of ScriptRows. Rows are never removed, so that counters
// never fall. Safe for concurrent use.
type Scripts struct {
	mu   sync.Mutex
	rows []*scriptRow
	at   map[scriptKey]*scriptRow
}

type scriptKey struct{ script, hook string }

type scriptRow struct {
	scriptKey
	index string // of the OID: the place in the order of creation
	ScriptRow
}

// Row returns the row of a script's hook, made at the first call.
func (s *Scripts) Row(script, hook string) *ScriptRow {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := scriptKey{script, hook}
	r := s.at[k]
	if r == nil {
		r = &scriptRow{scriptKey: k, index: "." + strconv.Itoa(len(s.rows)+1)}
		if s.at == nil {
			s.at = map[scriptKey]*scriptRow{}
		}
		s.at[k] = r
		s.rows = append(s.rows, r)
	}
	return &r.ScriptRow
}

// used returns the rows with calls.
func (s *Scripts) used() (list []*scriptRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		if r.Calls.Count() > 0 {
			list = append(list, r)
		}
	}
	return list
}

// snapshot returns the rows of one entry.
func (s *Scripts) snapshot(e *Entry) (rows []Row) {
	for _, r := range s.used() {
		row := Row{Name: e.Name, Labels: []Label{{"script", r.script}, {"hook", r.hook}}, Kind: e.Kind, Unit: e.Unit, Help: e.Help, OID: e.OID + r.index}
		if c := r.counter(e.Name); c != nil {
			row.Value = c.Count()
		} else {
			d := r.Latency.Distribution()
			row.Value, row.Distribution = d.Count(), &d
		}
		rows = append(rows, row)
	}
	if rows == nil { // the sum over nothing
		row := Row{Name: e.Name, Kind: e.Kind, Unit: e.Unit, Help: e.Help, OID: e.OID + ".0"}
		if e.Kind == KindHistogram {
			row.Distribution = &Distribution{}
		}
		rows = append(rows, row)
	}
	return rows
}

// clear resets one column.
func (s *Scripts) clear(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		if c := r.counter(name); c != nil {
			c.Clear()
		} else {
			r.Latency.Clear()
		}
	}
}
