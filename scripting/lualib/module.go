package lualib

import (
	"log/slog"
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
	Type string // LuaLS notation; a trailing ? = may be left out
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
	// Functions returns the functions for one state. pools is shared by all
	// scripts.
	Functions(s *sandbox.State) map[string]lua.LGFunction
	// Close ends all pools.
	Close()
}

// Host is what the libraries of all states share.
type Host struct {
	Log     *slog.Logger
	Cache   *authcache.Cache
	Secrets *luaconv.Obfuscation
	Broker  Broker
	// Databases by the names of their modules; a module that is missing says so
	// when it is used.
	Databases map[string]Database
}

// binding is one state with its host and its script. Immutable.
type binding struct {
	*Host
	state  *sandbox.State
	script string // file, for log lines
}

// Open gives a state all libraries.
func (h *Host) Open(s *sandbox.State, script string) {
	b := &binding{h, s, script}
	for i := range Modules {
		m := &Modules[i]
		t := s.L.NewTable()
		for name, f := range m.open(b) {
			t.RawSetString(name, s.L.NewFunction(f))
		}
		s.SetGlobal(m.Name, t)
	}
	s.SetGlobal("lunemq", s.Global("vmq_api"))
}

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
