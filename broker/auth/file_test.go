package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunemq/lunemq/telemetry/alarm"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// bench is a directory with what a plugin needs.
type bench struct {
	t    *testing.T
	file string
	log  bytes.Buffer
	deps Deps
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, file: filepath.Join(t.TempDir(), "test.file")}
	b.deps = Deps{slog.New(slog.NewTextHandler(&b.log, nil)), new(metric.Counter), new(metric.Counter), new(alarm.List)}
	return b
}

func (b *bench) write(text string) {
	b.t.Helper()
	if err := os.WriteFile(b.file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// after lets time pass and the plugin do what it does then; want is reloads
// and errors so far.
func (b *bench) after(d time.Duration, want string) {
	b.t.Helper()
	<-time.After(d)
	synctest.Wait()
	b.counts(want)
}

func (b *bench) counts(want string) {
	b.t.Helper()
	if got := fmt.Sprint(b.deps.Reloads.Count(), " ", b.deps.Errors.Count()); got != want {
		b.t.Errorf("got %s reloads and errors, want %s", got, want)
	}
}

// logged returns the log since the last call.
func (b *bench) logged() string {
	defer b.log.Reset()
	return b.log.String()
}

func TestACL_ReloadByInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.write("topic a")
		a, err := StartACL(t.Context(), ACLConfig{File: b.file, Reload: 10 * time.Second}, b.deps)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		c := clientOf("")
		may := func(want string) {
			t.Helper()
			got := ""
			for _, n := range []string{"a", "b", "c"} {
				if publishes(a, c, n) {
					got += n
				}
			}
			if got != want {
				t.Errorf("may publish to %q, want %q", got, want)
			}
		}
		may("a")
		b.after(time.Minute, "0 0")

		b.write("topic b")
		b.after(8*time.Second, "0 0")
		may("a")
		b.after(3*time.Second, "1 0")
		may("b")
		if log := b.logged(); !strings.Contains(log, "reloaded the access control file") {
			t.Errorf("got log %q", log)
		}

		// Bad lines: each is logged, once, and what was in force stays.
		b.write("topic c\nTopic c\ntopic c/#/c\n")
		b.after(10*time.Second, "1 1")
		may("b")
		log := b.logged()
		for _, want := range []string{b.file + ":2", b.file + ":3", `text="Topic c"`, "what was in force stays", "remedy="} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %s: %s", want, log)
			}
		}
		b.after(time.Minute, "1 1")

		// Missing: logged once.
		if err := os.Remove(b.file); err != nil {
			t.Fatal(err)
		}
		b.after(time.Minute, "1 2")
		may("b")
		if log := b.logged(); strings.Count(log, "\n") != 1 || !strings.Contains(log, b.file) {
			t.Errorf("got log %q", log)
		}

		b.write("topic b\ntopic c")
		b.after(10*time.Second, "2 2")
		may("bc")
		now := time.Now()
		if err := os.Chtimes(b.file, now, now); err != nil { // touched, not changed
			t.Fatal(err)
		}
		b.after(time.Minute, "2 2")
	})
}

func TestPasswd_ReloadByInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.write(ann)
		p, err := StartPasswd(t.Context(), PasswdConfig{File: b.file, Reload: time.Second}, b.deps)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		b.write(bob)
		b.after(2*time.Second, "1 0")
		b.write("bob:secretword")
		b.after(2*time.Second, "1 1")
		if log := b.logged(); strings.Contains(log, "secretword") || !strings.Contains(log, "lunemq passwd -U") {
			t.Errorf("got log %s", log)
		}
		u := p.current.Load().byName
		if _, known := u["bob"]; len(u) != 1 || !known {
			t.Errorf("got users %v, want bob as before", u)
		}
	})
}

func TestACL_ReloadOnDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.write("topic a")
		a, err := StartACL(t.Context(), ACLConfig{File: b.file}, b.deps)
		if err != nil {
			t.Fatal(err)
		}
		b.write("topic b")
		b.after(24*time.Hour, "0 0") // 0 = never
		if err := a.Reload(); err != nil || !publishes(a, clientOf(""), "b") {
			t.Errorf("got %v", err)
		}
		if err := a.Reload(); err != nil { // unchanged
			t.Error(err)
		}
		b.counts("1 0")
		if log := b.logged(); strings.Count(log, "reloaded") != 1 {
			t.Errorf("want one line for one change: %s", log)
		}

		b.write("x\ny")
		bad := (*LineError)(nil)
		if err := a.Reload(); !errors.As(err, &bad) || bad.Line != 1 || strings.Count(err.Error(), "\n") != 1 || !publishes(a, clientOf(""), "b") {
			t.Errorf("got %v", err)
		}
		b.counts("1 1")
		if log := b.logged(); log != "" {
			t.Errorf("the error was returned and logged: %s", log)
		}
		a.Close()
		if err := a.Reload(); err == nil || !publishes(a, clientOf(""), "b") {
			t.Errorf("after Close: got %v", err)
		}
	})
}

func TestACL_Configure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.write("topic a")
		ctx, cancel := context.WithCancel(t.Context())
		a, err := StartACL(ctx, ACLConfig{File: b.file}, b.deps)
		if err != nil {
			t.Fatal(err)
		}
		// One that cannot be read leaves file and interval as they were.
		if err := a.Configure(ACLConfig{File: b.file + ".none", Reload: time.Second}); err == nil {
			t.Error("no error for a missing file")
		}
		b.after(time.Minute, "0 1")
		if err := a.Reload(); err != nil {
			t.Errorf("the file before: %v", err)
		}

		b.file += ".other"
		b.write("topic b")
		if err := a.Configure(ACLConfig{File: b.file, Reload: time.Second}); err != nil || !publishes(a, clientOf(""), "b") {
			t.Errorf("got %v", err)
		}
		b.write("topic c")
		b.after(2*time.Second, "2 1")
		if !publishes(a, clientOf(""), "c") {
			t.Error("the other file is not watched")
		}
		cancel() // ends the watching as Close does
		synctest.Wait()
		if err := a.Configure(ACLConfig{File: b.file}); err == nil {
			t.Error("no error after the context ended")
		}
		a.Close()
	})
}

func TestStart_Missing(t *testing.T) {
	b := newBench(t)
	a, err := StartACL(t.Context(), ACLConfig{File: b.file}, b.deps)
	if a != nil || err == nil || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), b.file) || !strings.Contains(err.Error(), "plugins.acl = off") {
		t.Errorf("acl: got %v, %v", a, err)
	}
	p, err := StartPasswd(t.Context(), PasswdConfig{File: b.file}, b.deps)
	if p != nil || err == nil || !strings.Contains(err.Error(), "lunemq passwd -c "+b.file+" USER") {
		t.Errorf("passwd: got %v, %v", p, err)
	}
	b.write("topic #\nbad")
	if a, err := StartACL(t.Context(), ACLConfig{File: b.file}, b.deps); a != nil || err == nil {
		t.Errorf("bad line: got %v, %v", a, err)
	}
	b.counts("0 0")
}

// TestFile_ReadsOnlyChanges: a file whose times say that it is as before is
// not even read.
func TestFile_ReadsOnlyChanges(t *testing.T) {
	b := newBench(t)
	parsed := 0
	f := &file[int]{what: "test file", missing: "%s", deps: b.deps, parse: func(_, text string) (*int, error) {
		parsed++
		return &parsed, nil
	}}
	s := source{path: b.file}
	load := func(force, wantRead bool) {
		t.Helper()
		before := parsed
		if _, read, err := f.load(&s, force); err != nil || read != wantRead || (parsed > before) != wantRead {
			t.Errorf("got read %t, %v, want %t", read, err, wantRead)
		}
	}
	hourAgo := time.Now().Add(-time.Hour)
	put := func(text string, at time.Time) {
		t.Helper()
		b.write(text)
		if err := os.Chtimes(b.file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	put("one", hourAgo)
	load(false, true)
	load(false, false)
	put("two", hourAgo) // within one tick of a coarse clock, but long ago
	load(false, false)
	load(true, true)
	put("three", hourAgo) // another size
	load(false, true)
	put("seven", hourAgo.Add(time.Second)) // another time
	load(false, true)
	put("seven", time.Now()) // another time, same content
	load(false, false)
	put("eight", s.info.ModTime()) // same size and time, but just now
	load(false, true)
	if err := os.WriteFile(b.file+".new", []byte("nine!"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(b.file+".new", hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
	put("eight", hourAgo)
	load(false, false)
	if err := os.Rename(b.file+".new", b.file); err != nil { // another file of that size and time
		t.Fatal(err)
	}
	load(false, true)
}
