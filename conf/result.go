package conf

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/lunemq/lunemq/conf/value"
)

// Result is the outcome of one Load: the filled structs, the effective values
// with their origins, and all problems. Immutable but for the structs, which
// belong to the caller; safe for concurrent use.
type Result struct {
	Problems []Problem // by file and line

	schema        *Schema
	sources       Sources
	entries       []Entry
	parseProblems []Problem
	sections      []reflect.Value
	values        []Value
	index         map[string]int // key -> its place in values
}

// Value is the effective value of one key. Immutable.
type Value struct {
	Key     string
	Value   string // as it would be written; secrets hidden
	Origin  Origin // where the value was written
	Default string
	Doc     string
	Reload  string // live, new sessions or restart
	Hidden  bool   // a key that the example file leaves out

	set reflect.Value
}

// Checker is implemented by a Config struct (its pointer) that has rules over
// several of its fields. Load calls it once the struct is filled, whether or
// not there were errors. report adds an error at the line where key was
// written. It must not block, change the struct or keep report.
type Checker interface {
	CheckConfig(report func(key, text, remedy string))
}

// Section returns the filled struct of type T of a result. It panics when T
// is not among the sections handed to New.
func Section[T any](r *Result) *T {
	for _, v := range r.sections {
		if s, ok := v.Interface().(*T); ok {
			return s
		}
	}
	panic(fmt.Sprintf("conf: no section %T in the schema", *new(T)))
}

// Values returns all effective values, sorted by key.
func (r *Result) Values() []Value { return slices.Clone(r.values) }

// Get returns the effective value of a key, which may be an alias.
func (r *Result) Get(key string) (Value, bool) {
	i, ok := r.index[key]
	if !ok {
		for _, h := range r.schema.find(key) {
			if i, ok = r.index[h.key]; ok {
				break
			}
		}
	}
	if !ok {
		return Value{}, false
	}
	return r.values[i], true
}

// Sources returns the sources the result was made of, with what Set added:
// loading them again is a reload.
func (r *Result) Sources() Sources { return r.sources }

// Failed reports whether a problem is an error.
func (r *Result) Failed() bool {
	return slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Severity == Error })
}

// Err returns the first error and how many more there are, or nil.
func (r *Result) Err() error {
	var first *Problem
	more := -1
	for i := range r.Problems {
		if r.Problems[i].Severity == Error {
			if more++; first == nil {
				first = &r.Problems[i]
			}
		}
	}
	switch {
	case first == nil:
		return nil
	case more == 0:
		return fmt.Errorf("conf: %s", first)
	}
	return fmt.Errorf("conf: %s (and %d more)", first, more)
}

// reporter returns what a Checker calls.
func (r *Result) reporter() func(key, text, remedy string) {
	return func(key, text, remedy string) {
		r.Problems = append(r.Problems, r.place(Problem{Token: key, Text: text, Remedy: remedy}))
	}
}

// place returns p at the line where its token, a key, is written; without one,
// at the configuration file.
func (r *Result) place(p Problem) Problem {
	if v, ok := r.Get(p.Token); ok && v.Origin.Kind != FromDefault {
		return p.at(v.Origin)
	}
	p.File = r.sources.File
	return p
}

// Explain returns what err says about the file that a key names, each of its
// joined errors at the line where that key is written. Nil when err, or what it
// wraps, is no *value.KeyError.
func (r *Result) Explain(err error) (list []Problem) {
	k := (*value.KeyError)(nil)
	if !errors.As(err, &k) {
		return nil
	}
	all := []error{k.Err}
	if j, ok := k.Err.(interface{ Unwrap() []error }); ok {
		all = j.Unwrap()
	}
	subject := k.Key
	if v, ok := r.Get(k.Key); ok && v.Origin.Kind == FromDefault {
		subject += " (" + v.Value + " by default)"
	}
	for _, e := range all {
		list = append(list, r.place(Problem{Token: k.Key, Text: subject + ": " + withoutPackage(e.Error())}))
	}
	for i := range list {
		list[i].Text = strings.ReplaceAll(list[i].Text, "\n", "; ")
	}
	return list
}

// withoutPackage cuts off the name of the package that an error begins with.
func withoutPackage(text string) string {
	name, rest, ok := strings.Cut(text, ": ")
	if ok && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") == "" && !strings.HasSuffix(name, "file") {
		return rest
	}
	return text
}
