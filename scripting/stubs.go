package scripting

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/lualib"
)

// WriteStubs writes the annotations with which an editor that speaks LuaLS
// completes and checks hook scripts: all hooks and all libraries, from their
// catalogues.
func WriteStubs(w io.Writer) error {
	var b strings.Builder
	b.WriteString("---@meta\n-- Hooks and libraries of LuneMQ for the Lua language server. Written by\n-- `lunemq script stubs`; point workspace.library at this file's folder.\n\n")
	docs := map[string]hook.Point{}
	for _, p := range hook.Points {
		docs[p.Name] = p
	}
	names := slices.Sorted(maps.Keys(slotsByName))
	for _, name := range names {
		fmt.Fprintf(&b, "---@class lunemq.%s\n", name)
		for _, f := range luaconv.Fields(name) {
			kind, optional := strings.CutSuffix(f.Type, "?")
			mark := ""
			if optional {
				mark = "?"
			}
			fmt.Fprintf(&b, "---@field %s%s %s %s\n", f.Name, mark, kind, f.Doc)
		}
		b.WriteString("\n")
	}
	b.WriteString("---What the broker calls, by the names of the hooks. A deciding hook returns true\n---(yes), false (no), a table of modifiers (yes, changed) or nothing (the next\n---script or plugin is asked).\n---@class lunemq.hooks\n")
	for _, name := range names {
		p := docs[strings.TrimSuffix(name, "_m5")]
		result := ""
		if p.Flavour == hook.AllTillOK {
			result = ": boolean|table|nil"
		}
		fmt.Fprintf(&b, "---@field %s? fun(m: lunemq.%s)%s %s\n", name, name, result, p.Doc)
	}
	b.WriteString("\n---@type lunemq.hooks\nhooks = {}\n\n---How many Lua states a script that keeps its state has.\n---@type integer?\nnum_states = nil\n\n---Whether what a call changes stays for the next one.\n---@type boolean?\nkeep_state = nil\n\n---Number of this Lua state, from 1.\n---@type integer\n__SCRIPT_INSTANCE_ID__ = 1\n")
	for i := range lualib.Modules {
		writeModule(&b, &lualib.Modules[i])
	}
	b.WriteString("\n---The same as vmq_api.\nlunemq = vmq_api\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func writeModule(b *strings.Builder, m *lualib.Module) {
	waits := ""
	if m.Waits {
		waits = " Its functions may wait: a script that mentions it has its hooks called on workers."
	}
	fmt.Fprintf(b, "\n---%s%s\n---@class lunemq.lib.%s\n%s = {}\n", m.Doc, waits, m.Name, m.Name)
	for _, f := range m.Functions {
		fmt.Fprintf(b, "\n---%s\n", f.Doc)
		var params []string
		for _, p := range f.Params {
			kind, optional := strings.CutSuffix(p.Type, "?")
			mark := ""
			if optional {
				mark = "?"
			}
			fmt.Fprintf(b, "---@param %s%s %s %s\n", p.Name, mark, kind, p.Doc)
			params = append(params, p.Name)
		}
		if f.Returns != "" {
			fmt.Fprintf(b, "---@return %s\n", f.Returns)
		}
		fmt.Fprintf(b, "function %s.%s(%s) end\n", m.Name, f.Name, strings.Join(params, ", "))
	}
}
