package conf

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Entry is one assignment as a source wrote it, before its key is looked up.
// Immutable.
type Entry struct {
	Key, Value string // trimmed of blanks; the value may be empty
	Origin     Origin
	Column     int // of the key in its line, in bytes from 1; 0 outside files
}

// Parse reads text in VerneMQ's file format: a line is blank, a comment
// (starting with #) or KEY = VALUE. A # after a blank ends the value, so a
// trailing comment is possible; any other # belongs to the value, as does any
// = after the first. CRLF line ends and a byte order mark are tolerated.
// Lines that are none of these are problems; the rest is still returned.
// Entries get from as their origin, with their line. text is not retained.
func Parse(from Origin, text []byte) ([]Entry, []Problem) {
	var entries []Entry
	var problems []Problem
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	for n, raw := range strings.Split(string(text), "\n") {
		from.Line = n + 1
		e, why, token := parseLine(strings.TrimSuffix(raw, "\r"))
		e.Origin = from
		switch {
		case why != "":
			p := Problem{Token: token, Text: why, Remedy: "write KEY = VALUE, or # before a comment", Column: e.Column}
			problems = append(problems, p.at(from))
		case e.Key != "":
			entries = append(entries, e)
		}
	}
	return entries, problems
}

// parseLine returns the entry of one line (with an empty key for a blank line
// or comment), or what is wrong and the token that shows it.
func parseLine(line string) (e Entry, why, token string) {
	body := strings.TrimLeft(line, " \t")
	if body == "" || body[0] == '#' {
		return Entry{}, "", ""
	}
	e.Column = len(line) - len(body) + 1
	if !utf8.ValidString(body) {
		return e, "the line is not UTF-8", fmt.Sprintf("%q", body)
	}
	key, val, ok := strings.Cut(body, "=")
	key = strings.TrimRight(key, " \t")
	if !ok {
		return e, fmt.Sprintf("%q assigns nothing", body), body
	}
	if bad := badKey(key); bad != "" {
		return e, fmt.Sprintf("%q is not a key: %s", key, bad), key
	}
	e.Key, e.Value = key, strings.TrimSpace(stripComment(val))
	return e, "", ""
}

// stripComment cuts val, what follows the =, at the first # that stands after
// a blank or the = itself.
func stripComment(val string) string {
	for i := range len(val) {
		if val[i] == '#' && (i == 0 || val[i-1] == ' ' || val[i-1] == '\t') {
			return val[:i]
		}
	}
	return val
}

// badKey says what is wrong with a key's form, or "".
func badKey(key string) string {
	for _, seg := range strings.Split(key, ".") {
		if seg == "" {
			return "a part between two dots is empty"
		}
		for _, r := range seg {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
			if !letter && r != '_' && r != '-' && r != '@' {
				return fmt.Sprintf("%q cannot stand in it", r)
			}
		}
	}
	return ""
}

// parseAssignment reads KEY=VALUE as --set and the command set take it.
func parseAssignment(from Origin, text string) (Entry, *Problem) {
	key, val, ok := strings.Cut(text, "=")
	key = strings.TrimSpace(key)
	from.Name = key
	if bad := badKey(key); !ok || bad != "" {
		p := Problem{Token: key, Text: fmt.Sprintf("%q assigns nothing", key), Remedy: "write KEY=VALUE"}.at(from)
		return Entry{}, &p
	}
	return Entry{Key: key, Value: strings.TrimSpace(val), Origin: from}, nil
}
