package conf

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Change is a key whose effective value differs between two results. A key of
// a wildcard entry that one side lacks has the value "" there. Immutable.
type Change struct {
	Key      string
	Old, New string // secrets hidden
	Reload   string // live, new sessions or restart
	Lacking  bool   // one side lacks the key
}

// Outlines returns the changes without the options of wildcard entries that
// came or went as a whole: their bare keys stand for them.
func Outlines(changes []Change) []Change {
	whole := map[string]bool{}
	for _, c := range changes {
		whole[c.Key] = c.Lacking
	}
	return slices.DeleteFunc(slices.Clone(changes), func(c Change) bool {
		for key, _ := cutLast(c.Key); c.Lacking && key != ""; key, _ = cutLast(key) {
			if whole[key] {
				return true
			}
		}
		return false
	})
}

// Changes returns the keys that differ from old to new, sorted. Values written
// differently that mean the same (1024 and 1kB) do not differ.
func Changes(old, new *Result) []Change {
	var list []Change
	for _, v := range new.values {
		i, ok := old.index[v.Key]
		switch {
		case !ok:
			list = append(list, Change{Key: v.Key, New: v.Value, Reload: v.Reload, Lacking: true})
		case !reflect.DeepEqual(old.values[i].set.Interface(), v.set.Interface()):
			list = append(list, Change{Key: v.Key, Old: old.values[i].Value, New: v.Value, Reload: v.Reload})
		}
	}
	for _, v := range old.values {
		if _, ok := new.index[v.Key]; !ok {
			list = append(list, Change{Key: v.Key, Old: v.Value, Reload: v.Reload, Lacking: true})
		}
	}
	slices.SortFunc(list, func(a, b Change) int { return strings.Compare(a.Key, b.Key) })
	return list
}

// Set returns a new result with assignments (KEY=VALUE) put over all other
// sources, and what they change; files are not read again. The error names
// the first key that is unknown, wrong or without effect; then there is no
// result. Whether a change of reload class restart is admissible is for the
// caller to decide. r is not changed.
func (r *Result) Set(assignments ...string) (*Result, []Change, error) {
	src := r.sources
	src.RunTime = slices.Concat(src.RunTime, assignments)
	entries, problems := slices.Clone(r.entries), slices.Clone(r.parseProblems)
	for _, text := range assignments {
		e, p := parseAssignment(Origin{Kind: FromSet}, text)
		if p != nil {
			return nil, nil, fmt.Errorf("conf: %s", p.Text+"; "+p.Remedy)
		}
		if r.schema.Class(e.Key, e.Value) == Moot {
			rule, _ := r.schema.rule(e.Key)
			return nil, nil, fmt.Errorf("conf: %q has no effect; %s", e.Key, rule.text)
		}
		entries = append(entries, e)
	}
	next := r.schema.build(src, entries, problems)
	for _, p := range next.Problems {
		// An error that was there before is not this caller's.
		if p.Severity == Error && !slices.Contains(r.Problems, p) {
			p.File = ""
			return nil, nil, fmt.Errorf("conf: %s", strings.TrimPrefix(p.String(), "error: "))
		}
	}
	return next, Changes(r, next), nil
}

// Persist adds assignments (KEY=VALUE) to the runtime file at path, replacing
// lines of the same spelling. The file is replaced as a whole, after fsync,
// and readable by its owner only, since it may hold secrets. The caller has
// validated the assignments by Set and calls it from one goroutine at a time.
func Persist(path string, assignments ...string) error {
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("conf: %w", err)
	}
	text, err := persistText(old, assignments)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), RuntimeFile+".*")
	if err != nil {
		return fmt.Errorf("conf: %w", err)
	}
	defer os.Remove(tmp.Name()) // fails once it is renamed
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("conf: %w", err)
	}
	return nil
}

// persistText returns the new text of a runtime file.
func persistText(old []byte, assignments []string) ([]byte, error) {
	lines := []string{"# Written by `set --persist`; read after the configuration file."}
	entries, _ := Parse(Origin{}, old)
	for _, text := range assignments {
		e, p := parseAssignment(Origin{}, text)
		if p != nil {
			return nil, fmt.Errorf("conf: %s", p.Text)
		}
		if back, _, _ := parseLine(e.Key + " = " + e.Value); back.Value != e.Value || strings.ContainsAny(e.Value, "\n\r") {
			return nil, fmt.Errorf("conf: the value of %q cannot be kept in a file: it has a # after a blank, or a line break", e.Key)
		}
		entries = slices.DeleteFunc(entries, func(o Entry) bool { return o.Key == e.Key })
		entries = append(entries, e)
	}
	for _, e := range entries {
		lines = append(lines, e.Key+" = "+e.Value)
	}
	var b bytes.Buffer
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	return b.Bytes(), nil
}

// syncDir makes a rename within dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}
