package conf

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Severity says whether the broker may start with a Problem.
type Severity uint8

// The severities.
const (
	Error   Severity = iota // the broker does not start
	Warning                 // it starts and says so once
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Problem is one thing wrong with the configuration. It never holds the value
// of a secret. Immutable.
type Problem struct {
	File     string // path; "env NAME" or "--set KEY" outside files
	Line     int    // from 1; 0 outside files
	Column   int    // of the token in bytes from 1; 0 when unknown
	Token    string // the key or text that is wrong
	Text     string // what is wrong
	Remedy   string // what to do about it, may be empty
	Severity Severity
}

// String returns FILE:LINE: SEVERITY: TEXT; REMEDY.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%s: %s", p.Severity, p.Text)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// at returns p with its place set.
func (p Problem) at(o Origin) Problem {
	p.File, p.Line = o.place(), o.Line
	return p
}

// Report writes one line per problem and returns how many errors and warnings
// there were.
func Report(w io.Writer, problems []Problem) (errors, warnings int, err error) {
	for _, p := range problems {
		if p.Severity == Error {
			errors++
		} else {
			warnings++
		}
		if _, e := fmt.Fprintln(w, p); e != nil && err == nil {
			err = fmt.Errorf("conf: %w", e)
		}
	}
	return errors, warnings, err
}

// sortProblems orders by line within each file, the files in the order in
// which they first appear, and drops repetitions.
func sortProblems(problems []Problem) []Problem {
	rank := map[string]int{}
	for _, p := range problems {
		if _, ok := rank[p.File]; !ok {
			rank[p.File] = len(rank)
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(rank[a.File], rank[b.File]), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(problems)
}
