package scripting

import (
	"time"

	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/lualib/bundled"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Config is the configuration of scripts. Immutable.
type Config struct {
	_ struct{} `doc:"Lua scripts (plugins.lua = on)"`

	Dir         string         `key:"script.script_dir" default:"/etc/lunemq/lua" reload:"live" doc:"Folder whose *.lua files are loaded, by name, and loaded again when they change. require looks here first."`
	BundledDir  string         `key:"script.bundled_dir" default:"/usr/share/lunemq/lua" reload:"live" doc:"Folder of the scripts that come with LuneMQ; require looks here second."`
	KeepState   bool           `key:"script.keep_state" default:"off" reload:"live" doc:"What a call changes in its Lua state stays for the next one. A script decides for itself with the global keep_state."`
	States      int            `key:"script.nr_lua_states" default:"1" range:"1..10000" reload:"live" doc:"Lua states of a script that keeps its state. A script decides for itself with the global num_states."`
	MaxStates   int            `key:"script.max_states" default:"64" range:"1..10000" reload:"live" doc:"Most Lua states of a script that does not keep its state, for clients that want to be let in and for all else each; they are made on demand."`
	Timeout     time.Duration  `key:"script.timeout" default:"5" unit:"s" range:"10ms..10min" reload:"live" doc:"How long a call may take, waiting for databases and for a free Lua state included."`
	MaxSteps    int            `key:"script.max_instructions" default:"10000000" range:"1000..1000000000000" unit:"instructions" reload:"live" doc:"How many instructions a call may execute; loading a script may take ten times as many."`
	MaxMemory   value.ByteSize `key:"script.max_memory" default:"16MB" range:"64kB..4GB" reload:"live" doc:"How much memory a call may use, what it frees included, and how much a state may keep."`
	TotalMemory value.ByteSize `key:"script.max_total_memory" default:"256MB" range:"1MB..1000GB" reload:"live" doc:"How much memory all calls in progress may use together, beyond the first megabyte of each."`
	OnError     string         `key:"script.on_error" default:"refuse" enum:"refuse,next" reload:"live" doc:"What a deciding hook answers when the script fails, breaks a limit or could not be loaded at the start: refuse, or next = the next plugin is asked, as VerneMQ does."`
	MaxWaiting  int            `key:"script.max_waiting" default:"1000" range:"0..1000000" unit:"calls" reload:"live" doc:"How many calls of a script may wait for a free Lua state; further ones fail."`
	Obfuscation value.Secret   `key:"logging.obfuscation_secret" reload:"restart" doc:"Secret from which the key is made that hides passwords from scripts until they call obf.decrypt. Empty = a random key per start."`

	Auth bundled.Config

	Files map[string]FileConfig `key:"script.NAME" reload:"live" doc:"Scripts elsewhere than in script.script_dir."`
}

// FileConfig is one script by its path.
type FileConfig struct {
	File string `key:"file" default:"" reload:"live" doc:"A script to load after those of script.script_dir."`
}

// limits are those of one call.
func (c *Config) limits() sandbox.Limits {
	return sandbox.Limits{Time: c.Timeout, Instructions: int64(c.MaxSteps), Memory: int64(c.MaxMemory)}
}

// loadFactor is how much more of everything loading may take than a call.
const loadFactor = 10

func (c *Config) loadLimits() sandbox.Limits {
	l := c.limits()
	return sandbox.Limits{Time: max(l.Time, time.Second), Instructions: loadFactor * l.Instructions, Memory: 2 * l.Memory}
}
