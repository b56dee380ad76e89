//go:build integration

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
)

// TestIntegration_README runs every command of README.md in order, as a new
// user would, in a copy of the tree: those in blocks marked sh. Blocks marked lua
// are saved as the first hook. `make run` and subscribers go on in the
// background; `make test` is left to the fast tests, of which this is not one.
// While `script record` runs, a client publishes.
// What the text says a block prints, it must print.
func TestIntegration_README(t *testing.T) {
	tool(t, "mosquitto_sub")
	r := &reader{t: t, dir: copyTree(t), said: &brokertest.Output{}}
	text, err := os.ReadFile(filepath.Join(r.dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```(sh|lua)\n(.*?)^```\n(?:\nprints `([^`]+)`)?").FindAllStringSubmatch(string(text), -1)
	for _, b := range blocks {
		if b[1] == "lua" {
			r.save(b[2])
			continue
		}
		out := ""
		for line := range strings.SplitSeq(strings.TrimSpace(b[2]), "\n") {
			out += r.run(line)
		}
		if !strings.Contains(out, b[3]) {
			t.Errorf("%s\nprinted\n%s\nnot %q", b[2], out, b[3])
		}
	}
	if r.ran < 10 || r.saved < 3 {
		t.Errorf("README has %d commands and %d scripts", r.ran, r.saved)
	}
}

// reader does what README says.
type reader struct {
	t          *testing.T
	dir        string
	said       *brokertest.Output // by what runs in the background
	behind     bool               // a subscriber waits for its message
	ran, saved int
}

// run runs one command and returns what it printed.
func (r *reader) run(line string) string {
	r.t.Helper()
	cmd := exec.Command("bash", "-c", "exec "+line)
	if strings.Contains(line, "|") || line == "make run" {
		cmd = exec.Command("bash", "-c", line)
	}
	cmd.Dir = r.dir
	r.ran++
	switch {
	case line == "make test":
		return ""
	case line == "make run":
		background(r.t, cmd, r.said)
		until(r.t, r.said, "ready tcp.default=127.0.0.1:1883 http.default=127.0.0.1:8888")
		return ""
	case strings.HasPrefix(line, "mosquitto_sub"):
		r.behind = true
		background(r.t, cmd, r.said)
		subscribed(r.t, r.dir)
		return ""
	}
	if strings.Contains(line, " script record ") {
		defer r.publishes()()
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Errorf("%s: %v\n%s", line, err, out)
	}
	if r.behind && strings.HasPrefix(line, "mosquitto_pub") {
		until(r.t, r.said, "greetings/first hello")
		r.behind = false
	}
	return string(out)
}

// publishes has a client publish until stop is called.
func (r *reader) publishes() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if out, err := exec.CommandContext(ctx, "mosquitto_pub", "-t", "some/topic", "-m", "x", "-q", "1").CombinedOutput(); err != nil && ctx.Err() == nil {
				r.t.Errorf("mosquitto_pub: %v\n%s", err, out)
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// save saves the first hook and waits until the broker has looked at it.
func (r *reader) save(text string) {
	r.t.Helper()
	r.saved++
	if err := os.WriteFile(filepath.Join(r.dir, "data/lua/first.lua"), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); strings.Count(r.said.String(), "msg=\"script loaded\"")+strings.Count(r.said.String(), "msg=\"the script was not") < r.saved; <-tick.C {
		if time.Now().After(deadline) {
			r.t.Fatalf("the script was not looked at:\n%s", r.said)
		}
	}
}

// subscribed waits until the broker in dir shows the subscription of README.
func subscribed(t *testing.T, dir string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		cmd := exec.Command("dist/lunemq-admin", "--socket", "data/admin.sock", "session", "show", "--topic")
		cmd.Dir = dir
		if out, _ := cmd.CombinedOutput(); bytes.Contains(out, []byte("greetings/#")) {
			return
		}
		<-tick.C
	}
	t.Fatal("no subscription in 10 s")
}

// copyTree copies what git knows of the tree, and what it does not ignore.
func copyTree(t *testing.T) string {
	t.Helper()
	for _, port := range []string{"127.0.0.1:1883", "127.0.0.1:8888"} {
		ln, err := net.Listen("tcp", port)
		if err != nil {
			t.Fatalf("README's broker needs %s: %v", port, err)
		}
		_ = ln.Close()
	}
	dir := t.TempDir()
	out, err := exec.Command("bash", "-c", "cd ../.. && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "+dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// background starts a command whose whole process group the test's end stops.
func background(t *testing.T, cmd *exec.Cmd, to io.Writer) {
	t.Helper()
	cmd.Stdout, cmd.Stderr = to, to
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
	})
}

// until waits until a text was printed.
func until(t *testing.T, b *brokertest.Output, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !bytes.Contains([]byte(b.String()), []byte(want)) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%q was not printed:\n%s", want, b)
		}
	}
}
