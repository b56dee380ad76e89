package broker

import (
	"context"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/router"
)

// Commands are all commands of the broker and its parts.
func (b *Broker) Commands() []admin.Command {
	all := append(registry.Commands(b.Registry, b.cfg.NodeName.String()), router.Commands(b.Router, b.Store)...)
	all = b.start.afterStart(all)
	all = append(all, admin.MetricsCommands(b.Catalogue, time.Now)...)
	all = append(all, admin.AlarmCommands(b.Alarms)...)
	all = append(all, admin.KeyCommands(b.Keys, time.Now)...)
	all = append(all, b.listenerCommands()...)
	all = append(all, b.tlsCommands()...)
	return append(all, b.pluginShow())
}

// pluginShow is the command plugin show. Reference 4.3.
func (b *Broker) pluginShow() admin.Command {
	return admin.Command{
		Path: "plugin show", Doc: "Show the plugins in the order they are asked, with their hooks",
		Flags: []admin.Flag{
			{Name: "plugin", Kind: admin.FlagValue, Doc: "only this plugin"},
			{Name: "hook", Kind: admin.FlagValue, Doc: "only plugins with this hook"},
			{Name: "internal", Kind: admin.FlagBool, Doc: "accepted; there are no internal plugins"},
		},
		Columns: []string{"Plugin", "Type", "Hook(s)", "M:F/A"},
		Run: func(_ context.Context, c *admin.Call) (admin.Result, error) {
			only, _ := c.Flag("plugin")
			point, _ := c.Flag("hook")
			t := admin.Table{Columns: []string{"Plugin", "Type", "Hook(s)", "M:F/A"}}
			for _, p := range b.chain.Load().Plugins() {
				hooks := p.Points()
				if only != "" && p.Name != strings.TrimPrefix(only, "vmq_") || point != "" && !has(hooks, point) {
					continue
				}
				t.Rows = append(t.Rows, []any{p.Name, "application", strings.Join(hooks, ", "), ""})
			}
			return t, nil
		},
	}
}

func has(hooks []string, point string) bool {
	for _, h := range hooks {
		if h == point || h+"_m5" == point {
			return true
		}
	}
	return false
}
