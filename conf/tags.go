package conf

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// builder reads the tags of one section.
type builder struct {
	path  string // for error texts
	title string // doc tag of the section's blank field
}

// inheritedTags is what a field passes on to the fields within.
type inheritedTags struct {
	reload string
	port   int
	hidden bool
}

var reloads = []string{"live", "new sessions", "restart"}

// fields adds the fields of struct type t, whose keys begin with prefix, to g.
func (b *builder) fields(g *group, t reflect.Type, index []int, prefix string, up inheritedTags) error {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		key, hasKey := f.Tag.Lookup("key")
		switch {
		case f.Name == "_":
			if len(index) == 0 && b.title == "" {
				b.title = f.Tag.Get("doc")
			}
		case !f.IsExported():
		case !hasKey && f.Type.Kind() == reflect.Struct && !isScalar(f.Type):
			if err := b.fields(g, f.Type, at, prefix, up); err != nil {
				return err
			}
		case !hasKey:
		default:
			if err := b.keyed(g, f, at, join(prefix, key), up); err != nil {
				return fmt.Errorf("conf: %s.%s: %w", b.path, f.Name, err)
			}
		}
	}
	return nil
}

// keyed adds a field with a key tag.
func (b *builder) keyed(g *group, f reflect.StructField, at []int, key string, up inheritedTags) error {
	if v := f.Tag.Get("reload"); v != "" {
		up.reload = v
	}
	if f.Tag.Get("hidden") == "true" {
		up.hidden = true
	}
	if v := f.Tag.Get("port"); v != "" {
		if _, err := fmt.Sscan(v, &up.port); err != nil {
			return fmt.Errorf("port %q is not a number", v)
		}
	}
	if isScalar(f.Type) {
		l, err := newLeaf(f, f.Type, at, key, up)
		g.leaves = append(g.leaves, l)
		return err
	}
	if f.Type.Kind() == reflect.Struct {
		return b.fields(g, f.Type, at, key, up)
	}
	return b.table(g, f, at, key, up)
}

func (b *builder) table(g *group, f reflect.StructField, at []int, key string, up inheritedTags) error {
	prefix, wild := cutLast(key)
	if f.Type.Key().Kind() != reflect.String || prefix == "" || wild != strings.ToUpper(wild) {
		return fmt.Errorf("a map needs string keys and a key tag such as listener.tcp.NAME, not %q", key)
	}
	t := &table{
		index: at, typ: f.Type, prefix: prefix, wild: wild, elem: &group{}, doc: f.Tag.Get("doc"), example: f.Tag.Get("example"),
		inherit: f.Tag.Get("inherit") == "true", native: f.Tag.Get("native") == "true", only: splitTag(f.Tag.Get("names")),
	}
	for _, alias := range splitTag(f.Tag.Get("alias")) {
		p, _ := cutLast(alias)
		t.aliases = append(t.aliases, p)
	}
	for _, def := range splitTag(f.Tag.Get("default")) {
		name, text, _ := strings.Cut(def, "=")
		if t.defaults == nil {
			t.defaults = map[string]string{}
		}
		t.defaults[name] = text
	}
	g.tables = append(g.tables, t)
	if !isScalar(f.Type.Elem()) {
		return b.fields(t.elem, f.Type.Elem(), nil, "", up)
	}
	// One value per name: the tags on the map are the value's, but the default
	// names entries.
	l, err := newLeaf(f, f.Type.Elem(), nil, "", up)
	if err != nil {
		return err
	}
	l.aliases, l.hasDef, l.defText, l.example = nil, false, "", ""
	t.elem.leaves = []*leaf{l}
	return nil
}

func newLeaf(f reflect.StructField, typ reflect.Type, at []int, key string, up inheritedTags) (*leaf, error) {
	l := &leaf{
		index: at, typ: typ, key: key, aliases: splitTag(f.Tag.Get("alias")), enum: splitTag(f.Tag.Get("enum")),
		unitTag: f.Tag.Get("unit"), rng: f.Tag.Get("range"), sep: f.Tag.Get("sep"), native: f.Tag.Get("native") == "true",
		doc: f.Tag.Get("doc"), example: f.Tag.Get("example"), reload: up.reload, port: up.port, hidden: up.hidden,
		unit: units[f.Tag.Get("unit")],
	}
	if l.sep == "" {
		l.sep = ","
	}
	for _, pair := range splitTag(f.Tag.Get("words")) {
		if l.words == nil {
			l.words = map[string]string{}
		}
		word, text, _ := strings.Cut(pair, "=")
		l.words[word] = text
	}
	switch {
	case l.doc == "":
		return l, fmt.Errorf("key %q has no doc tag", key)
	case !slices.Contains(reloads, l.reload):
		return l, fmt.Errorf("key %q: reload is %q, not one of %q", key, l.reload, reloads)
	case typ == durationType && l.unit == 0:
		return l, fmt.Errorf("key %q: unit is %q, not one of ms, s, min, h, d", key, l.unitTag)
	}
	if err := l.bounds(); err != nil {
		return l, err
	}
	l.defText, l.hasDef = f.Tag.Lookup("default")
	if l.secret() && l.hasDef && f.Type == typ {
		return l, fmt.Errorf("key %q: a secret has no default", key)
	}
	if f.Type != typ || !l.hasDef || l.defText == "" && typ.Kind() == reflect.String {
		l.def = reflect.Zero(typ)
	} else {
		v, err := l.parse(l.defText)
		if err != nil {
			return l, fmt.Errorf("key %q: default: %w", key, err)
		}
		l.def = v
	}
	if !l.hasDef && key != "" {
		l.defText = l.format(l.def)
	}
	return l, nil
}

// bounds reads the range tag, whose ends are written like values.
func (l *leaf) bounds() error {
	l.lo, l.hi = math.MinInt64, math.MaxInt64
	if l.rng == "" {
		return nil
	}
	lo, hi, ok := strings.Cut(l.rng, "..")
	elem := l.typ
	if elem.Kind() == reflect.Slice {
		elem = elem.Elem()
	}
	for text, end := range map[string]*int64{lo: &l.lo, hi: &l.hi} {
		if text == "" {
			continue
		}
		v := reflect.New(elem).Elem()
		if err := l.scalar(v, text); err != nil || !ok {
			return fmt.Errorf("key %q: range %q is not LO..HI", l.key, l.rng)
		}
		switch {
		case v.CanInt():
			*end = v.Int()
		case v.CanUint():
			*end = int64(v.Uint())
		default:
			return fmt.Errorf("key %q: a %s has no range", l.key, elem)
		}
	}
	return nil
}

// splitTag returns the items of a comma list; nil when it is empty.
func splitTag(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Split(tag, ",")
}

func cutLast(key string) (before, last string) {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		return "", key
	}
	return key[:i], key[i+1:]
}
