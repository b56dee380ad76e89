package conf

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// setting is what the last source said of one canonical key.
type setting struct {
	entry  Entry
	text   string // as written, in native names
	hits   []hit
	parsed map[*leaf]reflect.Value // where text is valid
}

// loader makes a Result of entries. It is used by one call of Load.
type loader struct {
	*Result
	settings map[string]*setting
	names    map[string]map[string]bool // concrete prefix of a table -> its names
	lastRule map[string]Entry           // key -> its last entry, for keys with a rule
}

// Load reads all sources, looks up each key, checks each value and fills new
// structs. The error is only for a source that cannot be read; everything
// wrong within is in the Result's Problems, all of it. A value that is wrong
// is left at its default, so a Result with errors is for reporting, not for
// use: see Result.Err.
func (s *Schema) Load(src Sources) (*Result, error) {
	entries, problems, err := src.collect(s.dataDir)
	if err != nil {
		return nil, err
	}
	return s.build(src, entries, problems), nil
}

// dataDir returns the value of data_dir that entries and the default give.
func (s *Schema) dataDir(entries []Entry) string {
	hits := s.find("data_dir")
	if len(hits) == 0 {
		return ""
	}
	dir := hits[0].leaf.defText
	for _, e := range entries {
		if h := s.find(e.Key); len(h) > 0 && h[0].leaf == hits[0].leaf {
			dir = e.Value
		}
	}
	return dir
}

func (s *Schema) build(src Sources, entries []Entry, problems []Problem) *Result {
	l := &loader{
		Result:   &Result{schema: s, sources: src, entries: entries, parseProblems: problems, Problems: slices.Clone(problems), index: map[string]int{}},
		settings: map[string]*setting{}, names: map[string]map[string]bool{}, lastRule: map[string]Entry{},
	}
	for _, e := range entries {
		l.take(e)
	}
	for _, key := range slices.Sorted(maps.Keys(l.lastRule)) {
		e := l.lastRule[key]
		r, _ := s.rule(key)
		l.problem(e, r.problem(e.Key, e.Value))
	}
	for _, key := range slices.Sorted(maps.Keys(l.settings)) {
		l.check(l.settings[key])
	}
	for i, t := range s.types {
		v := reflect.New(t)
		l.fill(s.groups[i], v.Elem(), []string{""}, nil)
		l.sections = append(l.sections, v)
	}
	slices.SortFunc(l.values, func(a, b Value) int { return strings.Compare(a.Key, b.Key) })
	for i, v := range l.values {
		l.index[v.Key] = i
	}
	for _, v := range l.sections {
		if c, ok := v.Interface().(Checker); ok {
			c.CheckConfig(l.reporter())
		}
	}
	l.Problems = sortProblems(l.Problems)
	return l.Result
}

func (l *loader) problem(e Entry, p Problem) {
	if p.Token == "" {
		p.Token = e.Key
	}
	p.Column = e.Column
	l.Problems = append(l.Problems, p.at(e.Origin))
}

// take looks up the key of one entry; later entries replace earlier ones.
func (l *loader) take(e Entry) {
	hits := l.schema.find(e.Key)
	if len(hits) > 0 {
		if meant := hits[0].misspelt(e.Value); meant != "" {
			l.problem(e, unknownKey(e.Key, meant))
			return
		}
		l.settings[hits[0].key] = &setting{entry: e, hits: hits}
		for _, u := range hits[0].names {
			if l.names[u.at] == nil {
				l.names[u.at] = map[string]bool{}
			}
			l.names[u.at][u.name] = true
		}
		return
	}
	if _, ok := l.schema.rule(e.Key); ok {
		l.lastRule[e.Key] = e
		return
	}
	l.problem(e, unknownKey(e.Key, l.schema.nearest(e.Key)))
}

func unknownKey(key, meant string) Problem {
	p := Problem{Text: fmt.Sprintf("unknown key %q", key), Remedy: "`lunemq config` lists all keys"}
	if meant != "" {
		p.Remedy = fmt.Sprintf("did you mean %q?", meant)
	}
	return p
}

// check parses a setting for each field it reaches.
func (l *loader) check(s *setting) {
	s.parsed = map[*leaf]reflect.Value{}
	for _, h := range s.hits {
		s.text = h.leaf.canonical(s.entry.Value)
		v, err := h.leaf.parse(s.entry.Value)
		if err == nil {
			s.parsed[h.leaf] = v
			continue
		}
		why, accepted, ok := strings.Cut(strings.TrimPrefix(err.Error(), "value: "), "; accepted: ")
		if ok {
			accepted = "accepted: " + accepted
		}
		l.problem(s.entry, Problem{Text: s.entry.Key + ": " + why, Remedy: accepted})
	}
}

// fill sets the fields of v, a struct (or the scalar of a table with one value
// per name). at holds the concrete prefixes under which a key is looked up:
// its own, then those it inherits from. bare replaces the default of the bare
// key.
func (l *loader) fill(g *group, v reflect.Value, at []string, bare *string) {
	for _, f := range g.leaves {
		field := v
		if len(f.index) > 0 {
			field = v.FieldByIndex(f.index)
		}
		from := at
		val := Value{Key: join(at[0], f.key), Doc: f.doc, Reload: f.reload, Default: f.defText, Hidden: f.hidden, set: f.def}
		text := f.defText
		if f.key == "" {
			from = at[:1]
			if bare != nil {
				text, val.Default = *bare, *bare
				val.set, _ = f.parse(text)
			}
		}
		for _, prefix := range from {
			s, ok := l.settings[join(prefix, f.key)]
			if !ok {
				continue
			}
			val.Origin = s.entry.Origin
			if parsed, ok := s.parsed[f]; ok {
				val.set, text = parsed, s.text
			}
			break
		}
		field.Set(val.set)
		if _, word := f.words[val.Default]; !word && val.Default != "" {
			if def, err := f.parse(val.Default); err == nil {
				val.Default = f.format(def) // as values are written, so that both compare
			}
		}
		if _, word := f.words[text]; !word {
			text = f.format(val.set)
		}
		val.Value = text
		l.values = append(l.values, val)
	}
	for _, t := range g.tables {
		l.fillTable(t, v.FieldByIndex(t.index), at)
	}
}

// fillTable makes an entry for each name that a source or the default names.
func (l *loader) fillTable(t *table, field reflect.Value, at []string) {
	var shared []string
	names := map[string]bool{}
	for _, prefix := range at {
		maps.Copy(names, l.names[join(prefix, t.prefix)])
		if !t.inherit {
			continue
		}
		for _, anc := range ancestors(t.prefix) {
			shared = append(shared, join(prefix, anc))
		}
	}
	for name := range t.defaults {
		names[name] = true
	}
	field.Set(reflect.MakeMap(t.typ))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var own []string
		for _, prefix := range at {
			own = append(own, join(join(prefix, t.prefix), name))
		}
		var bare *string
		if text, ok := t.defaults[name]; ok {
			bare = &text
		}
		if b := t.bareLeaf(); b != nil && !b.hasDef && bare == nil && l.settings[own[0]] == nil {
			l.orphan(own[0], t.wild)
			continue
		}
		elem := reflect.New(t.typ.Elem()).Elem()
		l.fill(t.elem, elem, append(own, shared...), bare)
		field.SetMapIndex(reflect.ValueOf(name).Convert(t.typ.Key()), elem)
	}
}

// orphan reports the first option of an entry that no line creates.
func (l *loader) orphan(key, wild string) {
	var first *setting
	for k, s := range l.settings {
		if strings.HasPrefix(k, key+".") && (first == nil || before(s.entry.Origin, first.entry.Origin)) {
			first = s
		}
	}
	if first == nil {
		return
	}
	prefix, name := cutLast(key)
	l.problem(first.entry, Problem{
		Text:   fmt.Sprintf("%q belongs to nothing: no line gives %q, so there is no %s %q", first.entry.Key, key, wildNoun(prefix), name),
		Remedy: fmt.Sprintf("add a line %s = %s or remove this one", key, map[bool]string{true: "HOST:PORT", false: "VALUE"}[wildNoun(prefix) == "listener"]),
	})
}

func wildNoun(prefix string) string { return strings.TrimSuffix(firstPart(prefix), "s") }

func before(a, b Origin) bool {
	if a.Kind != b.Kind {
		return a.Kind < b.Kind
	}
	if a.Line != b.Line {
		return a.Line < b.Line
	}
	return a.Name < b.Name
}
