package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/conf"
)

// commands are the broker's and those about configuration, which only the
// composer knows.
func (s *server) commands() []admin.Command {
	all := append(s.broker.Commands(), s.lua.commands()...)
	return append(append(all, s.pluginCommands()...),
		admin.Command{
			Path: "config show", Doc: "Show every configuration key, its value and where that came from",
			Flags: []admin.Flag{
				{Name: "changed", Kind: admin.FlagBool, Doc: "only keys that are not at their default"},
				{Name: "key", Kind: admin.FlagValue, Doc: "only keys that begin with this"},
			},
			Columns: []string{"key", "value", "origin", "default", "reload"},
			Run:     func(_ context.Context, c *admin.Call) (admin.Result, error) { return s.configShow(c), nil },
		},
		admin.Command{
			Path: "show", Doc: "Show the values of the named configuration keys", Words: "KEY",
			Columns: []string{"key", "value", "origin"},
			Run:     func(_ context.Context, c *admin.Call) (admin.Result, error) { return s.show(c) },
		},
		admin.Command{
			Path: "set", Doc: "Change configuration keys of the running broker\n\nMost apply to new sessions only. Without --persist they are forgotten at\nthe next restart.", FreeArgs: true, Changes: true,
			Flags: []admin.Flag{
				{Name: "persist", Kind: admin.FlagBool, Doc: "keep the values over restarts, in DATA_DIR/runtime.conf"},
				{Name: "node", Kind: admin.FlagValue, Doc: "accepted; there is one node"},
				{Name: "all", Kind: admin.FlagBool, Doc: "accepted; there is one node"},
			},
			Run: func(_ context.Context, c *admin.Call) (admin.Result, error) { return s.set(c) },
		})
}

func (s *server) configShow(c *admin.Call) admin.Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	prefix, _ := c.Flag("key")
	t := admin.Table{Columns: []string{"key", "value", "origin", "default", "reload"}}
	for _, v := range s.res.Values() {
		if strings.HasPrefix(v.Key, prefix) && (!c.Bool("changed", false) || v.Value != v.Default) {
			t.Rows = append(t.Rows, []any{v.Key, v.Value, v.Origin.String(), v.Default, v.Reload})
		}
	}
	return t
}

func (s *server) show(c *admin.Call) (admin.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := admin.Table{Columns: []string{"key", "value", "origin"}}
	for _, key := range c.Words {
		v, ok := s.res.Get(key)
		if !ok {
			return nil, fmt.Errorf("%w: unknown key %q; config show lists all", admin.ErrUsage, key)
		}
		t.Rows = append(t.Rows, []any{v.Key, v.Value, v.Origin.String()})
	}
	return t, nil
}

// set changes keys at run time. Keys that need a restart are refused, unless
// they are to be persisted.
func (s *server) set(c *admin.Call) (admin.Result, error) {
	if len(c.Args) == 0 {
		return nil, fmt.Errorf("%w: set needs KEY=VALUE", admin.ErrUsage)
	}
	var assignments []string
	for k, v := range c.Args {
		assignments = append(assignments, k+"="+v)
	}
	sort.Strings(assignments)
	persist := c.Bool("persist", false)
	s.mu.Lock()
	defer s.mu.Unlock()
	next, changes, err := s.res.Set(assignments...)
	if err != nil {
		return nil, err
	}
	for _, x := range changes {
		if x.Reload == "restart" && !persist {
			return nil, fmt.Errorf("%s takes effect only at start: change it in the file, or use --persist and restart", x.Key)
		}
	}
	if err := s.adopt(next); err != nil {
		return nil, err
	}
	if persist {
		if err := conf.Persist(filepath.Join(s.config().DataDir, conf.RuntimeFile), assignments...); err != nil {
			return nil, err
		}
	}
	return admin.Done, nil
}
