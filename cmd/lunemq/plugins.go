package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/conf"
)

// compiledIn are plugins written in Go. To add one, write a package with a type
// that implements broker.Extension (its documentation has an example), return it
// here, and switch it on with plugins.NAME = on.
func compiledIn() []broker.Extension { return nil }

// pluginCommands switch plugins on and off at run time.
//
// Reference 4.3.
func (s *server) pluginCommands() []admin.Command {
	flags := []admin.Flag{
		{Name: "name", Short: "n", Kind: admin.FlagValue, Doc: "the plugin, as in plugins.NAME"},
		{Name: "persist", Kind: admin.FlagBool, Doc: "keep it over restarts, in DATA_DIR/runtime.conf"},
		{Name: "path", Short: "p", Kind: admin.FlagValue, Doc: "refused: plugins written in Erlang cannot be loaded"},
		{Name: "module", Short: "m", Kind: admin.FlagValue, Doc: "refused, as --path"},
		{Name: "function", Short: "f", Kind: admin.FlagValue, Doc: "refused, as --path"},
		{Name: "arity", Short: "a", Kind: admin.FlagValue, Doc: "refused, as --path"},
		{Name: "hook", Short: "h", Kind: admin.FlagValue, Doc: "refused, as --path"},
	}
	command := func(word, doc, value string) admin.Command {
		return admin.Command{Path: "plugin " + word, Doc: doc, Flags: flags, Changes: true,
			Run: func(_ context.Context, c *admin.Call) (admin.Result, error) { return s.switchPlugin(c, value) }}
	}
	return []admin.Command{
		command("enable", "Switch a plugin on, under traffic\n\nWithout --persist it is forgotten at the next restart.", "on"),
		command("disable", "Switch a plugin off, under traffic\n\nWithout --persist it is forgotten at the next restart.", "off"),
	}
}

func (s *server) switchPlugin(c *admin.Call, value string) (admin.Result, error) {
	for _, f := range []string{"path", "module", "function", "arity", "hook"} {
		if _, given := c.Flag(f); given {
			return nil, fmt.Errorf("%w: --%s: plugins written in Erlang cannot be loaded; a Lua script can take the plugin's place", admin.ErrUsage, f)
		}
	}
	name, _ := c.Flag("name")
	if name == "" {
		return nil, fmt.Errorf("%w: --name is missing", admin.ErrUsage)
	}
	schema, err := conf.New(sections()...)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	now, given := s.res.Get("plugins." + name)
	s.mu.Unlock()
	if !given {
		now.Value = "off"
	}
	switch {
	case schema.Class("plugins."+name, value) != conf.Works:
		return nil, fmt.Errorf("plugin_not_found: there is no plugin %q; plugin show and lunemq config list them", name)
	case now.Value == value && value == "on":
		return nil, errors.New("already_enabled: the plugin " + strings.TrimPrefix(name, "vmq_") + " is on")
	case now.Value == value:
		return nil, errors.New("already_disabled: the plugin " + strings.TrimPrefix(name, "vmq_") + " is off")
	}
	set := *c
	set.Args = map[string]string{"plugins." + name: value}
	return s.set(&set)
}
