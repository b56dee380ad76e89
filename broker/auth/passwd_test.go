package auth

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
)

// Computed without this package, by Python's hashlib: the passwords are
// "secret" and "geheim".
const (
	ann = "ann:$6$AAECAwQFBgcICQoL$JqsxEv/ucyxjA5DKsQ+Y8CDWaQDNQI9FpAkmfwAqWfwZLk/JEGgM0EpylrJHAZKKyFQjJeZ3nFaHjPzOzPPmPw=="
	bob = "bob:$7$101$AAECAwQFBgcICQoL$19FDyvggg0T3fMeC7wxCzZYNOBBEtm6OzIlM5AtA0Sl3/kJ+hoDyDXYfdiJWPSbMmymwUzV3Nfc2EZA9lgz6cg=="
)

func passwdOf(t testing.TB, text string) *Passwd {
	t.Helper()
	u, err := parseUsers("test.passwd", text)
	if err != nil {
		t.Fatal(err)
	}
	p := &Passwd{}
	p.current.Store(u)
	return p
}

func TestPasswd_AuthOnRegister(t *testing.T) {
	p := passwdOf(t, "# users\n\n"+ann+"\r\n"+bob+" \n")
	f := func(user, password string, want hook.Decision) {
		t.Helper()
		v, res := p.AuthOnRegister(context.Background(), &hook.Register{Client: clientOf("u=" + user), Password: []byte(password)})
		if v.Decision != want || res != nil {
			t.Errorf("%s %s: got %+v, want %v", user, password, v, want)
		}
		if want == hook.Deny && (!v.InvalidCredentials || v.Code != mqtt.BadUserNameOrPassword || !strings.Contains(v.Reason, user) || strings.Contains(v.Reason, password)) {
			t.Errorf("%s %s: got %+v", user, password, v)
		}
	}
	f("ann", "secret", hook.OK)
	f("ann", "geheim", hook.Deny)
	f("ann", "secret ", hook.Deny)
	f("bob", "geheim", hook.OK)
	f("bob", "secret", hook.Deny)
	f("carl", "secret", hook.Next)
	f("", "secret", hook.Next)

	ask := func(name string, r *hook.Register, want hook.Decision) {
		t.Helper()
		if v, _ := p.AuthOnRegister(context.Background(), r); v.Decision != want {
			t.Errorf("%s: got %+v, want %v", name, v, want)
		}
	}
	ask("no user name", &hook.Register{Client: clientOf("anonymous"), Password: []byte("secret")}, hook.Next)
	ask("no password", &hook.Register{Client: clientOf("u=ann")}, hook.Next)
	ask("empty password", &hook.Register{Client: clientOf("u=ann"), Password: []byte{}}, hook.Deny)
	if plugin := p.Plugin(); plugin.Name != "passwd" || !hook.NewChain([]hook.Plugin{plugin}, nil).BlocksRegister() {
		t.Errorf("got plugin %+v", plugin)
	}
}

// TestPasswd_UnknownUserCostsTheSame: the check for an unknown user has the
// cost of the dearest entry.
func TestPasswd_UnknownUserCostsTheSame(t *testing.T) {
	f := func(text string, iterations int) {
		t.Helper()
		if got := passwdOf(t, text).current.Load().dearest.iterations; got != iterations {
			t.Errorf("got %d iterations, want %d", got, iterations)
		}
	}
	f("", 0)
	f(ann, 0)
	f(ann+"\n"+bob+"\n"+strings.Replace(ann, "ann", "zoe", 1), 101)
}

func TestParseUsers_BadLines(t *testing.T) {
	hashed := strings.TrimPrefix(ann, "ann:")
	tests := []struct{ line, problem string }{
		{"secretword", "no colon"},
		{":" + hashed, "user name is empty"},
		{"a:b:" + hashed, `user "a" is not hashed, or the name has a colon`},
		{"carl:secretword", `user "carl" is not hashed`},
		{"carl:", `user "carl" is not hashed`},
		{"a\x01:" + hashed, "control character"},
		{" a:" + hashed, "begins with a character"},
		{"ann:" + hashed, `user "ann" stands in line 1 already`},
		{"c:$5$AAAA$secretword", "neither $6$ nor $7$"},
		{"c:$argon2id$v=19$secretword", "neither $6$ nor $7$"},
		{"c:$6$secretword", "does not look like"},
		{"c:$7$101$secretword", "does not look like"},
		{"c:$7$0$AAAA$AAAA", "iterations"},
		{"c:$7$99999999$AAAA$AAAA", "iterations"},
		{"c:$7$x$AAAA$AAAA", "iterations"},
		{"c:$6$secretword!$AAAA", "the salt is not base64"},
		{"c:$6$$AAAA", "the salt is not base64"},
		{"c:$6$AAAA$secretword!", "not 64 bytes"},
		{"c:$6$AAAA$AAAA", "not 64 bytes"},
	}
	text := ann + "\n"
	for _, tt := range tests {
		text += tt.line + "\n"
	}
	_, err := parseUsers("some.passwd", text)
	all, ok := err.(interface{ Unwrap() []error })
	if !ok || len(all.Unwrap()) != len(tests) {
		t.Fatalf("got %v, want an error for each of %d lines", err, len(tests))
	}
	for i, e := range all.Unwrap() {
		tt, bad := tests[i], (*LineError)(nil)
		if !errors.As(e, &bad) || bad.Line != i+2 || !strings.Contains(bad.Problem, tt.problem) || bad.Remedy == "" || bad.Text != "" {
			t.Errorf("%q: got %v, want line %d, %s", tt.line, e, i+2, tt.problem)
		}
		if strings.Contains(e.Error(), "secretword") {
			t.Errorf("%q: the error holds the password: %v", tt.line, e)
		}
	}
}

func TestHashPassword_KnownValue(t *testing.T) {
	salt := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	if got, want := "ann:"+HashPassword([]byte("secret"), salt), ann; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestHashLine(t *testing.T) {
	salt := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	f := func(line, want, problem string) {
		t.Helper()
		got, err := HashLine(line, salt)
		if got != want || problem == "" && err != nil || problem != "" && (err == nil || !strings.Contains(err.Error(), problem)) {
			t.Errorf("%q: got %q, %v, want %q, %s", line, got, err, want, problem)
		}
	}
	f("", "", "")
	f("# x:y", "# x:y", "")
	f("ann:secret", ann, "")
	f(ann, ann, "")
	f(bob, bob, "")
	f("x:a:b", "x:"+HashPassword([]byte("a:b"), salt), "")
	f("x:$5", "x:"+HashPassword([]byte("$5"), salt), "")
	f("x:", "", "empty password")
	f("x", "", "no colon")
	f(":y", "", "user name is empty")
	f("x:$6$y", "", "does not look like")
}

// FuzzParseUsers: nothing panics; a line in clear text, once hashed, parses,
// lets its password in and stays as it is.
func FuzzParseUsers(f *testing.F) {
	f.Add(ann + "\n# c\r\n" + bob)
	f.Add("user:pass:word\n")
	f.Add("a:$6$$\nb:$7$1$$\nc:$\n\ufeffd:\n:")
	salt := []byte("123456789012")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parseUsers("f", text); err != nil {
			_ = err.Error()
		}
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			hashed, err := HashLine(line, salt)
			if err != nil || strings.Contains(line, "$7$") { // whose cost is the file's choice
				continue
			}
			again, err := HashLine(hashed, []byte("other"))
			if err != nil || again != hashed {
				t.Fatalf("%q: %q became %q, %v", line, hashed, again, err)
			}
			u, err := parseUsers("f", hashed)
			if err != nil {
				t.Fatalf("%q: %q: %v", line, hashed, err)
			}
			name, password, _ := strings.Cut(line, ":")
			if h, known := u.byName[name]; known && hashed != line && !h.matches([]byte(password)) {
				t.Fatalf("%q: %q does not let %q in", line, hashed, password)
			}
		}
	})
}

// TestHash_KeepsPassword: hashing must not write behind the password's end.
func TestHash_KeepsPassword(t *testing.T) {
	backing := []byte("secretXXXXXXXXXXXXXXXX")
	p := passwdOf(t, ann)
	h := p.current.Load().byName["ann"]
	if !h.matches(backing[:6]) || !bytes.Equal(backing, []byte("secretXXXXXXXXXXXXXXXX")) {
		t.Errorf("got %q", backing)
	}
}
