package conf

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Schema is what a set of Config structs accepts: their keys with types,
// defaults and documentation. Immutable, safe for concurrent use.
type Schema struct {
	types  []reflect.Type // of the structs handed to New, in that order
	groups []*group       // one per type
	titles []string       // one per type, may be empty
	keys   []Key
}

// Key describes one key, or all keys of one pattern: a part in capitals, such
// as NAME, stands for any name. Immutable.
type Key struct {
	Pattern   string
	Aliases   []string // other spellings, patterns too
	Inherited []string // patterns whose value is used where Pattern is not set
	Default   string   // as it would be written
	Required  bool     // of the bare key of a table: without it there is no entry
	Unit      string   // of a number without one: ms, s, min, h, d
	Range     string   // LO..HI, either may be absent
	Enum      []string // all values, when they can be listed
	Reload    string   // live, new sessions or restart
	Doc       string
	Hidden    bool // valid, but not shown in the example file

	table *table // of Pattern's last wildcard, nil for none
	leaf  *leaf
}

// group is the keys of one struct.
type group struct {
	leaves []*leaf
	tables []*table
}

// table is a map field: its keys are prefix.NAME and prefix.NAME.OPTION.
type table struct {
	index    []int
	typ      reflect.Type // of the map
	prefix   string       // relative to the group
	wild     string       // what stands for the name in a pattern
	aliases  []string     // prefixes
	inherit  bool
	native   bool
	only     []string // the admissible names; nil for any
	defaults map[string]string
	reserved map[string]bool // names that are options
	doc      string
	example  string
	elem     *group
}

// New reads the tags of sections, each a pointer to a Config struct, and
// returns their schema. The pointers' values are neither read nor changed. A
// wrong tag, a missing doc or reload, or a key declared twice is an error.
func New(sections ...any) (*Schema, error) {
	s := &Schema{}
	more := MoreNames{}
	for _, section := range sections {
		if m, ok := section.(MoreNames); ok {
			maps.Copy(more, m)
			continue
		}
		t := reflect.TypeOf(section)
		if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
			return nil, fmt.Errorf("conf: section %T is not a pointer to a struct", section)
		}
		if slices.Contains(s.types, t.Elem()) {
			return nil, fmt.Errorf("conf: section %T is given twice", section)
		}
		b := builder{path: t.Elem().String()}
		g := &group{}
		if err := b.fields(g, t.Elem(), nil, "", inheritedTags{}); err != nil {
			return nil, err
		}
		s.types, s.groups, s.titles = append(s.types, t.Elem()), append(s.groups, g), append(s.titles, b.title)
	}
	if err := more.add(s); err != nil {
		return nil, err
	}
	s.reserve()
	for _, g := range s.groups {
		s.list(g, "", nil, nil)
	}
	return s, s.unique()
}

// MoreNames is a section that adds to the admissible names of a wildcard: by
// pattern, such as plugins.NAME.
type MoreNames map[string][]string

func (m MoreNames) add(s *Schema) error {
	for pattern, names := range m {
		found := false
		for _, g := range s.groups {
			for _, t := range g.tables {
				if join(t.prefix, t.wild) == pattern && t.only != nil {
					t.only, found = append(slices.Clone(t.only), names...), true
				}
			}
		}
		if !found {
			return fmt.Errorf("conf: no wildcard %s has a list of names", pattern)
		}
	}
	return nil
}

// Keys returns all keys in the order of the fields.
func (s *Schema) Keys() []Key { return slices.Clone(s.keys) }

// list appends the keys of g, found at the pattern at, to s.keys.
func (s *Schema) list(g *group, at string, t *table, inherited []string) {
	for _, l := range g.leaves {
		k := Key{
			Pattern: join(at, l.key), Default: l.defText, Unit: l.unitTag, Range: l.rng, Enum: l.enum,
			Reload: l.reload, Doc: l.doc, Hidden: l.hidden, table: t, leaf: l,
			Required: t != nil && l.key == "" && !l.hasDef,
		}
		for _, alias := range l.aliases {
			k.Aliases = append(k.Aliases, join(at, alias))
		}
		if t != nil && l.key == "" {
			for _, alias := range t.aliases {
				k.Aliases = append(k.Aliases, join(alias, t.wild))
			}
		}
		for _, prefix := range inherited {
			if l.key != "" {
				k.Inherited = append(k.Inherited, join(prefix, l.key))
			}
		}
		s.keys = append(s.keys, k)
	}
	for _, t := range g.tables {
		from := slices.Clone(inherited)
		for i, prefix := range from {
			from[i] = join(prefix, join(t.prefix, t.wild))
		}
		if t.inherit {
			for _, anc := range ancestors(t.prefix) {
				from = append(from, join(at, anc))
			}
		}
		s.list(t.elem, join(join(at, t.prefix), t.wild), t, from)
	}
}

// reserve marks, for each table, the names that are options: its own and,
// where options are inherited from a common ancestor, those of its sisters
// and of the rules.
func (s *Schema) reserve() {
	all := map[string]map[string]bool{} // by first part of the prefix
	add := func(set map[string]bool, g *group) {
		for _, l := range g.leaves {
			for _, key := range append([]string{l.key}, l.aliases...) {
				if key != "" {
					set[firstPart(key)] = true
				}
			}
		}
		for _, t := range g.tables {
			set[firstPart(t.prefix)] = true
		}
	}
	var visit func(g *group, do func(t *table))
	visit = func(g *group, do func(t *table)) {
		for _, t := range g.tables {
			do(t)
			visit(t.elem, do)
		}
	}
	for _, g := range s.groups {
		visit(g, func(t *table) {
			t.reserved = map[string]bool{}
			if root := firstPart(t.prefix); t.inherit {
				if all[root] == nil {
					all[root] = ruleOptions(root)
				}
				t.reserved = all[root]
			}
			add(t.reserved, t.elem)
		})
	}
}

// unique reports a key that two fields declare.
func (s *Schema) unique() error {
	seen := map[string]bool{}
	for _, k := range s.keys {
		for _, pattern := range append([]string{k.Pattern}, k.Aliases...) {
			if seen[pattern] {
				return fmt.Errorf("conf: key %q is declared twice", pattern)
			}
			seen[pattern] = true
		}
	}
	return nil
}

// ancestors returns prefix and what stands before each of its dots.
func ancestors(prefix string) []string {
	list := []string{prefix}
	for i := strings.LastIndexByte(prefix, '.'); i > 0; i = strings.LastIndexByte(prefix, '.') {
		prefix = prefix[:i]
		list = append(list, prefix)
	}
	return list
}

func firstPart(key string) string {
	first, _, _ := strings.Cut(key, ".")
	return first
}

// allows reports whether name may stand for the wildcard.
func (t *table) allows(name string) bool {
	return !t.reserved[name] && (t.only == nil || slices.Contains(t.only, t.name(name)))
}

// name returns the native spelling of a name.
func (t *table) name(name string) string {
	if t.native {
		return nativeName(name)
	}
	return name
}
