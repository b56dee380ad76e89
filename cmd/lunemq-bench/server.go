package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a broker that was started for one run.
type server struct {
	addr string
	cmd  *exec.Cmd
	log  string // file with what it said on standard error
}

// startTime is how long a broker may take to be ready, stopTime to end.
const (
	startTime = 15 * time.Second
	stopTime  = 15 * time.Second
)

// launch starts a command in a process group of its own with as many open
// files as the system allows.
func launch(dir string, out io.Writer, words ...string) (*server, error) {
	s := &server{log: filepath.Join(dir, "log")}
	f, err := os.Create(s.log)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer f.Close()
	s.cmd = exec.Command("sh", append([]string{"-c", `ulimit -n "$(ulimit -Hn)"; exec "$@"`, "sh"}, words...)...)
	s.cmd.Stdout, s.cmd.Stderr = out, f
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: %s: %w", words[0], err)
	}
	return s, nil
}

// stop ends the broker.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(stopTime, func() { _ = s.cmd.Process.Kill() })
	err := s.cmd.Wait()
	if !late.Stop() {
		return fmt.Errorf("bench: %s did not end within %v", s.cmd.Args[4], stopTime)
	}
	if s.cmd.ProcessState.ExitCode() > 0 {
		text, _ := os.ReadFile(s.log)
		return fmt.Errorf("bench: %s: %w\n%s", s.cmd.Args[4], err, tail(text))
	}
	return nil
}

// tail is the end of a log.
func tail(text []byte) []byte { return text[max(0, len(text)-1000):] }

// fail stops a server that did not start, and says why.
func (s *server) fail(err error) (*server, error) {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	text, _ := os.ReadFile(s.log)
	return nil, fmt.Errorf("bench: %s is not ready: %w\n%s", s.cmd.Args[4], err, tail(text))
}

// startLuneMQ starts a LuneMQ with the quickstart configuration.
func startLuneMQ(ctx context.Context, dir string, binary, conf string, set []string) (*server, error) {
	words := []string{binary, "serve", "--conf", conf}
	for _, kv := range append([]string{"listener.tcp.default=127.0.0.1:0", "listener.http.default=127.0.0.1:0",
		"data_dir=" + filepath.Join(dir, "data"), "admin.socket=" + filepath.Join(dir, "admin.sock")}, set...) {
		words = append(words, "--set", kv)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer r.Close()
	s, err := launch(dir, w, words...)
	_ = w.Close()
	if err != nil {
		return nil, err
	}
	_ = r.SetReadDeadline(time.Now().Add(startTime))
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return s.fail(err)
	}
	for _, word := range strings.Fields(line) {
		if addr, ok := strings.CutPrefix(word, "tcp.default="); ok {
			s.addr = addr
			return s, nil
		}
	}
	return s.fail(fmt.Errorf("it said %q", line))
}

// startMosquitto starts a Mosquitto with limits that do not drop what LuneMQ
// would keep.
func startMosquitto(ctx context.Context, dir string, binary string, lines []string) (*server, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	conf := filepath.Join(dir, "mosquitto.conf")
	text := strings.Join(append([]string{"listener " + port + " 127.0.0.1", "allow_anonymous true", "max_queued_messages 0"}, lines...), "\n") + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	s, err := launch(dir, io.Discard, binary, "-c", conf)
	if err != nil {
		return nil, err
	}
	s.addr = addr
	if err := answers(ctx, addr); err != nil {
		return s.fail(err)
	}
	return s, nil
}

// freePort finds a port below those that the system hands out by itself.
func freePort() (string, error) {
	for port := 20_000 + os.Getpid()%10_000; port < 32_768; port++ {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if ln, err := net.Listen("tcp", addr); err == nil {
			_ = ln.Close()
			return addr, nil
		}
	}
	return "", errors.New("bench: no free port below 32768")
}

// answers waits until something listens.
func answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}
