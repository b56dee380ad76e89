package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// Passwd is the plugin passwd: it lets clients in by the user names and
// passwords of a file. Safe for concurrent use.
type Passwd struct {
	file[users]
}

// StartPasswd reads the users and watches their file until ctx or Close ends
// it. An error names the file, or each of its bad lines as a *LineError, which
// holds nothing of a password.
func StartPasswd(ctx context.Context, c PasswdConfig, d Deps) (*Passwd, error) {
	p := &Passwd{file[users]{
		what:    "password file",
		missing: "create it with `lunemq passwd -c %s USER`, or set plugins.passwd = off",
		key:     "passwd.password_file",
		alarm:   alarm.PasswdReloadFailed,
		parse:   parseUsers, deps: d,
	}}
	if err := p.start(ctx, c.File, c.Reload); err != nil {
		return nil, err
	}
	return p, nil
}

// Configure changes to another file or interval. On an error nothing changes. If
// the file stays the same it is read, and what is wrong with it is reported as
// by the watch: it does not stand in the way of other changes.
func (p *Passwd) Configure(c PasswdConfig) error {
	return p.ask(request{path: c.File, interval: c.Reload})
}

// Plugin returns p as an entry of a hook.Chain. It says that it may wait: a
// $6$ password costs under a microsecond, but a $7$ one as much as its iterations
// (101, what mosquitto_passwd takes, are about 0.05 ms; 100000 are 50 ms), which
// must not be spent in a loop that serves other clients. It says so always,
// since a reload may bring such entries to a chain that is already compiled.
func (p *Passwd) Plugin() hook.Plugin {
	return hook.Plugin{Name: "passwd", Hooks: p, Blocks: func(string) bool { return true }} // hashing is slow on purpose
}

// AuthOnRegister accepts a known user with the right password and refuses it
// with a wrong one. Without user name or password, and for a user it does not
// know, it has no opinion.
//
// For an unknown user a password is checked all the same, at the cost of the
// file's dearest entry, so that the time of the answer does not tell which
// users exist. (To 3.x clients CONNACK tells it anyway, by return code 4 or 5.)
func (p *Passwd) AuthOnRegister(_ context.Context, r *hook.Register) (hook.Verdict, *hook.RegisterResult) {
	if !r.Client.HasUser || r.Password == nil {
		return hook.Verdict{}, nil
	}
	u := p.current.Load()
	h, known := u.byName[r.Client.Username]
	if !known {
		u.dearest.matches(r.Password)
		return hook.Verdict{}, nil
	}
	if !h.matches(r.Password) {
		return hook.Verdict{Decision: hook.Deny, Code: mqtt.BadUserNameOrPassword, InvalidCredentials: true,
			Reason: fmt.Sprintf("wrong password of user %q", r.Client.Username)}, nil
	}
	return hook.Accept, nil
}

// users are the content of a password file:
//
//	# comment
//	USER:$6$SALT$HASH                 vmq-passwd, mosquitto_passwd -H sha512
//	USER:$7$ITERATIONS$SALT$HASH      mosquitto_passwd -H sha512-pbkdf2
//
// Immutable.
type users struct {
	byName  map[string]hash
	dearest hash // the one that takes most time to check
}

// parseUsers reads a password file. The error joins a *LineError for each bad
// line.
func parseUsers(path, text string) (*users, error) {
	u := &users{byName: map[string]hash{}}
	first := map[string]int{}
	var bad []error
	for n, line := range lines(text) {
		name, h, f := parseUser(line)
		if f == nil && first[name] > 0 {
			f = &fault{fmt.Sprintf("user %q stands in line %d already", name, first[name]), "remove one of the lines"}
		}
		if f != nil {
			bad = append(bad, &LineError{File: path, Line: n, Problem: f.problem, Remedy: f.remedy})
			continue
		}
		first[name] = n
		u.byName[name] = h
		if h.iterations > u.dearest.iterations {
			u.dearest = h
		}
	}
	return u, errors.Join(bad...)
}

func parseUser(line string) (name string, h hash, f *fault) {
	name, secret, found := strings.Cut(line, ":")
	if !found {
		return "", h, &fault{"no colon between user name and password", "write lines with lunemq passwd"}
	}
	if err := CheckUser(name); err != nil {
		return "", h, &fault{strings.TrimPrefix(err.Error(), "auth: "), "remove the line"}
	}
	if !strings.HasPrefix(secret, "$") {
		return "", h, &fault{fmt.Sprintf("the password of user %q is not hashed, or the name has a colon", name), "convert clear text with `lunemq passwd -U FILE`"}
	}
	h, f = parseHash(secret)
	if f != nil {
		f.problem = fmt.Sprintf("user %q: %s", name, f.problem)
	}
	return name, h, f
}

// CheckUser returns an error for a name that cannot stand in a password file:
// an empty one, one with a colon or a control character, and one that begins
// with #, the sign of a comment, a space or a byte order mark.
func CheckUser(name string) error {
	switch {
	case name == "":
		return errors.New("auth: the user name is empty")
	case strings.ContainsRune(name, ':'):
		return fmt.Errorf("auth: the user name %q has a colon", name)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("auth: the user name %q has a control character", name)
	case strings.IndexAny(name, "# \ufeff") == 0:
		return fmt.Errorf("auth: the user name %q begins with a character that a file takes for something else", name)
	}
	return nil
}

// HashLine returns a line of a password file with its password hashed: empty
// lines, comments and hashed passwords as they are, clear text as HashPassword
// makes it. What is none of these, or has no password, is an error, which does
// not quote the password.
func HashLine(line string, salt []byte) (string, error) {
	if skipped(line) {
		return line, nil
	}
	name, password, found := strings.Cut(line, ":")
	if !found {
		return "", errors.New("auth: no colon between user name and password")
	}
	if err := CheckUser(name); err != nil {
		return "", err
	}
	switch {
	case password == "":
		return "", fmt.Errorf("auth: user %q has an empty password", name)
	case strings.HasPrefix(password, "$6$"), strings.HasPrefix(password, "$7$"):
		if _, f := parseHash(strings.TrimRight(password, " \t")); f != nil {
			return "", fmt.Errorf("auth: user %q: %s", name, f.problem)
		}
		return line, nil
	}
	return name + ":" + HashPassword([]byte(password), salt), nil
}
