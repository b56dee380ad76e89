package auth

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseRules_Tolerates(t *testing.T) {
	text := "\ufeff# comment\r\n\r\n  \t \n \t# indented\n\ttopic\tread\t a/b c \t\r\ntopic read\ntopic deny\n" +
		"topic write write\nuser  ann bob \ntopic readwrite x\npattern write  %c/#\nuser u\nuser ann bob\ntopic y"
	everybody, users, err := readRules("f", text)
	if err != nil {
		t.Fatal(err)
	}
	want := []rule{{"a/b c", read, false}, {"read", readWrite, false}, {"deny", readWrite, false}, {"write", write, false}, {"%c/#", write, true}}
	if !slices.Equal(everybody, want) {
		t.Errorf("everybody: got %v, want %v", everybody, want)
	}
	wantUsers := map[string][]rule{"ann bob": {{"x", readWrite, false}, {"y", readWrite, false}}}
	if !reflect.DeepEqual(users, wantUsers) {
		t.Errorf("users: got %v, want %v", users, wantUsers)
	}
}

func TestParseRules_BadLines(t *testing.T) {
	tests := []struct{ line, problem, remedy string }{
		{"Topic a", "unknown word Topic", "a line begins with topic, user, pattern or #"},
		{"topic", "no topic filter", "such as a/b"},
		{"pattern", "no topic filter", "such as a/b"},
		{"topic deny a/b", "deny does not exist", "rules only permit"},
		{"pattern deny a/%c", "deny does not exist", "rules only permit"},
		{"topic a/#/b", "not a topic filter", "# as the whole last one"},
		{"topic read a+", "not a topic filter", "+ as a whole level"},
		{"topic a/b # note", "not a topic filter", "a comment needs a line of its own"},
		{"topic a\x00", "not a topic filter", ""},
		{"topic \xff", "not a topic filter", ""},
		{"topic $share/g/a", "a share name in a rule", "write the filter alone"},
		{"user", "user without a name", "write user NAME"},
		{"pattern a/x%c", "%c is not a whole level", "a level of its own"},
		{"pattern %u%c/a", "is not a whole level", "a level of its own"},
	}
	text := ""
	for _, tt := range tests {
		text += "topic good\n" + tt.line + "\n"
	}
	_, err := parseRules("some.acl", text)
	all, ok := err.(interface{ Unwrap() []error })
	if !ok || len(all.Unwrap()) != len(tests) {
		t.Fatalf("got %v, want an error for each of %d lines", err, len(tests))
	}
	for i, e := range all.Unwrap() {
		tt, bad := tests[i], (*LineError)(nil)
		if !errors.As(e, &bad) || bad.Line != 2*i+2 || bad.File != "some.acl" || bad.Text != tt.line ||
			!strings.Contains(bad.Problem, tt.problem) || !strings.Contains(bad.Remedy, tt.remedy) {
			t.Errorf("%q: got %v, want line %d, %s; %s", tt.line, e, 2*i+2, tt.problem, tt.remedy)
		}
	}
	want := `auth: some.acl:2: unknown word Topic: "Topic a"; a line begins with topic, user, pattern or #`
	if got := all.Unwrap()[0].Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestACL_PermitsEverything(t *testing.T) {
	for acl, want := range map[string]bool{
		"topic #": true, "topic a\npattern #": true, "topic read #\ntopic write #": true, "topic readwrite #": true,
		"": false, "topic read #": false, "topic +/#": false, "user u\ntopic #": false, "topic a/#": false,
	} {
		if got := aclOf(t, acl).PermitsEverything(); got != want {
			t.Errorf("%q: got %t, want %t", acl, got, want)
		}
	}
}

// TestParseRules_ShippedFiles: what is installed is in order and means what
// its comments say.
func TestParseRules_ShippedFiles(t *testing.T) {
	for name, everything := range map[string]bool{"lunemq.acl": false, "quickstart.acl": true} {
		data, err := os.ReadFile(filepath.Join("..", "..", "conf", name))
		if err != nil {
			t.Fatal(err)
		}
		if got := aclOf(t, string(data)).PermitsEverything(); got != everything {
			t.Errorf("%s: permits everything: got %t, want %t", name, got, everything)
		}
		// The examples are in order too.
		for line := range strings.Lines(string(data)) {
			if example, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(line, "# ") {
				aclOf(t, example)
			}
		}
	}
}

// printRules is the opposite of readRules, for the fuzz test.
func printRules(everybody []rule, users map[string][]rule) string {
	var b strings.Builder
	show := func(list []rule) {
		for _, r := range list {
			word := map[bool]string{false: "topic", true: "pattern"}[r.pattern]
			verb := [...]string{read: "read", write: "write", readWrite: "readwrite"}[r.access]
			fmt.Fprintf(&b, "%s %s %s\n", word, verb, r.filter)
		}
	}
	show(everybody)
	for name, list := range users {
		fmt.Fprintf(&b, "user %s\n", name)
		show(list)
	}
	return b.String()
}

// FuzzParseRules: nothing panics, and what parses prints back and parses to
// the same rules, which answer.
func FuzzParseRules(f *testing.F) {
	f.Add("topic #\r\n\tuser\tu \npattern read %c/%u/%m/#\ntopic write a b/+\n")
	f.Add("topic read read x\ntopic readwrite\ntopic deny\ntopic deny x\nuser\nuser #\n")
	f.Add("topic $SYS/#\ntopic $share/a/b\n\ufeff\ntopic  \x00\ntopic \xc3\n")
	f.Add(strings.Repeat("topic a/+/b\ntopic a/#\npattern %c/a\n", 8))
	f.Fuzz(func(t *testing.T, text string) {
		everybody, users, err := readRules("f", text)
		r, err2 := parseRules("f", text)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("got %v and %v", err, err2)
		}
		if err != nil {
			_ = err.Error()
			return
		}
		printed := printRules(everybody, users)
		everybody2, users2, err := readRules("f", printed)
		if err != nil || !slices.Equal(everybody, everybody2) || !reflect.DeepEqual(users, users2) {
			t.Fatalf("%q became %q, which is %v %v, %v", text, printed, everybody2, users2, err)
		}
		who := clientOf("")
		for _, rule := range everybody {
			if !rule.pattern && !r.permit(rule.filter, rule.access, who) {
				t.Fatalf("%q does not permit its own %q", text, rule.filter)
			}
		}
	})
}
