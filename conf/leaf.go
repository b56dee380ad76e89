package conf

import (
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

// leaf is one field that holds a value: its type and what its tags say.
// Immutable after New.
type leaf struct {
	index   []int // path from the struct that holds the key's group
	typ     reflect.Type
	key     string // relative to the group; "" is the bare key of a table
	aliases []string

	unit    time.Duration
	unitTag string
	rng     string
	lo, hi  int64
	enum    []string
	words   map[string]string // word -> text it stands for
	sep     string
	native  bool
	port    int // default port of an address, 0 for none

	defText string
	hasDef  bool
	def     reflect.Value
	reload  string
	doc     string
	example string
	hidden  bool
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[value.Secret]()
	addressType  = reflect.TypeFor[value.Address]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

var units = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// isScalar reports whether a field of this type holds one value (or a list).
func isScalar(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(textType) {
		return true
	}
	return t.Kind() != reflect.Struct && t.Kind() != reflect.Map
}

func (l *leaf) secret() bool { return l.typ == secretType }

// canonical returns text with VerneMQ's names replaced by native ones.
func (l *leaf) canonical(text string) string {
	if !l.native {
		return text
	}
	if l.typ.Kind() != reflect.Slice {
		return nativeName(text)
	}
	items := l.split(text)
	for i, item := range items {
		items[i] = nativeName(item)
	}
	return strings.Join(items, l.sep)
}

// parse returns the value of text. The error shows the input and what is
// accepted, parted by "; accepted: ".
func (l *leaf) parse(text string) (reflect.Value, error) {
	text = l.canonical(text)
	v := reflect.New(l.typ).Elem()
	if word, ok := l.words[text]; ok {
		return v, l.scalar(v, word)
	}
	if l.typ.Kind() != reflect.Slice || reflect.PointerTo(l.typ).Implements(textType) {
		return v, l.one(v, text)
	}
	for _, item := range l.split(text) {
		e := reflect.New(l.typ.Elem()).Elem()
		if err := l.one(e, item); err != nil {
			return v, err
		}
		v = reflect.Append(v, e)
	}
	return v, nil
}

// split returns the items of a list, written a,b or [a,b].
func (l *leaf) split(text string) []string {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			text = inner
		}
	}
	var items []string
	for item := range strings.SplitSeq(text, l.sep) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func (l *leaf) one(v reflect.Value, text string) error {
	if l.enum != nil && !slices.Contains(l.enum, text) {
		return fmt.Errorf("%q is not one of its values; accepted: %s", text, strings.Join(l.enum, ", "))
	}
	if err := l.scalar(v, text); err != nil {
		return err
	}
	if l.rng == "" {
		return nil
	}
	var i int64
	switch v.Kind() {
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		i = int64(min(v.Uint(), math.MaxInt64))
	default:
		i = v.Int()
	}
	if i < l.lo || i > l.hi {
		return fmt.Errorf("%q is out of range; accepted: %s", text, l.accepted())
	}
	return nil
}

// scalar parses one item into v.
func (l *leaf) scalar(v reflect.Value, text string) error {
	if v.Type() == durationType {
		d, ok := l.duration(text)
		if !ok {
			return fmt.Errorf("%q is not a duration; accepted: %s", text, l.accepted())
		}
		v.SetInt(int64(d))
		return nil
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return l.text(u, v, text)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "on" && text != "off" {
			return fmt.Errorf("%q is not a flag; accepted: on, off", text)
		}
		v.SetBool(text == "on")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number; accepted: %s", text, l.accepted())
		}
		v.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number; accepted: %s", text, l.accepted())
		}
		v.SetUint(n)
	default:
		return fmt.Errorf("conf: a field cannot have type %s", v.Type())
	}
	return nil
}

func (l *leaf) text(u encoding.TextUnmarshaler, v reflect.Value, text string) error {
	if err := u.UnmarshalText([]byte(text)); err != nil {
		return err
	}
	if v.Type() != addressType {
		return nil
	}
	a := v.Addr().Interface().(*value.Address)
	if l.port != 0 && !a.IsZero() {
		*a = a.WithPort(l.port)
	}
	if a.Port == value.NoPort {
		return fmt.Errorf("%q has no port; accepted: HOST:PORT", text)
	}
	return nil
}

// duration reads a number in the field's unit, or one with a unit of its own.
func (l *leaf) duration(text string) (time.Duration, bool) {
	number, unit := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz"), l.unit
	if suffix := text[len(number):]; suffix != "" {
		unit = units[suffix]
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || unit == 0 || n > math.MaxInt64/int64(unit) || n < math.MinInt64/int64(unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// accepted describes the values for an error text.
func (l *leaf) accepted() string {
	what := "whole numbers"
	if l.unit != 0 {
		what = "whole numbers of " + l.unitTag
	}
	what += rangeWords(l.rng)
	for _, word := range slices.Sorted(maps.Keys(l.words)) {
		what += ", " + word
	}
	return what
}

// rangeWords returns a range tag in words, after a blank.
func rangeWords(rng string) string {
	lo, hi, ok := strings.Cut(rng, "..")
	switch {
	case !ok:
		return ""
	case hi == "":
		return " from " + lo
	case lo == "":
		return " up to " + hi
	}
	return " from " + lo + " to " + hi
}

// format returns the written form of v, which parse reads back; a secret is
// hidden.
func (l *leaf) format(v reflect.Value) string {
	if l.typ == durationType {
		for word, text := range l.words {
			if d, ok := l.duration(text); ok && d == v.Interface().(time.Duration) {
				return word
			}
		}
		if d := v.Interface().(time.Duration); d%l.unit != 0 {
			return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
		}
		return strconv.FormatInt(v.Int()/int64(l.unit), 10)
	}
	text := formatPlain(v, l.sep)
	for word, stands := range l.words {
		if stands == text {
			return word
		}
	}
	return text
}

func formatPlain(v reflect.Value, sep string) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err != nil {
			panic(fmt.Sprintf("conf: %s does not marshal: %v", v.Type(), err))
		}
		return string(text)
	}
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return "on"
		}
		return "off"
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = formatPlain(v.Index(i), sep)
		}
		return strings.Join(items, sep)
	}
	return fmt.Sprint(v.Interface())
}
