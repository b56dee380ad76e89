package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/admin/httpapi"
)

// start serves a registry of commands on a socket and on loopback; it returns
// the socket's path, the URL and a good key.
func start(t *testing.T) (socket, url, key string) {
	t.Helper()
	dir := t.TempDir()
	now := func() time.Time { return time.Unix(1000, 0) }
	keys, err := admin.OpenKeys(filepath.Join(dir, "keys"), admin.KeysConfig{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	reg := admin.NewRegistry()
	err = reg.Add(append(admin.KeyCommands(keys, now),
		admin.Command{Path: "cluster show", Doc: "Show the nodes", Run: func(context.Context, *admin.Call) (admin.Result, error) {
			return admin.Table{Columns: []string{"Node", "Running"}, Rows: [][]any{{"a", true}}}, nil
		}},
		admin.Command{Path: "tls check", Doc: "Check", Run: func(context.Context, *admin.Call) (admin.Result, error) {
			return admin.Table{Columns: []string{"Verdict"}, Rows: [][]any{{"has ended"}}, Failed: true}, nil
		}},
		admin.Command{Path: "fail", Doc: "Fail", Run: func(context.Context, *admin.Call) (admin.Result, error) {
			return nil, errors.New("it failed")
		}},
		admin.Command{Path: "echo", Doc: "Echo", Words: "WORD", FreeArgs: true, Run: func(_ context.Context, c *admin.Call) (admin.Result, error) {
			return admin.Text(strings.Join(c.Words, ",") + " " + c.Arg("k")), nil
		}})...)
	if err == nil {
		key, err = keys.Create(now(), []string{"mgmt"}, time.Time{})
	}
	if err != nil {
		t.Fatal(err)
	}
	o := httpapi.Options{Registry: reg, Keys: keys, Modules: httpapi.DefaultModules(), Now: now}
	socket = filepath.Join(dir, "admin.sock")
	local, err := httpapi.ListenUnix(socket, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- httpapi.Serve(ctx, local, httpapi.NewLocal(o)) }()
	go func() { done <- httpapi.Serve(ctx, tcp, httpapi.New(o)) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
	})
	return socket, "http://" + tcp.Addr().String(), key
}

func TestRun(t *testing.T) {
	socket, url, key := start(t)
	t.Setenv("LUNEMQ_ADMIN_API_KEY", "")
	t.Setenv("LUNEMQ_ADMIN_SOCKET", socket)
	f := func(status int, stdout, stderr, stdin string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		got := run(args, strings.NewReader(stdin), &out, &errs)
		if got != status || !strings.Contains(out.String(), stdout) || !strings.Contains(errs.String(), stderr) ||
			(stdout == "" && out.Len() > 0) || (stderr == "" && errs.Len() > 0) {
			t.Errorf("%v: got %d\nout: %s\nerr: %s\nwant %d, %q, %q", args, got, &out, &errs, status, stdout, stderr)
		}
	}
	f(0, "+------+---------+\n| Node | Running |\n", "", "", "cluster", "show")
	f(exitFailed, "has ended", "", "", "tls", "check")
	f(0, `{"type":"table","table":[{"Node":"a","Running":true}]}`, "", "", "cluster", "show", "--format=json")
	f(0, "../x,%2F\u00e4 a&b=c d\n", "", "", "echo", "../x", "%2F\u00e4", "k=a&b=c d")
	f(0, "Usage: lunemq-admin cluster show", "", "", "cluster", "show", "--help")
	f(0, "--socket PATH", "", "", "--help")
	f(0, "Show the nodes", "", "", "--help")
	f(2, "", "Show the nodes", "")
	f(2, "", `did you mean "cluster"?`, "", "clutser", "show")
	f(1, "", "it failed\n", "", "fail")
	f(1, "", "it failed", "", "fail", "--format=json")

	f(0, "Running", "", "", "--url", url, "--api-key", key, "cluster", "show")
	f(0, "Running", "", key+"\n", "--url="+url+"/", "--api-key=-", "cluster", "show")
	f(1, "", "an API key with scope mgmt is needed", "", "--url", url, "cluster", "show")
	t.Setenv("LUNEMQ_ADMIN_API_KEY", key)
	f(0, "Running", "", "", "--url", url, "cluster", "show")

	f(2, "", "no key on standard input", "", "--url", url, "--api-key", "-", "cluster", "show")
	f(2, "", "exclude each other", "", "--url", url, "--socket", socket, "cluster", "show")
	f(2, "", "--socket needs a value", "", "--socket")
	f(1, "", "is not of the form", "", "--url", "localhost:8888", "cluster", "show")
	f(1, "", "is it running", "", "--socket", socket+".none", "cluster", "show")
}

func TestRun_CreatedKeyWorks(t *testing.T) {
	socket, url, _ := start(t)
	var out, errs bytes.Buffer
	if got := run([]string{"--socket", socket, "api-key", "create", "--format=json"}, nil, &out, &errs); got != 0 {
		t.Fatalf("got %d: %s", got, &errs)
	}
	var answer struct{ Text string }
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if got := run([]string{"--url", url, "--api-key", answer.Text, "api-key", "show"}, nil, &out, &errs); got != 0 || !strings.Contains(out.String(), "never") {
		t.Errorf("got %d: %s%s", got, &out, &errs)
	}
}
