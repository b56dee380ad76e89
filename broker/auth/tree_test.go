package auth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/topic"
)

// aclOf returns a plugin with these rules and no file.
func aclOf(t testing.TB, text string) *ACL {
	t.Helper()
	r, err := parseRules("test.acl", text)
	if err != nil {
		t.Fatal(err)
	}
	a := &ACL{}
	a.current.Store(r)
	return a
}

// clientOf returns client "id" of user "user", unless told otherwise by words
// such as "u=bob", "c=dev1", "m=tenant" or "anonymous".
func clientOf(words string) *hook.Client {
	c := &hook.Client{Key: mqtt.SessionKey{ClientID: "id"}, Username: "user", HasUser: true}
	for w := range strings.FieldsSeq(words) {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "u":
			c.Username = value
		case "c":
			c.Key.ClientID = value
		case "m":
			c.Key.Mountpoint = value
		case "anonymous":
			c.Username, c.HasUser = "", false
		}
	}
	return c
}

func publishes(a *ACL, c *hook.Client, name string) bool {
	v, res := a.AuthOnPublish(context.Background(), &hook.Publish{Client: c, Message: &mqtt.Message{Topic: name}})
	return v.Decision == hook.OK && res == nil
}

func subscribes(a *ACL, c *hook.Client, filters ...string) bool {
	s := &hook.Subscribe{Client: c}
	for _, f := range filters {
		s.Topics = append(s.Topics, hook.Topic{Filter: f})
	}
	v, res := a.AuthOnSubscribe(context.Background(), s)
	return v.Decision == hook.OK && res == nil
}

func TestACL_Publish(t *testing.T) {
	tests := []struct{ acl, client, yes, no string }{
		{"", "", "", "a /"},
		{"topic #", "", "a a/b / a//b", "$SYS $SYS/a $a/b"},
		{"topic $SYS/#", "", "$SYS $SYS/a/b", "a $SYSX"},
		{"topic +/b", "", "a/b /b", "$SYS/b a/c a/b/c b"},
		{"topic a/#", "", "a a/ a/b a/b/c", "b aa /a"},
		{"topic a/+/c", "", "a/b/c a//c", "a/c a/b/c/d a/b"},
		{"topic a/b", "", "a/b", "a a/b/ a/b/c A/b"},
		{"topic write a\ntopic read b\ntopic readwrite c", "", "a c", "b"},
		{"topic a/my", "", "a/my", "a/m a"},
		{"topic all\nuser bob\ntopic write x/#\nuser\tann\ntopic y\nuser bob\ntopic z", "u=bob", "all x/1 z", "y"},
		{"topic all\nuser bob\ntopic x", "anonymous", "all", "x"},
		{"user bob\ntopic x", "anonymous u=bob", "", "x"},
		{"user \ttopic\ntopic x", "u=topic", "x", ""},
		{"user bob smith\ntopic x", "u=bob", "", "x"},
		// Patterns are for everybody, wherever they stand.
		{"user bob\npattern write c/%c/+/%u/%m", "u=ann c=dev m=tenant", "c/dev/1/ann/tenant", "c/dev/1/bob/tenant c/x/1/ann/tenant c/dev/1/ann/x"},
		{"pattern %u/x", "u=ann", "ann/x", "%u/x bob/x"},
		{"pattern %u/x", "anonymous", "", "/x %u/x"},
		{"pattern %m/x", "", "/x", "x/x"},
		{"topic %c/x", "", "%c/x", "id/x"},
		{"pattern a/%c/#", "", "a/id a/id/b", "a a/b"},
	}
	for _, tt := range tests {
		a, c := aclOf(t, tt.acl), clientOf(tt.client)
		for name := range strings.FieldsSeq(tt.yes) {
			if !publishes(a, c, name) {
				t.Errorf("%q: %s may not publish to %s", tt.acl, tt.client, name)
			}
		}
		for name := range strings.FieldsSeq(tt.no) {
			if publishes(a, c, name) {
				t.Errorf("%q: %s may publish to %s", tt.acl, tt.client, name)
			}
		}
	}
}

func TestACL_Subscribe(t *testing.T) {
	tests := []struct{ acl, client, yes, no string }{
		{"topic #", "", "# a/# a/+ + +/# a $share/g/# $share/g/a", "$SYS/# $share/g/$SYS/# $share/g $share//a $share"},
		{"topic read a/#", "", "a/# a a/+ a/+/b a/b/# $share/g/a/#", "# + +/b b +/#"},
		{"topic read a/+", "", "a/+ a/b a/", "a/# a a/+/b a/b/# #"},
		{"topic read a/+/#", "", "a/+ a/b/# a/+/#", "a/# a"},
		{"topic read +/b", "", "+/b a/b", "#/b +/+ $SYS/b #"},
		{"topic read a", "", "a", "a/# + # a/+"},
		{"topic write a/#", "", "", "a a/#"},
		{"topic read +", "", "+ a", "#"},
	}
	for _, tt := range tests {
		a, c := aclOf(t, tt.acl), clientOf(tt.client)
		for f := range strings.FieldsSeq(tt.yes) {
			if !subscribes(a, c, f) {
				t.Errorf("%q: may not subscribe to %s", tt.acl, f)
			}
		}
		for f := range strings.FieldsSeq(tt.no) {
			if subscribes(a, c, f) {
				t.Errorf("%q: may subscribe to %s", tt.acl, f)
			}
		}
	}
}

// TestACL_SubscribeAsOne: one filter that is not permitted leaves the whole
// packet undecided, one that is refused already does not count.
func TestACL_SubscribeAsOne(t *testing.T) {
	a, c := aclOf(t, "topic read a\ntopic read b"), clientOf("")
	if !subscribes(a, c, "a", "b") || subscribes(a, c, "a", "x", "b") {
		t.Error("a, b or a, x, b decided wrongly")
	}
	s := &hook.Subscribe{Client: c, Topics: []hook.Topic{{Filter: "a"}, {Filter: "x/#/y", Code: mqtt.TopicFilterInvalid}}}
	if v, _ := a.AuthOnSubscribe(context.Background(), s); v.Decision != hook.OK {
		t.Errorf("with an entry refused already: got %+v", v)
	}
	s.Topics[0].Filter = "x"
	chain := hook.NewChain([]hook.Plugin{a.Plugin()}, nil)
	if v, _ := chain.AuthOnSubscribe(context.Background(), s); v.Decision != hook.Deny || !strings.Contains(v.Reason, "plugin_chain_exhausted") {
		t.Errorf("through a chain: got %+v", v)
	}
}

// TestACL_NamesCannotWiden: whatever a client calls itself, a pattern gives it
// no more than the levels of that name.
func TestACL_NamesCannotWiden(t *testing.T) {
	for _, pattern := range []string{"pattern c/%c/#", "pattern %c/#", "pattern %c", many("pattern %c/#\npattern c/%c/#")} {
		a := aclOf(t, pattern)
		for _, id := range []string{"#", "+", "a/b", "c/a", "$SYS", "$share", "/", ""} {
			c := clientOf("")
			c.Key.ClientID = id
			for _, f := range []string{"#", "+", "+/#", "c/#", "c/+", "c/+/#", "c/#/x", "c/a/b", "c/a/#", "a/b", "a/#", "$SYS/#", "$SYS", "$share/g/#", "$share/g/$SYS/#", "$share/a"} {
				if subscribes(a, c, f) || publishes(a, c, f) {
					t.Errorf("%.40q: client %q got %s", pattern, id, f)
				}
			}
		}
	}
}

// many appends rules of no interest, so that nodes are sorted by level.
func many(acl string) string {
	var b, users strings.Builder
	b.WriteString(acl)
	for i := range 2 * longList {
		fmt.Fprintf(&b, "\ntopic filler/%d\ntopic filler/%d/+/x\ntopic $filler/%d/#", i, i, i)
		fmt.Fprintf(&b, "\npattern %%u/filler/%d\npattern filler/%%c/%d", i, i)
		fmt.Fprintf(&users, "\nuser user%d\ntopic of/%d", i, i)
	}
	return b.String() + users.String()
}

// TestACL_ManyRules runs some of the questions above with nodes that are
// sorted by level.
func TestACL_ManyRules(t *testing.T) {
	a := aclOf(t, many("topic write a/+/c\ntopic read b/#\ntopic +/plus\npattern %c/x/%u\ntopic a\ntopic a/b/c/d\ntopic $SYS/x"))
	c := clientOf("")
	for name, want := range map[string]bool{
		"a/b/c": true, "a": true, "a/b/c/d": true, "a/b": false, "a/b/d": false, "x/plus": true, "$x/plus": false,
		"id/x/user": true, "id/x/id": false, "filler/7": true, "filler/7/y/x": true, "filler/7/y": false, "filler/id/7": true,
		"$filler/3/x": true, "$SYS/x": true, "$SYS/y": false, "user/filler/3": true, "of/3": false, "b/x": false, "filler": false,
	} {
		if got := publishes(a, c, name); got != want {
			t.Errorf("publish %s: got %t, want %t", name, got, want)
		}
	}
	for f, want := range map[string]bool{"b/#": true, "b": true, "#": false, "+/plus": true, "#/plus": false, "a/+": false, "filler/#": false, "$filler/3/#": true} {
		if got := subscribes(a, c, f); got != want {
			t.Errorf("subscribe %s: got %t, want %t", f, got, want)
		}
	}
	if c := clientOf("u=user3"); !publishes(a, c, "of/3") || publishes(a, c, "of/4") {
		t.Error("a user's own rules")
	}
}

// TestACL_Twin compares compiled rules with the plain definition: a topic name
// is permitted when topic.Match says so of any rule with its variables filled
// in, a filter when every name it matches is permitted by one and the same.
func TestACL_Twin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	who := clientOf("c=a u=b m=c")
	names := allNames()
	for round := range 150 {
		var list []rule
		for range rng.IntN(5 * longList) {
			list = append(list, rule{randomFilter(rng, true), access(1 + rng.IntN(3)), rng.IntN(2) == 0})
		}
		s := newScope(list)
		for range 50 {
			name := names[rng.IntN(len(names))]
			want := false
			for _, r := range list {
				want = want || r.access&write != 0 && topic.Match(filled(r, who), name)
			}
			if got := s.permit(name, write, who); got != want {
				t.Fatalf("round %d: %q with %+v: got %t, want %t", round, name, list, got, want)
			}
			if f := randomFilter(rng, false); s.permit(f, read, who) && !covered(list, who, f, names) {
				t.Fatalf("round %d: %q with %+v is permitted, though it can match more than any rule", round, f, list)
			}
		}
	}
}

// filled replaces the variables of a rule; their values are plain levels here.
func filled(r rule, who *hook.Client) string {
	if !r.pattern {
		return r.filter
	}
	levels := strings.Split(r.filter, "/")
	for i, l := range levels {
		switch l {
		case "%c":
			levels[i] = who.Key.ClientID
		case "%u":
			levels[i] = who.Username
		case "%m":
			levels[i] = who.Key.Mountpoint
		}
	}
	return strings.Join(levels, "/")
}

// covered reports whether some rule matches every name that f matches.
func covered(list []rule, who *hook.Client, f string, names []string) bool {
	for _, r := range list {
		all, filter := r.access&read != 0, filled(r, who)
		for _, n := range names {
			all = all && (!topic.Match(f, n) || topic.Match(filter, n))
		}
		if all {
			return true
		}
	}
	return false
}

// randomFilter makes filters of few levels over few words, so that they meet.
func randomFilter(rng *rand.Rand, variables bool) string {
	words := []string{"a", "b", "", "+"}
	if variables {
		words = append(words, "%c", "%u", "%m")
	}
	levels := []string{}
	for range 1 + rng.IntN(3) {
		levels = append(levels, words[rng.IntN(len(words))])
	}
	switch rng.IntN(6) {
	case 0:
		levels = append(levels, "#")
	case 1:
		levels[0] = "$d"
	case 2:
		return "#"
	}
	if f := strings.Join(levels, "/"); f != "" {
		return f
	}
	return "/"
}

// allNames are all topic names up to five levels over the words of
// randomFilter and one that no rule has.
func allNames() []string {
	words, out := []string{"a", "b", "c", "", "z", "$d"}, []string{}
	last := slices.Clone(words)
	for depth := 1; depth <= 4; depth++ {
		for _, n := range last {
			if n != "" {
				out = append(out, n)
			}
		}
		longer := []string{}
		for _, n := range last {
			for _, w := range words[:5] {
				longer = append(longer, n+"/"+w)
			}
		}
		last = longer
	}
	return out
}
