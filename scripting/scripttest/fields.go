package scripttest

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/scripting/luaconv"
)

// base64Key is the one key of an object that stands for a string which is not
// UTF-8.
const base64Key = "base64"

// check finds fields that the hook's argument table does not have, and values
// of the wrong type: what a test says must not be ignored.
func (e *Event) check() error {
	fields := luaconv.Fields(e.Hook)
	if fields == nil {
		var known []string
		for _, p := range hook.Points {
			known = append(known, p.Name)
		}
		slices.Sort(known)
		return fmt.Errorf("there is no hook %q for scripts; hooks are %s, some with _m5", e.Hook, strings.Join(known, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(e.args)) {
		if name == "hook" || name == "after" || name == "expect" {
			continue
		}
		i := slices.IndexFunc(fields, func(f luaconv.Field) bool { return f.Name == name })
		if i < 0 {
			var all []string
			for _, f := range fields {
				all = append(all, f.Name)
			}
			return fmt.Errorf("the argument of %s has no field %q; its fields are %s; every event may have after and expect", e.Hook, name, strings.Join(all, ", "))
		}
		if v := e.args[name]; !isA(fields[i].Type, v) {
			return fmt.Errorf("%q: want %s, got %v", name, strings.TrimSuffix(fields[i].Type, "?"), show(v))
		}
	}
	props, _ := e.args["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if !slices.Contains(luaconv.Properties, name) {
			return fmt.Errorf(`"properties": there is none called %q; there are %s`, name, strings.Join(luaconv.Properties, ", "))
		}
	}
	return nil
}

// isA reports whether a value is of a type in LuaLS notation.
func isA(kind string, v any) (ok bool) {
	kind, optional := strings.CutSuffix(kind, "?")
	switch {
	case v == nil:
		return optional
	case kind == "string":
		if _, ok = v.(string); !ok {
			_, ok = decoded(v)
		}
	case kind == "integer":
		var n float64
		n, ok = v.(float64)
		ok = ok && n >= 0 && n == float64(uint32(n))
	case kind == "boolean":
		_, ok = v.(bool)
	default:
		switch v.(type) {
		case map[string]any, []any:
			ok = true
		}
	}
	return ok
}

// decoded reads {"base64": "..."}.
func decoded(v any) (text string, ok bool) {
	m, _ := v.(map[string]any)
	if s, is := m[base64Key].(string); is && len(m) == 1 {
		raw, err := base64.StdEncoding.DecodeString(s)
		return string(raw), err == nil
	}
	return "", false
}

// stringOf reads a string or what stands for one.
func stringOf(v any) (string, bool) {
	if s, ok := v.(string); ok {
		return s, true
	}
	return decoded(v)
}

func (e *Event) text(key, def string) string {
	if s, ok := stringOf(e.args[key]); ok {
		return s
	}
	return def
}

func (e *Event) number(key string) int {
	v, _ := e.args[key].(float64)
	return int(v)
}

func (e *Event) truth(key string, def bool) bool {
	if v, ok := e.args[key].(bool); ok {
		return v
	}
	return def
}
