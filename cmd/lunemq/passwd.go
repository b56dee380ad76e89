package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/lunemq/lunemq/broker/auth"
)

const passwdUsage = `Usage: lunemq passwd [-c [-f]] FILE USER    set the password of a user
       lunemq passwd -D FILE USER           delete a user
       lunemq passwd -U FILE                hash the clear text passwords of a file

  -c  create FILE, for its owner only; with -f even if it exists
      (the broker must be able to read it: chown it to the user it runs as)

The password is asked for twice; without a terminal two lines of standard input
are read. A running broker takes the change after passwd.password_reload_interval.
`

// passwdCall is a parsed command line.
type passwdCall struct {
	create, force, remove, upgrade, help bool
	file, user                           string
}

// passwd edits a password file, as vmq-passwd does. It returns the exit
// status: 0 done, 1 failed and nothing changed, 2 wrong usage.
func passwd(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	call, err := parsePasswdCall(args)
	if err != nil {
		fmt.Fprintf(stderr, "lunemq passwd: %v\n%s", err, passwdUsage)
		return 2
	}
	switch {
	case call.help:
		io.WriteString(stdout, passwdUsage)
	case call.upgrade:
		err = upgradePasswords(call.file)
	case call.remove:
		err = removeUser(call.file, call.user, stderr)
	default:
		err = setPassword(call, stdin, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "lunemq passwd: %v\n", err)
		return 1
	}
	return 0
}

func parsePasswdCall(args []string) (passwdCall, error) {
	var c passwdCall
	flags := map[rune]*bool{'c': &c.create, 'f': &c.force, 'D': &c.remove, 'U': &c.upgrade, 'h': &c.help}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		if arg == "--help" {
			arg = "-h"
		}
		for _, r := range arg[1:] {
			if flags[r] == nil {
				return c, fmt.Errorf("unknown option %q", arg)
			}
			*flags[r] = true
		}
	}
	want := 2
	switch {
	case c.help:
		return c, nil
	case c.force && !c.create:
		return c, errors.New("-f goes with -c only")
	case c.create && c.remove, c.create && c.upgrade, c.remove && c.upgrade:
		return c, errors.New("-c, -D and -U exclude each other")
	case c.upgrade:
		want = 1
	}
	if len(args) != want {
		return c, fmt.Errorf("%d arguments in place of %d", len(args), want)
	}
	c.file = args[0]
	if want == 2 {
		c.user = args[1]
	}
	return c, nil
}

// setPassword adds or replaces a user.
func setPassword(c passwdCall, stdin io.Reader, stderr io.Writer) error {
	if err := auth.CheckUser(c.user); err != nil {
		return err
	}
	f, err := readPasswords(c.file)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case c.create && !missing && !c.force:
		return fmt.Errorf("%s exists; leave -c out to add a user, or take -cf to start it anew", c.file)
	case c.create && (err == nil || missing):
		f.lines = nil
	case missing:
		return fmt.Errorf("%w; -c creates it", err)
	case err != nil:
		return err
	}
	password, err := askPassword(stdin, stderr)
	if err != nil {
		return err
	}
	line := c.user + ":" + auth.HashPassword(password, newSalt())
	if at := f.find(c.user); at >= 0 {
		f.lines[at] = line
	} else {
		f.lines = append(f.lines, line)
	}
	return f.write()
}

func removeUser(file, user string, stderr io.Writer) error {
	f, err := readPasswords(file)
	if err != nil {
		return err
	}
	at := f.find(user)
	if at < 0 {
		fmt.Fprintf(stderr, "Warning: user %q is not in %s\n", user, file)
		return nil
	}
	f.lines = append(f.lines[:at], f.lines[at+1:]...)
	return f.write()
}

// upgradePasswords hashes what is clear text; what is hashed stays.
func upgradePasswords(file string) error {
	f, err := readPasswords(file)
	if err != nil {
		return err
	}
	var bad []error
	for i, line := range f.lines {
		if f.lines[i], err = auth.HashLine(strings.TrimSuffix(line, "\r"), newSalt()); err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", file, i+1, err))
		}
	}
	if len(bad) > 0 {
		return errors.Join(append(bad, errors.New("nothing was changed"))...)
	}
	return f.write()
}

func newSalt() []byte {
	salt := make([]byte, 12)
	rand.Read(salt) // never fails
	return salt
}

// askPassword asks twice: on a terminal without echo, else two lines.
func askPassword(stdin io.Reader, stderr io.Writer) ([]byte, error) {
	ask := lineReader(stdin)
	if f, ok := stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fd := int(f.Fd())
		restore, err := guardTerminal(fd)
		if err != nil {
			return nil, err
		}
		defer restore()
		ask = func(prompt string) ([]byte, error) {
			io.WriteString(stderr, prompt)
			defer fmt.Fprintln(stderr) // in place of the echo of Return
			return term.ReadPassword(fd)
		}
	}
	first, err := ask("Password: ")
	if err != nil {
		return nil, fmt.Errorf("no password: %w", err)
	}
	if len(first) == 0 {
		return nil, errors.New("the password is empty")
	}
	second, err := ask("Again: ")
	if err != nil {
		return nil, fmt.Errorf("the password was not repeated: %w", err)
	}
	if !bytes.Equal(first, second) {
		return nil, errors.New("the passwords differ")
	}
	return first, nil
}

// lineReader reads lines without their end, and shows no prompt.
func lineReader(r io.Reader) func(prompt string) ([]byte, error) {
	b := bufio.NewReader(r)
	return func(string) ([]byte, error) {
		line, err := b.ReadBytes('\n')
		if err == io.EOF && len(line) > 0 {
			err = nil
		}
		return bytes.TrimRight(line, "\r\n"), err
	}
}

// guardTerminal gives the terminal its echo back when the user interrupts.
func guardTerminal(fd int) (restore func(), err error) {
	state, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, interrupted := <-stop; interrupted {
			term.Restore(fd, state)
			os.Exit(130)
		}
	}()
	return func() {
		signal.Stop(stop)
		close(stop)
	}, nil
}

// passwordFile is a password file being edited, line by line.
type passwordFile struct {
	path  string // where links end
	info  fs.FileInfo
	lines []string
}

// readPasswords reads a file. For one that does not exist it returns, beside
// the error, an empty one that can be written.
func readPasswords(path string) (*passwordFile, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	f := &passwordFile{path: path}
	data, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	if f.info, err = os.Stat(path); err != nil {
		return f, err
	}
	text := strings.TrimPrefix(string(data), "\ufeff") // as the broker does
	if text = strings.TrimSuffix(text, "\n"); text != "" {
		f.lines = strings.Split(text, "\n")
	}
	return f, nil
}

// find returns the line of a user, -1 when there is none.
func (f *passwordFile) find(user string) int {
	for i, line := range f.lines {
		if name, _, ok := strings.Cut(line, ":"); ok && name == user {
			return i
		}
	}
	return -1
}

// write replaces the file as a whole: a reader sees the old content or the new
// one, after a crash too. Owner and mode stay; a new file is its owner's only.
func (f *passwordFile) write() error {
	tmp := f.path + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.fill(out), out.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, f.path); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return syncDir(filepath.Dir(f.path))
}

func (f *passwordFile) fill(out *os.File) error {
	if f.info != nil {
		if s, ok := f.info.Sys().(*syscall.Stat_t); ok {
			if err := out.Chown(int(s.Uid), int(s.Gid)); err != nil {
				return fmt.Errorf("the owner cannot be kept: %w", err)
			}
		}
		if err := out.Chmod(f.info.Mode().Perm()); err != nil {
			return err
		}
	}
	w := bufio.NewWriter(out)
	for _, line := range f.lines {
		w.WriteString(line)
		w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return out.Sync()
}

// syncDir makes a rename in it last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
