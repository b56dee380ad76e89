package lualib

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/scripting/authcache"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Module is one library: a global table of functions.
type Module struct {
	Name string
	// Waits: its functions may wait for something outside. A script that
	// mentions it has its hooks called on workers.
	Waits     bool
	Doc       string
	Functions []Function
	// open makes the functions for one state.
	open func(b *binding) map[string]lua.LGFunction
}

// Function is one function of a library as documents and editor stubs show it.
type Function struct {
	Name    string
	Params  []Param
	Returns string // type in LuaLS notation, "" = nothing
	Doc     string
}

// Param is one parameter.
type Param struct {
	Name string // "..." for any number
	Type string // any, string, number, integer, boolean, table, or several with |; a trailing ? = may be left out
	Doc  string
}

// Broker is what scripts may ask of the broker. Safe for concurrent use; its
// methods do not wait for clients.
type Broker interface {
	// Disconnect ends a client's connection, with cleanup its session too;
	// false = there is no such client.
	Disconnect(key mqtt.SessionKey, cleanup bool) bool
	// Reauthorize asks auth_on_subscribe again about each subscription of a
	// client and removes those that are refused now. It returns at once.
	Reauthorize(username string, key mqtt.SessionKey)
	// Subscriptions returns what a client is subscribed to; false = there is no
	// such client.
	Subscriptions(key mqtt.SessionKey) ([]mqtt.Subscription, bool)
	// Publish routes a message that comes from no client, without asking hooks.
	Publish(now time.Time, m *mqtt.Message)
}

// Database is the driver behind a library such as postgres: it makes pools and
// the library's functions. One per kind, made by the composer.
type Database interface {
	// Functions returns the functions for one state, as many as the catalogue
	// has for the library. Pools are shared by all scripts.
	Functions(s *sandbox.State) map[string]lua.LGFunction
	// Close ends all pools.
	Close()
}

// Host is what the libraries of all states share. Its fields are set before the
// first Open. Safe for concurrent use.
type Host struct {
	Log     *slog.Logger
	Cache   *authcache.Cache
	Secrets *luaconv.Obfuscation
	Broker  Broker // nil = vmq_api raises errors
	// Databases by the names of their modules; a module that is missing says so
	// when it is used.
	Databases map[string]Database
	Config    Config // zero fields are the defaults

	once   sync.Once
	kv     *kvStore
	hasher *hasher
	http   Pools[httpOptions, *httpPool]
}

// start makes what is shared.
func (h *Host) start() {
	h.once.Do(func() {
		h.kv = newKV(int64(h.Config.kvMaxMemory()))
		h.hasher = newHasher(h.Config.bcryptWorkers(), h.Config.bcryptRounds())
	})
}

// Close ends all pools. Calls in progress fail or finish.
func (h *Host) Close() {
	h.http.Close()
	for _, d := range h.Databases {
		d.Close()
	}
}

// binding is one state with its host and its script. Immutable.
type binding struct {
	*Host
	state  *sandbox.State
	script string // file, for log lines
}

// Open gives a state all libraries.
func (h *Host) Open(s *sandbox.State, script string) {
	h.start()
	b := &binding{h, s, script}
	for i := range Modules {
		m := &Modules[i]
		t := s.L.NewTable()
		made := m.open(b)
		for k := range m.Functions {
			f := &m.Functions[k]
			t.RawSetString(f.Name, s.L.NewFunction(f.checked(m.Name, made[f.Name])))
		}
		s.SetGlobal(m.Name, t)
	}
	s.SetGlobal("lunemq", s.Global("vmq_api"))
}

// checked is a function that looks at its arguments before it calls f.
func (f *Function) checked(module string, call lua.LGFunction) lua.LGFunction {
	return func(L *lua.LState) int {
		for i := range f.Params {
			p := &f.Params[i]
			if p.Name == "..." {
				break
			}
			if v := L.Get(i + 1); !accepts(p.Type, v) {
				L.RaiseError("bad argument #%d (%s) to %s.%s: want %s, got %s", i+1, p.Name, module, f.Name, p.Type, v.Type().String())
			}
		}
		return call(L)
	}
}

// accepts reports whether a value is of a type in LuaLS notation. As in Lua's
// own libraries a number will do for a string.
func accepts(types string, v lua.LValue) bool {
	types, optional := strings.CutSuffix(types, "?")
	if optional && v == lua.LNil {
		return true
	}
	for more := true; more; {
		var one string
		one, types, more = strings.Cut(types, "|")
		ok := false
		switch one {
		case "any":
			ok = true
		case "string":
			ok = lua.LVCanConvToString(v)
		case "integer":
			n, is := v.(lua.LNumber)
			ok = is && n == lua.LNumber(int64(n))
		case "number":
			ok = v.Type() == lua.LTNumber
		case "boolean":
			ok = v.Type() == lua.LTBool
		case "table":
			ok = v.Type() == lua.LTTable
		}
		if ok {
			return true
		}
	}
	return false
}

// text returns a string argument that accepts has let pass.
func text(L *lua.LState, i int) string { return lua.LVAsString(L.Get(i)) }

// Waits returns the name of a module that may wait and that the program
// mentions, "" if there is none.
func Waits(p *sandbox.Program) string {
	for i := range Modules {
		if m := &Modules[i]; m.Waits && p.Mentions(m.Name) {
			return m.Name
		}
	}
	return ""
}
