//go:build integration

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
)

// daemon is a lunemq process of its own.
type daemon struct {
	t     *testing.T
	cmd   *exec.Cmd
	dir   string
	ready map[string]string
	log   *brokertest.Output
}

// binary is a program that make build has built.
func binary(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "dist", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v: run make build", err)
	}
	return path
}

// startDaemon starts dist/lunemq on ports of its own and waits for its ready
// line.
func startDaemon(t *testing.T, dir string, set ...string) *daemon {
	t.Helper()
	acl := filepath.Join(dir, "acl")
	if err := os.WriteFile(acl, []byte("topic #\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--conf", quickstart}
	for _, s := range append([]string{"listener.tcp.default=127.0.0.1:0", "listener.http.default=127.0.0.1:0", "acl.acl_file=" + acl,
		"data_dir=" + filepath.Join(dir, "data"), "script.script_dir=" + filepath.Join(dir, "lua"), "admin.socket=" + filepath.Join(dir, "admin.sock")}, set...) {
		args = append(args, "--set", s)
	}
	d := &daemon{t: t, cmd: exec.Command(binary(t, "lunemq"), args...), dir: dir, ready: map[string]string{}, log: &brokertest.Output{}}
	d.cmd.Stderr = d.log
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("no ready line: %v\n%s", err, d.log)
	}
	for _, part := range strings.Fields(line)[1:] {
		name, addr, _ := strings.Cut(part, "=")
		d.ready[name] = addr
	}
	return d
}

// port returns the port of a listener.
func (d *daemon) port(name string) string {
	_, port, _ := strings.Cut(d.ready[name], ":")
	return port
}

// kill ends the process as a power cut would.
func (d *daemon) kill() {
	if d.cmd.ProcessState == nil {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
	}
}

// hangup makes the process read its configuration and files again.
func (d *daemon) hangup() {
	d.t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		d.t.Fatal(err)
	}
}

// stop ends the process as systemd would and checks that it says goodbye.
func (d *daemon) stop() {
	d.t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			d.t.Errorf("after SIGTERM: %v\n%s", err, d.log)
		}
	case <-time.After(20 * time.Second):
		d.t.Error("still there 20 s after SIGTERM")
		d.kill()
	}
}

// tool returns the path of an installed program; a missing one is a failure.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: .ci/packages names the package that has it", err)
	}
	return path
}

// said reports whether the log contains a text.
func (d *daemon) said(text string) bool { return strings.Contains(d.log.String(), text) }
