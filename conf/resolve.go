package conf

import (
	"maps"
	"slices"
	"strings"

	"github.com/lunemq/lunemq/conf/value"
)

// hit is one field that a key names.
type hit struct {
	key   string // canonical: native spelling, no alias
	leaf  *leaf
	bare  bool // the key ends in a table's name
	table *table
	names []use
}

// use is a name that stands for a table's wildcard.
type use struct{ at, name string }

// find returns the fields that key names. Several when an option is inherited
// by several tables; then all hits have the same canonical key. None when the
// key is unknown.
func (s *Schema) find(key string) []hit {
	for _, spelling := range []string{key, nativeKey(key)} {
		if spelling == "" {
			continue
		}
		f := finder{}
		for _, g := range s.groups {
			f.group(g, "", spelling, nil)
		}
		if hits := f.hits(); len(hits) > 0 {
			return hits
		}
	}
	return nil
}

type finder struct{ options, bare []hit }

// hits prefers options to bare keys, which matters for listener.tcp.NAME
// against the inherited listener.tcp.OPTION.
func (f *finder) hits() []hit {
	if len(f.options) > 0 {
		return f.options
	}
	return f.bare
}

// group looks rest up in g, whose keys have the canonical prefix at.
func (f *finder) group(g *group, at, rest string, names []use) {
	for _, l := range g.leaves {
		if l.key == rest && rest != "" {
			f.options = append(f.options, hit{key: join(at, l.key), leaf: l, names: names})
		}
		for _, alias := range l.aliases {
			if alias == rest {
				f.options = append(f.options, hit{key: join(at, l.key), leaf: l, names: names})
			}
		}
	}
	for _, t := range g.tables {
		for _, prefix := range append([]string{t.prefix}, t.aliases...) {
			f.table(t, prefix, at, rest, names)
		}
	}
}

// table looks rest up in t, spelled with prefix.
func (f *finder) table(t *table, prefix, at, rest string, names []use) {
	if after, ok := strings.CutPrefix(rest, prefix+"."); ok {
		name, option, dotted := strings.Cut(after, ".")
		if t.allows(name) {
			base := join(at, t.prefix)
			used := append(names[:len(names):len(names)], use{base, t.name(name)})
			if dotted {
				f.group(t.elem, join(base, t.name(name)), option, used)
			} else if l := t.bareLeaf(); l != nil {
				f.bare = append(f.bare, hit{key: join(base, t.name(name)), leaf: l, bare: true, table: t, names: used})
			}
		}
	}
	if !t.inherit {
		return
	}
	canon := ancestors(t.prefix)
	for i, anc := range ancestors(prefix) {
		if after, ok := strings.CutPrefix(rest, anc+"."); ok && i < len(canon) {
			f.group(t.elem, join(at, canon[i]), after, names)
		}
	}
}

func (t *table) bareLeaf() *leaf {
	for _, l := range t.elem.leaves {
		if l.key == "" {
			return l
		}
	}
	return nil
}

// misspelt returns the option that a table's name seems to mean, or "": the
// line listener.tcp.max_conections = 5 would otherwise be a listener with a
// strange address. Names whose value has a colon are meant.
func (h hit) misspelt(text string) string {
	if !h.bare || h.table == nil || !h.table.inherit || strings.Contains(text, ":") {
		return ""
	}
	prefix, name := cutLast(h.key)
	for _, option := range slices.Sorted(maps.Keys(h.table.reserved)) {
		if len(option) >= 6 && value.Distance(name, option) <= 2 {
			return join(prefix, option)
		}
	}
	return ""
}
