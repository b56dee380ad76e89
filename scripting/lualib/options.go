package lualib

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Options reads the table of an ensure_pool: each field in place of a value of
// the configuration. The first problem is kept.
type Options struct {
	l    *lua.LState
	t    *lua.LTable
	what string // "redis.ensure_pool"
	err  error
}

// ReadOptions reads the first argument, a table.
func ReadOptions(L *lua.LState, s *sandbox.State, what string) *Options {
	t := L.CheckTable(1)
	s.Complete(L, t)
	return &Options{l: L, t: t, what: what}
}

func (o *Options) fail(name, want string, v lua.LValue) {
	if o.err == nil {
		o.err = fmt.Errorf("%s: %s: want %s, got a %s", o.what, name, want, v.Type().String())
	}
}

// String returns a string option, or what the configuration says.
func (o *Options) String(name, configured string) string {
	v := o.t.RawGetString(name)
	switch {
	case v == lua.LNil:
		return configured
	case !lua.LVCanConvToString(v):
		o.fail(name, "a string", v)
		return configured
	}
	return v.String()
}

// Int returns a whole number from low to high.
func (o *Options) Int(name string, configured, low, high int) int {
	v := o.t.RawGetString(name)
	n, ok := v.(lua.LNumber)
	switch {
	case v == lua.LNil:
		return configured
	case !ok || n != lua.LNumber(int(n)) || int(n) < low || int(n) > high:
		o.fail(name, fmt.Sprintf("a whole number from %d to %d", low, high), v)
		return configured
	}
	return int(n)
}

// Bool returns true or false.
func (o *Options) Bool(name string, configured bool) bool {
	v := o.t.RawGetString(name)
	b, ok := v.(lua.LBool)
	switch {
	case v == lua.LNil:
		return configured
	case !ok:
		o.fail(name, "true or false", v)
		return configured
	}
	return bool(b)
}

// TLS returns the options of TLS: ssl is whether it is used, the others are
// named as in the configuration without dots.
func (o *Options) TLS(on bool, configured TLS) (bool, TLS) {
	t := configured
	t.CAFile = o.String("cafile", o.String("cacertfile", t.CAFile))
	t.CertFile = o.String("certfile", t.CertFile)
	t.KeyFile = o.String("keyfile", t.KeyFile)
	t.Depth = o.Int("depth", t.Depth, 0, 100)
	t.Verify = o.String("verify", t.Verify)
	t.SystemCAs = o.Bool("use_system_cas", t.SystemCAs)
	if t.Verify != "" && t.Verify != "verify_peer" && t.Verify != "verify_none" {
		o.fail("verify", "verify_peer or verify_none", lua.LString(t.Verify))
	}
	return o.Bool("ssl", on), t
}

// Pool returns the name of the pool and its size.
func (o *Options) Pool(byDefault string, size int) (name string, n int) {
	return o.String("pool_id", byDefault), o.Int("size", max(size, 1), 1, 10000)
}

// Done raises the first problem, if there was any.
func (o *Options) Done() {
	if o.err != nil {
		o.l.RaiseError("%s", o.err.Error())
	}
}
