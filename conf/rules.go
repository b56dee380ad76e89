package conf

import (
	"fmt"
	"slices"
	"strings"
)

// Class is what becomes of a key.
type Class uint8

// The classes. Every key of VerneMQ is in one of the first three.
const (
	Works   Class = iota // a Config struct has a field for it
	Moot                 // accepted without effect, with a warning
	Refused              // an error: ignoring it would change who gets in, what clients see, or lose data
	Unknown              // an error: no such key
)

// String returns the class in lower case.
func (c Class) String() string { return [...]string{"works", "moot", "refused", "unknown"}[c] }

// rule classes keys of VerneMQ that no Config struct has. A key that a struct
// has is never looked up here, so a feature that is built needs no change to
// the table, though its row may then be deleted.
type rule struct {
	// pattern is a key in which a part in capitals stands for any name, a last
	// part * for any rest, and ** for any number of parts, none included.
	pattern string
	// moot holds the values, parted by |, at which the key has no effect; at
	// all others it is refused. * is any value.
	moot   string
	text   string // what takes its place, or why it is refused
	remedy string // for refused values; "" is made from moot
}

// rule returns the first rule for a key that find does not know. What is
// pending for one kind of listener but built for another is no rule: then the
// key is unknown, and nearest tells where it belongs.
func (s *Schema) rule(key string) (rule, bool) {
	r, ok := ruleFor(key)
	if ok && r.text == noDatabases && slices.ContainsFunc(s.keys, func(k Key) bool { return strings.HasPrefix(k.Pattern, "script.") }) {
		return rule{}, false // they are built: what is not among them does not exist
	}
	if !ok || !slices.Contains(pendingRules, r) {
		return r, ok
	}
	_, option, shared := strings.Cut(r.pattern, ".**.")
	for _, k := range s.keys {
		if k.Pattern == r.pattern || shared && k.table != nil && k.table.inherit && k.leaf.key == option {
			return rule{}, false
		}
	}
	return r, true
}

// ruleFor returns the first rule for key, whatever is built. Native spellings
// find the rules of their VerneMQ names.
func ruleFor(key string) (rule, bool) {
	for _, spelling := range []string{key, verneKey(key)} {
		if spelling == "" {
			continue
		}
		for _, table := range [][]rule{rules, pendingRules} {
			for _, r := range table {
				if matchParts(strings.Split(r.pattern, "."), strings.Split(spelling, ".")) {
					return r, true
				}
			}
		}
	}
	return rule{}, false
}

func matchParts(pattern, key []string) bool {
	for i, part := range pattern {
		switch {
		case part == "**":
			for skip := i; skip <= len(key); skip++ {
				if matchParts(pattern[i+1:], key[skip:]) {
					return true
				}
			}
			return false
		case part == "*":
			return len(key) > i
		case i >= len(key) || !isWild(part) && part != key[i]:
			return false
		}
	}
	return len(pattern) == len(key)
}

// ruleOptions returns the options that rules know for every table below root.
func ruleOptions(root string) map[string]bool {
	options := map[string]bool{}
	for _, r := range slices.Concat(rules, pendingRules) {
		if option, ok := strings.CutPrefix(r.pattern, root+".**."); ok {
			options[firstPart(option)] = true
		}
	}
	return options
}

// class returns the class of the rule's key at a value.
func (r rule) class(text string) Class {
	text = strings.ReplaceAll(text, " ", "")
	if r.moot == "*" || slices.Contains(strings.Split(r.moot, "|"), text) {
		return Moot
	}
	return Refused
}

// problem says that key has no effect or is refused at a value.
func (r rule) problem(key, text string) Problem {
	if r.class(text) == Moot {
		return Problem{Token: key, Severity: Warning, Text: fmt.Sprintf("%q has no effect", key), Remedy: r.text}
	}
	p := Problem{Token: key, Text: fmt.Sprintf("%q is refused at this value: %s", key, r.text), Remedy: r.remedy}
	switch {
	case r.remedy != "":
	case r.moot == "":
		p.Remedy = "remove the line"
	default:
		p.Remedy = fmt.Sprintf("remove the line or set it to %s", strings.ReplaceAll(r.moot, "|", " or "))
	}
	return p
}

// Class returns the class of key at a value.
func (s *Schema) Class(key, text string) Class {
	if len(s.find(key)) > 0 {
		return Works
	}
	if r, ok := s.rule(key); ok {
		return r.class(text)
	}
	return Unknown
}
