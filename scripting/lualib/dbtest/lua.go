package dbtest

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/scripting/authcache"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Rig runs Lua with the libraries of one database.
type Rig struct {
	Host *lualib.Host

	t *testing.T
}

// NewRig makes a Rig.
func NewRig(t *testing.T, name string, d lualib.Database) *Rig {
	t.Helper()
	r := &Rig{t: t, Host: &lualib.Host{Cache: authcache.New(), Secrets: luaconv.NewObfuscation(""), Log: slog.New(slog.DiscardHandler),
		Databases: map[string]lualib.Database{name: d}}}
	t.Cleanup(r.Host.Close)
	return r
}

// Run runs a chunk in a state of its own, for as long as limit.
func (r *Rig) Run(limit time.Duration, chunk string) error {
	r.t.Helper()
	p, err := sandbox.Compile("chunk", chunk)
	if err != nil {
		r.t.Fatal(err)
	}
	s := sandbox.New(sandbox.Options{})
	defer s.Close()
	r.Host.Open(s, "chunk")
	return s.Load(context.Background(), sandbox.Limits{Time: limit, Instructions: 10_000_000, Memory: 16 << 20}, p)
}

// Passes demands that a chunk runs to its end.
func (r *Rig) Passes(chunk string) {
	r.t.Helper()
	if err := r.Run(20*time.Second, chunk); err != nil {
		r.t.Errorf("%v\n%s", err, chunk)
	}
}

// Fails demands an error that contains a text.
func (r *Rig) Fails(chunk, want string) {
	r.t.Helper()
	if err := r.Run(20*time.Second, chunk); err == nil || !strings.Contains(err.Error(), want) {
		r.t.Errorf("%s\ngot  %v\nwant %s", chunk, err, want)
	}
}

// Eventually demands that a chunk runs to its end within half a minute.
func (r *Rig) Eventually(chunk string) {
	r.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		err := r.Run(5*time.Second, chunk)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%v\n%s", err, chunk)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// Backend is a server that can fail.
type Backend interface {
	Freeze()
	Thaw()
	Stop()
	Start()
}

// Survives demands that a chunk, which asks the server something, fails in time
// while the server does not answer or is gone, and passes when it is back.
func (r *Rig) Survives(s Backend, chunk string) {
	r.t.Helper()
	r.Eventually(chunk)
	s.Freeze()
	began := time.Now()
	if err := r.Run(300*time.Millisecond, chunk); err == nil || time.Since(began) > 3*time.Second {
		r.t.Errorf("a server that does not answer: got %v after %v", err, time.Since(began))
	}
	s.Thaw()
	r.Eventually(chunk)
	s.Stop()
	for range 3 {
		began = time.Now()
		err := r.Run(10*time.Second, chunk)
		var limit *sandbox.LimitError
		if err == nil || errors.As(err, &limit) || time.Since(began) > 6*time.Second {
			r.t.Errorf("a dead server: got %v after %v", err, time.Since(began))
		}
		if err != nil && strings.Contains(err.Error(), password) {
			r.t.Errorf("the error shows the password: %v", err)
		}
	}
	s.Start()
	r.Eventually(chunk)
}
