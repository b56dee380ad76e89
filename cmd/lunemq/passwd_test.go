package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/auth"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// passwdRun is one directory in which lunemq passwd runs.
type passwdRun struct {
	t    *testing.T
	file string
}

func newPasswdRun(t *testing.T) passwdRun {
	return passwdRun{t, filepath.Join(t.TempDir(), "test.passwd")}
}

// do runs with the words of args, FILE standing for the file, and checks exit
// status and a part of what was written to standard error ("" = nothing).
func (p passwdRun) do(args, stdin string, status int, stderr string) {
	p.t.Helper()
	words := strings.Fields(args)
	for i, w := range words {
		if w == "FILE" {
			words[i] = p.file
		}
	}
	var out, errOut bytes.Buffer
	got := passwd(words, strings.NewReader(stdin), &out, &errOut)
	if got != status || !strings.Contains(errOut.String(), stderr) || stderr == "" && errOut.Len() > 0 || out.Len() > 0 {
		p.t.Errorf("passwd %s: got status %d and %q %q, want %d and %q", args, got, out.String(), errOut.String(), status, stderr)
	}
	if _, err := os.Stat(p.file + ".tmp"); err == nil {
		p.t.Errorf("passwd %s: left its temporary file", args)
	}
}

func (p passwdRun) write(text string) {
	p.t.Helper()
	if err := os.WriteFile(p.file, []byte(text), 0o640); err != nil {
		p.t.Fatal(err)
	}
}

func (p passwdRun) read() string {
	p.t.Helper()
	data, err := os.ReadFile(p.file)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// lets says what the plugin passwd makes of user and password.
func (p passwdRun) lets(user, password string) hook.Decision {
	p.t.Helper()
	deps := auth.Deps{Log: slog.New(slog.DiscardHandler), Reloads: new(metric.Counter), Errors: new(metric.Counter)}
	a, err := auth.StartPasswd(context.Background(), auth.PasswdConfig{File: p.file}, deps)
	if err != nil {
		p.t.Fatal(err)
	}
	defer a.Close()
	v, _ := a.AuthOnRegister(context.Background(), &hook.Register{Client: &hook.Client{Username: user, HasUser: true}, Password: []byte(password)})
	return v.Decision
}

func (p passwdRun) decides(user, password string, want hook.Decision) {
	p.t.Helper()
	if got := p.lets(user, password); got != want {
		p.t.Errorf("%s %s: got %v, want %v", user, password, got, want)
	}
}

func (p passwdRun) mode(want os.FileMode) {
	p.t.Helper()
	info, err := os.Stat(p.file)
	if err != nil || info.Mode().Perm() != want {
		p.t.Errorf("got mode %v, %v, want %v", info.Mode(), err, want)
	}
}

func TestPasswd_CreateAndSet(t *testing.T) {
	p := newPasswdRun(t)
	p.do("FILE ann", "one\none\n", 1, "-c creates it")
	p.do("-c FILE ann", "one\none\n", 0, "")
	p.mode(0o600)
	p.decides("ann", "one", hook.OK)
	p.do("FILE bob", "two words\r\ntwo words", 0, "")
	p.decides("bob", "two words", hook.OK)
	p.do("FILE ann", "three\nthree\n", 0, "")
	p.decides("ann", "three", hook.OK)
	p.decides("ann", "one", hook.Deny)
	if lines := strings.Count(p.read(), "\n"); lines != 2 {
		t.Errorf("got %d lines, want 2", lines)
	}

	p.do("-c FILE carl", "x\nx\n", 1, "exists")
	p.decides("ann", "three", hook.OK)
	for i, flags := range []string{"-cf", "-c -f", "-fc"} {
		user := fmt.Sprint("user", i)
		p.do(flags+" FILE "+user, "x\nx\n", 0, "")
		p.decides(user, "x", hook.OK)
		p.decides("ann", "three", hook.Next)
	}
	p.do("-cf -- FILE -c", "x\nx\n", 0, "")
	p.decides("-c", "x", hook.OK)
}

func TestPasswd_RefusesPassword(t *testing.T) {
	p := newPasswdRun(t)
	p.write("# users\n")
	p.do("FILE ann", "", 1, "no password")
	p.do("FILE ann", "\n\n", 1, "the password is empty")
	p.do("FILE ann", "one\ntwo\n", 1, "the passwords differ")
	p.do("FILE ann", "one\n", 1, "was not repeated")
	if got := p.read(); got != "# users\n" {
		t.Errorf("the file became %q", got)
	}
}

func TestPasswd_RefusesUser(t *testing.T) {
	p := newPasswdRun(t)
	for user, want := range map[string]string{"": "is empty", "a:b": "a colon", "a\nb": "a control character", "#a": "begins with a character", "\ufeffa": "begins with a character"} {
		var out, errOut bytes.Buffer
		status := passwd([]string{"-c", p.file, user}, strings.NewReader("x\nx\n"), &out, &errOut)
		if status != 1 || !strings.Contains(errOut.String(), want) {
			t.Errorf("user %q: got status %d, %q", user, status, errOut.String())
		}
	}
	if _, err := os.Stat(p.file); err == nil {
		t.Error("the file was made")
	}
}

func TestPasswd_Delete(t *testing.T) {
	p := newPasswdRun(t)
	p.do("-D FILE ann", "", 1, "no such file")
	p.do("-c FILE ann", "x\nx\n", 0, "")
	p.do("FILE bob", "y\ny\n", 0, "")
	p.do("-D FILE carl", "", 0, `Warning: user "carl" is not in `)
	p.do("-D FILE ann", "", 0, "")
	p.decides("ann", "x", hook.Next)
	p.decides("bob", "y", hook.OK)
}

func TestPasswd_Upgrade(t *testing.T) {
	p := newPasswdRun(t)
	p.do("-U FILE", "", 1, "no such file")
	p.do("-c FILE ann", "one\none\n", 0, "")
	hashed := strings.TrimSpace(p.read())
	p.write("\ufeff# ours\n\nbob:two\r\n" + hashed + "\ncarl:a:b \n")
	if err := os.Chmod(p.file, 0o640); err != nil {
		t.Fatal(err)
	}
	p.do("-U FILE", "", 0, "")
	p.mode(0o640)
	p.decides("ann", "one", hook.OK)
	p.decides("bob", "two", hook.OK)
	p.decides("carl", "a:b ", hook.OK)
	got := p.read()
	if lines := strings.Split(got, "\n"); len(lines) != 6 || lines[0] != "# ours" || lines[3] != hashed {
		t.Errorf("got %q", got)
	}
	p.do("-U FILE", "", 0, "")
	if again := p.read(); again != got {
		t.Errorf("a second time: %q became %q", got, again)
	}

	bad := "dora:clear\nsecretword\ne:\nf:$6$secretword\n"
	p.write(bad)
	for _, want := range []string{p.file + ":2: auth: no colon", p.file + `:3: auth: user "e" has an empty password`, p.file + `:4: auth: user "f": `, "nothing was changed"} {
		p.do("-U FILE", "", 1, want)
	}
	if got := p.read(); got != bad {
		t.Errorf("got %q", got)
	}
}

// TestPasswd_Replaces: the file is another one afterwards, behind the link
// that leads to it, with owner and mode of the one before.
func TestPasswd_Replaces(t *testing.T) {
	p := newPasswdRun(t)
	p.write("")
	before, err := os.Stat(p.file)
	if err != nil {
		t.Fatal(err)
	}
	link := p.file + ".link"
	if err := os.Symlink(p.file, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.file+".tmp", []byte("of a crash"), 0o644); err != nil {
		t.Fatal(err)
	}
	passwdRun{t, link}.do("FILE ann", "x\nx\n", 0, "")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if after, err := os.Stat(p.file); err != nil || os.SameFile(before, after) {
		t.Errorf("the file was written in place: %v", err)
	}
	p.mode(before.Mode().Perm())
	p.decides("ann", "x", hook.OK)
}

func TestPasswd_Usage(t *testing.T) {
	p := newPasswdRun(t)
	for args, want := range map[string]string{
		"":              "0 arguments in place of 2",
		"FILE":          "1 arguments in place of 2",
		"-U FILE x":     "2 arguments in place of 1",
		"-x FILE ann":   `unknown option "-x"`,
		"-cx FILE ann":  `unknown option "-cx"`,
		"-f FILE ann":   "-f goes with -c only",
		"-c -D FILE a":  "exclude each other",
		"-DU FILE":      "exclude each other",
		"--user FILE a": `unknown option "--user"`,
	} {
		p.do(args, "", 2, want)
	}
	for _, arg := range []string{"-h", "--help"} {
		var out, errOut bytes.Buffer
		if status := passwd([]string{arg}, nil, &out, &errOut); status != 0 || out.String() != passwdUsage || errOut.Len() > 0 {
			t.Errorf("%s: got %d, %q, %q", arg, status, out.String(), errOut.String())
		}
	}
}
