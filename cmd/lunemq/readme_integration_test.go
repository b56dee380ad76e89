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
)

// TestIntegration_README runs every command of README.md in order, as a new
// user would, in a copy of the tree: those in blocks marked sh. `make run` and
// subscribers go on in the background; `make test` is left to the fast tests,
// of which this is not one.
func TestIntegration_README(t *testing.T) {
	tool(t, "mosquitto_sub")
	dir := copyTree(t)
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var behind *exec.Cmd
	said := &safeBuffer{}
	ran := 0
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
			cmd := exec.Command("bash", "-c", "exec "+line)
			if strings.Contains(line, "|") {
				cmd = exec.Command("bash", "-c", line)
			}
			cmd.Dir = dir
			ran++
			switch {
			case line == "make test":
				continue
			case line == "make run":
				cmd = exec.Command("bash", "-c", line)
				cmd.Dir = dir
				background(t, cmd, said)
				until(t, said, "ready tcp.default=127.0.0.1:1883 http.default=127.0.0.1:8888")
			case strings.HasPrefix(line, "mosquitto_sub"):
				behind = cmd
				background(t, cmd, said)
				subscribed(t, dir)
			default:
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", line, err, out)
				}
			}
			if behind != nil && strings.HasPrefix(line, "mosquitto_pub") {
				until(t, said, "greetings/first hello")
				behind = nil
			}
		}
	}
	if ran < 10 {
		t.Errorf("README has %d commands", ran)
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
func until(t *testing.T, b *safeBuffer, want string) {
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
