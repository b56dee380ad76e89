package conf

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// WriteExample writes the annotated configuration file of the given sections:
// every key that is not hidden, commented out at its default, under its
// documentation. Lines of example tags are not commented out. An option that
// listeners inherit stands once, in its shortest spelling.
func WriteExample(w io.Writer, sections ...any) error {
	s, err := New(sections...)
	if err != nil {
		return err
	}
	e := example{schema: s, w: bufio.NewWriter(w), seen: map[string]bool{}}
	e.para("##", "Configuration of LuneMQ, written from the declarations of its keys. Lines with one # hold the defaults: "+
		"remove the # and change the value. A later line wins over an earlier one, and over the file win the environment "+
		"(LUNEMQ_ and the key in capitals, __ for a dot), "+RuntimeFile+" below data_dir, and --set. "+
		"`lunemq check` finds mistakes, `lunemq config` shows the values in force.")
	for i, g := range s.groups {
		if title := s.titles[i]; title != "" {
			fmt.Fprintf(e.w, "\n### %s\n", title)
		}
		e.group(g, "")
	}
	if err := e.w.Flush(); err != nil {
		return fmt.Errorf("conf: %w", err)
	}
	return nil
}

type example struct {
	schema *Schema
	w      *bufio.Writer
	seen   map[string]bool // lines with keys that were written
}

func (e *example) group(g *group, at string) {
	for _, l := range g.leaves {
		if !l.hidden && (l.key != "" || at == "") {
			e.key(l, join(at, l.key))
		}
	}
	for _, t := range g.tables {
		e.table(t, at)
	}
}

// key writes one key that is not the bare key of a table.
func (e *example) key(l *leaf, pattern string) {
	k := e.lookup(pattern)
	line := pattern
	if n := len(k.Inherited); n > 0 && strings.ToLower(k.Inherited[n-1]) == k.Inherited[n-1] {
		line = k.Inherited[n-1]
	}
	if e.seen[line] {
		return
	}
	e.seen[line] = true
	facts := e.facts(k)
	if line != pattern {
		parent, wild := cutLast(strings.TrimSuffix(pattern, "."+l.key))
		root, _ := cutLast(parent)
		facts += fmt.Sprintf(" For one only: %s.KIND.%s.%s, KIND being one of %s.", root, wild, l.key, strings.Join(e.kinds(line), ", "))
	}
	e.doc(l.doc, facts)
	if l.example != "" {
		e.line("", line, l.example)
		return
	}
	e.line("# ", line, l.defText)
}

// table writes the bare key of a table, its entries by default or example,
// and its options.
func (e *example) table(t *table, at string) {
	pattern := join(join(at, t.prefix), t.wild)
	if l := t.bareLeaf(); l != nil && !l.hidden {
		doc := l.doc
		if t.doc != "" && t.doc != l.doc {
			doc = t.doc + " " + doc
		}
		e.doc(doc, e.facts(e.lookup(pattern)))
		for _, entry := range splitTag(t.example) {
			name, text, _ := strings.Cut(entry, "=")
			e.line("", join(join(at, t.prefix), name), text)
		}
		for _, name := range slices.Sorted(maps.Keys(t.defaults)) {
			e.line("# ", join(join(at, t.prefix), name), t.defaults[name])
		}
		if t.example == "" && t.defaults == nil {
			e.line("# ", pattern, placeholder(l))
		}
	}
	e.group(t.elem, pattern)
}

func placeholder(l *leaf) string {
	switch {
	case l.hasDef:
		return l.defText
	case l.typ == addressType && l.port != 0:
		return fmt.Sprintf("0.0.0.0:%d", l.port)
	case l.typ == addressType:
		return "HOST:PORT"
	}
	return "VALUE"
}

func (e *example) lookup(pattern string) Key {
	i := slices.IndexFunc(e.schema.keys, func(k Key) bool { return k.Pattern == pattern })
	return e.schema.keys[i]
}

// kinds lists the last parts of the tables that inherit the key line.
func (e *example) kinds(line string) []string {
	var list []string
	for _, k := range e.schema.keys {
		if slices.Contains(k.Inherited, line) {
			prefix, _ := cutLast(strings.TrimSuffix(k.Pattern, "."+k.leaf.key))
			_, kind := cutLast(prefix)
			list = append(list, kind)
		}
	}
	return list
}

// facts says in words what a key's tags say.
func (e *example) facts(k Key) string {
	var list []string
	if k.Unit != "" {
		list = append(list, "Unit: "+k.Unit+".")
	}
	if k.Range != "" {
		list = append(list, "Range:"+rangeWords(k.Range)+".")
	}
	if len(k.Enum) > 0 {
		list = append(list, "One of: "+strings.Join(k.Enum, ", ")+".")
	}
	for _, word := range slices.Sorted(maps.Keys(k.leaf.words)) {
		list = append(list, word+" means "+k.leaf.words[word]+".")
	}
	effect := map[string]string{"live": "A change works at once.", "new sessions": "A change works for new sessions.", "restart": "A change needs a restart."}
	list = append(list, effect[k.Reload])
	if len(k.Aliases) > 0 {
		list = append(list, "Also: "+strings.Join(k.Aliases, ", ")+".")
	}
	return strings.Join(list, " ")
}

func (e *example) doc(doc, facts string) {
	e.w.WriteByte('\n')
	e.para("##", doc)
	e.para("##", facts)
}

func (e *example) line(mark, key, text string) {
	e.w.WriteString(strings.TrimRight(mark+key+" = "+text, " ") + "\n")
}

// para writes text in lines of at most 80 columns.
func (e *example) para(mark, text string) {
	line := mark
	for word := range strings.FieldsSeq(text) {
		if line != mark && len(line)+1+len(word) > 80 {
			e.w.WriteString(line + "\n")
			line = mark
		}
		line += " " + word
	}
	if line != mark {
		e.w.WriteString(line + "\n")
	}
}
