package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// testRegistry holds commands of all shapes; each answers with what it got.
func testRegistry(t *testing.T) *Registry {
	t.Helper()
	echo := func(_ context.Context, c *Call) (Result, error) {
		var b strings.Builder
		for _, k := range c.Keys {
			b.WriteString(k + "=" + c.Args[k] + " ")
		}
		for _, o := range c.Options {
			b.WriteString("--" + o.Name)
			if o.Set {
				b.WriteString("=" + o.Value)
			}
			b.WriteString(" ")
		}
		return Text(strings.TrimSpace(b.String() + strings.Join(c.Words, " "))), nil
	}
	r := NewRegistry()
	err := r.Add(
		Command{Path: "session show", Doc: "Show sessions", Run: echo, Columns: []string{"client_id", "user"}, Flags: []Flag{
			{Name: "client_id", Kind: FlagOptional, Doc: "show or filter"},
			{Name: "limit", Short: "l", Kind: FlagValue, Doc: "rows"},
		}},
		Command{Path: "session disconnect", Doc: "Disconnect", Run: echo, Changes: true,
			Args:  []Arg{{Name: "client-id", Doc: "who", Required: true}},
			Flags: []Flag{{Name: "cleanup", Short: "c"}, {Name: "mountpoint", Short: "m", Kind: FlagValue}}},
		Command{Path: "session disconnect clients", Doc: "Disconnect many", Run: echo, Args: []Arg{{Name: "client-ids"}}},
		Command{Path: "set", Doc: "Set keys", Run: echo, FreeArgs: true, Changes: true},
		Command{Path: "show", Doc: "Show keys", Run: echo, Words: "KEY"},
		Command{Path: "plugin enable", Doc: "Enable", Run: echo, Flags: []Flag{{Name: "hook", Short: "h", Kind: FlagValue}}},
	)
	if err == nil {
		err = r.Add(r.HelpCommands()...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func run(r *Registry, line string) (Result, error) {
	c, err := r.Parse(strings.Fields(line))
	if err != nil {
		return nil, err
	}
	return r.Execute(context.Background(), c)
}

func TestParse_Accepts(t *testing.T) {
	r := testRegistry(t)
	for line, want := range map[string]string{
		"session show":                                "",
		"session show --client_id --limit=10":         "--client_id --limit=10",
		"session show --client_id=a=b --limit 10":     "--client_id=a=b --limit=10",
		"session show -l 5 --client_id=~^x":           "--limit=5 --client_id=~^x",
		"session show -l=5":                           "--limit=5",
		"session show --limit -1":                     "--limit=-1",
		"session show --format=json":                  "",
		"session disconnect client-id=x -c":           "client-id=x --cleanup=true",
		"session disconnect client-id=x -m mp -c":     "client-id=x --mountpoint=mp --cleanup=true",
		"session disconnect --cleanup=off client-id=": "client-id= --cleanup=false",
		"session disconnect clients client-ids=a,b":   "client-ids=a,b",
		"set a.b=1 c=2":                               "a.b=1 c=2",
		"show a b":                                    "a b",
		"plugin enable -h auth_on_register":           "--hook=auth_on_register",
	} {
		got, err := run(r, line)
		if err != nil || got != Text(want) {
			t.Errorf("%s:\n got %q, %v\nwant %q", line, got, err, want)
		}
	}
	c, err := r.Parse([]string{"show", "--format=json"})
	if err != nil || !c.JSON {
		t.Errorf("--format=json: got %+v, %v", c, err)
	}
}

func TestParse_Refuses(t *testing.T) {
	r := testRegistry(t)
	for line, want := range map[string]string{
		"":                                           "no command given",
		"--limit=1":                                  `"--limit=1" stands where a command should`,
		"sesion show":                                `unknown command "sesion", did you mean "session"?`,
		"session shwo":                               `unknown command "session shwo", did you mean "show"?`,
		"session":                                    `"session" needs one more word: disconnect, show`,
		"session zzzzzzzz":                           `; valid: disconnect, show`,
		"session show extra":                         `session show does not take "extra"`,
		"session disconnect cleints":                 `session disconnect does not take "cleints", did you mean "clients"?`,
		"session disconnect client-id=x y":           `session disconnect does not take "y"`,
		"session show --client-id":                   `flag "--client-id", did you mean "--client_id"?`,
		"session show --l=1":                         `does not know the flag "--l"`,
		"session show -client_id":                    `does not know the flag "-client_id"`,
		"session show --limit":                       "needs a value",
		"session show --limit --client_id":           "needs a value",
		"session show --format=xml":                  "--format=xml is neither json nor table",
		"session disconnect":                         "needs the argument client-id=",
		"session disconnect clientid=x":              `argument "clientid=", did you mean "client-id"?`,
		"session disconnect client-id=x -c=maybe":    "-c=maybe is neither true nor false",
		"session disconnect client-id=x client-id=y": "given twice",
	} {
		got, err := run(r, line)
		if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v, %v\nwant an error with %s", line, got, err, want)
		}
	}
}

func TestAdd_RefusesFaults(t *testing.T) {
	ok := func(context.Context, *Call) (Result, error) { return Done, nil }
	for name, c := range map[string]Command{
		"twice":        {Path: "show", Doc: "d", Run: ok},
		"empty":        {Doc: "d", Run: ok},
		"spaces":       {Path: "a  b", Doc: "d", Run: ok},
		"no run":       {Path: "x", Doc: "d"},
		"no doc":       {Path: "x", Run: ok},
		"flag twice":   {Path: "x", Doc: "d", Run: ok, Flags: []Flag{{Name: "a"}, {Name: "a"}}},
		"letter twice": {Path: "x", Doc: "d", Run: ok, Flags: []Flag{{Name: "a", Short: "z"}, {Name: "b", Short: "z"}}},
		"reserved":     {Path: "x", Doc: "d", Run: ok, Flags: []Flag{{Name: "help"}}},
	} {
		if err := testRegistry(t).Add(c); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestHelp(t *testing.T) {
	r := testRegistry(t)
	f := func(line string, want ...string) {
		t.Helper()
		got, err := run(r, line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			return
		}
		for _, w := range want {
			if !strings.Contains(string(got.(Text)), w) {
				t.Errorf("%s: lacks %q:\n%s", line, w, got)
			}
		}
	}
	f("--help", "Usage: lunemq-admin COMMAND", "session show", "Show sessions")
	f("session --help", "lunemq-admin session COMMAND", "  show ", "  disconnect clients ")
	f("session show --limit --help", "-l, --limit=VALUE", "--client_id[=VALUE]", "Columns: client_id, user")
	f("session disconnect -h", "client-id=VALUE", "client-id=", "-c, --cleanup")
	f("help session disconnect", "Usage: lunemq-admin session disconnect client-id=VALUE [FLAGS]")
	if _, err := run(r, "nothing --help"); !errors.Is(err, ErrUsage) {
		t.Errorf("help for an unknown word: got %v", err)
	}
}

func TestComplete(t *testing.T) {
	r := testRegistry(t)
	f := func(line string, want ...string) {
		t.Helper()
		if got := r.Complete(strings.Split(line, " ")); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
	f("se", "session", "set")
	f("session ", "--help", "disconnect", "show")
	f("session show --l", "--limit=")
	f("session disconnect c", "client-id=", "clients")
	f("session disconnect client-id=x --", "--cleanup", "--format=json", "--help", "--mountpoint=")
	if got, err := run(r, "complete line=sessio"); err != nil || got != Text("session") {
		t.Errorf("complete: got %v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"session show --limit=1", "set a=b", "-- = --= -", "session disconnect client-id=x -c=", "--format"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r := testRegistry(t)
		c, err := r.Parse(strings.Split(line, " "))
		if (c == nil) == (err == nil) {
			t.Errorf("got %v and %v", c, err)
		}
	})
}
