package conf

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// verneLine is one line of testdata/keys.txt.
type verneLine struct{ class, key, val string }

func verneKeys(t testing.TB) []verneLine {
	t.Helper()
	text, err := os.ReadFile("testdata/keys.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []verneLine
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		class, rest, _ := strings.Cut(line, " ")
		key, val, ok := strings.Cut(strings.TrimSpace(rest), " =")
		if !ok {
			t.Fatalf("testdata/keys.txt: %q is not CLASS KEY = VALUE", line)
		}
		list = append(list, verneLine{class, key, strings.TrimSpace(val)})
	}
	return list
}

// spellings returns the key and, for an option of a listener, its inherited
// spellings.
func (l verneLine) spellings() []string {
	parts := strings.Split(l.key, ".")
	if len(parts) < 4 || parts[0] != "listener" {
		return []string{l.key}
	}
	option := strings.Join(parts[3:], ".")
	list := []string{l.key, "listener." + parts[1] + "." + option}
	if parts[1] != "vmq" {
		list = append(list, "listener."+option)
	}
	return list
}

func TestClass_EveryKey(t *testing.T) {
	s := sample(t)
	severity := map[string][]Severity{"works": nil, "moot": {Warning}, "refused": {Error}}
	for _, l := range verneKeys(t) {
		for _, key := range l.spellings() {
			if got := s.Class(key, l.val).String(); got != l.class {
				t.Errorf("%s = %s: got %s, want %s", key, l.val, got, l.class)
				continue
			}
			text := key + " = " + l.val + "\n"
			if parts := strings.Split(key, "."); len(parts) > 3 && parts[0] == "listener" && !strings.HasPrefix(parts[1], "vmq") && parts[2] == "default" {
				text += strings.Join(parts[:3], ".") + " = 127.0.0.1:0\n"
			}
			var got []Severity
			for _, p := range load(t, text).Problems {
				got = append(got, p.Severity)
				if p.File != "a.conf" || p.Line != 1 || p.Column != 1 || p.Token != key || p.Remedy == "" || strings.Contains(p.String(), "hunter2") {
					t.Errorf("%s = %s: got %+v", key, l.val, p)
				}
			}
			if !slices.Equal(got, severity[l.class]) {
				t.Errorf("%s = %s: got problems %v, want %v", key, l.val, load(t, text).Problems, severity[l.class])
			}
		}
	}
}

// Without any struct each key still has a class, so a build that lacks a
// feature says so instead of calling VerneMQ's key unknown.
func TestClass_NothingBuilt(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range verneKeys(t) {
		for _, key := range l.spellings() {
			if got := s.Class(key, l.val); got != Moot && got != Refused {
				t.Errorf("%s = %s: got %s", key, l.val, got)
			}
		}
	}
}

func TestRules_EachRowIsReached(t *testing.T) {
	reached := map[string]bool{}
	for _, l := range verneKeys(t) {
		for _, key := range l.spellings() {
			if r, ok := ruleFor(key); ok {
				reached[r.pattern] = true
			}
		}
	}
	for _, r := range slices.Concat(rules, pendingRules) {
		if !reached[r.pattern] {
			t.Errorf("no key of testdata/keys.txt reaches the rule %q", r.pattern)
		}
		if r.text == "" || r.moot == "*" && r.remedy != "" {
			t.Errorf("rule %q: texts do not fit its values", r.pattern)
		}
	}
}

func TestRules_Texts(t *testing.T) {
	tests := []struct{ line, want string }{
		{"listener.ssl.psk_support = on", `a.conf:1: error: "listener.ssl.psk_support" is refused at this value: Go's TLS has no pre-shared keys; remove the line and use client certificates (require_certificate = on) or passwords`},
		{"listener.tcp.nr_of_acceptors = 10", `a.conf:1: warning: "listener.tcp.nr_of_acceptors" has no effect; one acceptor per listener is enough`},
		{"plugins.vmq_bridge = on", `a.conf:1: error: "plugins.vmq_bridge" is refused at this value: bridges are not built yet, plugins.bridge is off; remove the line or set it to off`},
	}
	for _, tt := range tests {
		res := load(t, tt.line)
		if len(res.Problems) != 1 || res.Problems[0].String() != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.line, res.Problems, tt.want)
		}
	}
}

// A refused line that a later one takes back is no problem, as in VerneMQ.
func TestRules_LaterLineWins(t *testing.T) {
	if res := load(t, "graphite_enabled = on\ngraphite_enabled = off"); res.Failed() || len(res.Problems) != 1 || res.Problems[0].Line != 2 {
		t.Errorf("got %v", res.Problems)
	}
}

func TestLoad_ShippedVerneMQ(t *testing.T) {
	res, err := sample(t).Load(Sources{File: "testdata/vernemq.conf"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range res.Problems {
		if p.Severity == Error {
			t.Error(p)
		}
	}
	if len(res.Problems) < 20 {
		t.Errorf("got %d warnings, expected more: is the file complete?", len(res.Problems))
	}
}
