package conf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	text := "\ufeff# comment\r\n\r\na.b = c\r\n\td=e=f #g ## h\nempty =\nhash = a#b\nno blank=x ## y\nbad line\n=\nq = [{a, true}]\nlast = 1\ncomment =  # only\n\xff = 1"
	entries, problems := Parse(Origin{Kind: FromFile, File: "f"}, []byte(text))
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%d:%d %s=%s", e.Origin.Line, e.Column, e.Key, e.Value))
	}
	want := []string{"3:1 a.b=c", "4:2 d=e=f", "5:1 empty=", "6:1 hash=a#b", "10:1 q=[{a, true}]", "11:1 last=1", "12:1 comment="}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = nil
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Text))
	}
	want = []string{`7:1 "no blank" is not a key: ' ' cannot stand in it`, `8:1 "bad line" assigns nothing`,
		`9:1 "" is not a key: a part between two dots is empty`, "13:1 the line is not UTF-8"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a = b # c\n d")
	f.Add("listener.tcp.x = [::1]:1\r\nlistener.tcp.x.mountpoint=")
	s := sample(f)
	f.Fuzz(func(t *testing.T, text string) {
		entries, _ := Parse(Origin{}, []byte(text))
		for _, e := range entries {
			back, bad := Parse(Origin{}, []byte(e.Key+" = "+e.Value))
			if len(bad) != 0 || len(back) != 1 || back[0].Key != e.Key || back[0].Value != e.Value {
				t.Errorf("%q = %q does not read back: %v %v", e.Key, e.Value, back, bad)
			}
		}
		src := Sources{File: "f", ReadFile: files(map[string]string{"f": text})}
		res, err := s.Load(src)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range res.Values() {
			if got, ok := res.Get(v.Key); !ok || got.Value != v.Value {
				t.Errorf("Get(%q) = %+v, %v", v.Key, got, ok)
			}
		}
	})
}

func TestPersist(t *testing.T) {
	path := filepath.Join(t.TempDir(), RuntimeFile)
	check := func(want string, assign ...string) {
		t.Helper()
		if err := Persist(path, assign...); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(string(got), "file.\n"+want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	check("a = 1\nb = x=y\n", "a=1", "b=x=y")
	check("b = x=y\na = 2\n", "a=2")
	for _, assign := range []string{"a=x # y", "a=x\ny", "b"} {
		if err := Persist(path, assign); err == nil {
			t.Errorf("%q: no error", assign)
		}
	}
	check("b = x=y\na = 2\n")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v", info.Mode(), err)
	}
	if list, _ := filepath.Glob(path + ".*"); len(list) != 0 {
		t.Errorf("left behind: %v", list)
	}
	if err := Persist(filepath.Join(path, "x"), "a=1"); err == nil {
		t.Error("no error where there is no folder")
	}
}

// The shipped files hold what the documentation says of them.
func TestShipped(t *testing.T) {
	text, err := os.ReadFile("quickstart.conf")
	if err != nil {
		t.Fatal(err)
	}
	entries, problems := Parse(Origin{}, text)
	got := map[string]string{}
	for _, e := range entries {
		got[e.Key] = e.Value
	}
	want := map[string]string{
		"listener.tcp.default": "127.0.0.1:1883", "listener.http.default": "127.0.0.1:8888", "allow_anonymous": "on",
		"data_dir": "data", "admin.socket": "data/admin.sock", "plugins.passwd": "off", "plugins.acl": "on",
		"acl.acl_file": "conf/quickstart.acl", "plugins.lua": "on", "plugins.lua.priority": "1",
		"script.script_dir": "data/lua", "script.bundled_dir": "scripts",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(problems) != 0 {
		t.Errorf("quickstart.conf: got %v, %v", got, problems)
	}
	for file, rules := range map[string]int{"quickstart.acl": 1, "lunemq.acl": 0, "lunemq.passwd": 0} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				n++
			}
		}
		if n != rules {
			t.Errorf("%s: got %d rules, want %d", file, n, rules)
		}
	}
}
