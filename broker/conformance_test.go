package broker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/wiretest"
)

// statement is one line of testdata/conformance.
type statement struct {
	tag, section, says string
	tests              []string // wire scripts and package.Test
	reason             string   // why there is no test
}

// reasons are the ones a statement may have for not being tested; each but the
// first says more behind a colon.
var reasons = []string{"client only", "not observable", "later version", "knowingly not"}

// tables are the standards with the number of their statements.
var tables = []struct {
	file, name string
	count      int
}{
	{"mqtt5.txt", "MQTT 5.0", 251},
	{"mqtt311.txt", "MQTT 3.1.1", 141},
}

var statementTag = regexp.MustCompile(`^MQTT-([0-9]+\.[0-9]+\.[0-9]+)-[0-9]+$`)

// parseTable reads a table; bad is what is wrong with its form.
func parseTable(text string) (list []statement, bad []string) {
	seen := map[string]bool{}
	for n, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, " | ")
		complain := func(what string) { bad = append(bad, fmt.Sprintf("line %d: %s: %s", n+1, what, line)) }
		if len(f) != 4 {
			complain("not four columns")
			continue
		}
		s := statement{tag: f[0], section: f[1], says: f[2]}
		m := statementTag.FindStringSubmatch(s.tag)
		if m == nil || !strings.HasPrefix(s.section+".0.0", strings.TrimRight(m[1], ".0")) {
			complain("tag and section do not agree")
		}
		if seen[s.tag] {
			complain("twice")
		}
		seen[s.tag] = true
		why, more, _ := strings.Cut(f[3], ": ")
		switch i := slices.Index(reasons, why); {
		case i == 0 || i > 0 && more != "":
			s.reason = why
		case i > 0:
			complain("a reason without why")
		default:
			s.tests = strings.Split(f[3], ", ")
		}
		list = append(list, s)
	}
	return list, bad
}

// exists reports whether a named test does: a wire script, or package.Test.
func exists(t *testing.T, name string, cache map[string]string) bool {
	t.Helper()
	pkg, test, isGo := strings.Cut(name, ".Test")
	if !isGo {
		_, err := os.Stat("testdata/wire/" + name + ".txt")
		return err == nil
	}
	dir := map[string]string{"broker": ".", "main": "../cmd/lunemq"}[pkg]
	if dir == "" {
		dir = pkg
	}
	if _, read := cache[dir]; !read {
		files, err := filepath.Glob(dir + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
		cache[dir] = all.String()
	}
	return strings.Contains(cache[dir], "\nfunc Test"+test+"(t *testing.T)")
}

// TestConformance checks the tables of normative statements and prints what
// they come to.
func TestConformance(t *testing.T) {
	known, cache := map[string]bool{}, map[string]string{}
	for _, table := range tables {
		text, err := os.ReadFile("testdata/conformance/" + table.file)
		if err != nil {
			t.Fatal(err)
		}
		list, bad := parseTable(string(text))
		for _, b := range bad {
			t.Errorf("%s: %s", table.file, b)
		}
		if len(list) != table.count {
			t.Errorf("%s has %d statements, the standard %d", table.file, len(list), table.count)
		}
		tested, by := 0, map[string]int{}
		for _, s := range list {
			known[s.tag] = true
			by[s.reason]++
			if s.reason == "" {
				tested++
			}
			for _, name := range s.tests {
				if !exists(t, name, cache) {
					t.Errorf("%s: %s: there is no test %s", table.file, s.tag, name)
				}
			}
		}
		parts := []string{fmt.Sprintf("tested %d", tested)}
		for _, r := range reasons {
			parts = append(parts, fmt.Sprintf("%s %d", r, by[r]))
		}
		t.Logf("%s: %d statements: %s", table.name, len(list), strings.Join(parts, ", "))
	}
	for where, tags := range citations(t) {
		for _, tag := range tags {
			if !known[tag] {
				t.Errorf("%s cites %s, which no table has", where, tag)
			}
		}
	}
}

// citations returns the tags cited in wire scripts and in Go files of the
// broker, by file.
func citations(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, path := range scripts(t) {
		s, err := wiretest.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		out[path] = s.Tags
	}
	tag := regexp.MustCompile(`\[(MQTT-[0-9.]+-[0-9]+)\]`)
	files, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, more...) {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range tag.FindAllStringSubmatch(string(text), -1) {
			out[f] = append(out[f], m[1])
		}
	}
	return out
}

// TestConformance_NoticesFaults plants one fault per rule in a table.
func TestConformance_NoticesFaults(t *testing.T) {
	good := "MQTT-3.1.2-4 | 3.1.2.4 | it does | 3.1-connect-clean\n"
	if _, bad := parseTable(good); len(bad) > 0 {
		t.Fatalf("a good line is bad: %q", bad)
	}
	for name, text := range map[string]string{
		"duplicate":      good + good,
		"columns":        "MQTT-3.1.2-4 | 3.1.2.4 | it does\n",
		"tag":            "MQTT-3.1-4 | 3.1 | it does | client only\n",
		"section":        "MQTT-3.1.2-4 | 3.3 | it does | client only\n",
		"reason":         "MQTT-3.1.2-4 | 3.1.2 | it does | knowingly not\n",
		"unknown reason": "MQTT-3.1.2-4 | 3.1.2 | it does | too hard: sorry\n",
	} {
		list, bad := parseTable(text)
		if len(bad) == 0 && (len(list) == 0 || len(list[0].tests) == 0 || exists(t, list[0].tests[0], map[string]string{})) {
			t.Errorf("%s: the planted fault was not found", name)
		}
	}
	cache := map[string]string{}
	if !exists(t, "session.TestResponses_Order", cache) || exists(t, "session.TestNothing", cache) || exists(t, "3.1-nothing", cache) {
		t.Error("exists is wrong about tests")
	}
}
