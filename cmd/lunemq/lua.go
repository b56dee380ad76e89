package main

import (
	"sync"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/scripting"
	"github.com/lunemq/lunemq/scripting/lualib"
)

// luaPlugin is the Lua scripts as an extension of the broker.
type luaPlugin struct {
	mu     sync.Mutex // of what follows: commands come at any time
	cfg    *scripting.Config
	res    *conf.Result      // where cfg comes from
	host   *lualib.Host      // nil while the plugin is off
	engine *scripting.Engine // nil while the plugin is off
}

func (*luaPlugin) Name() string { return "lua" }

// adopt takes the configuration that the next Start or Configure puts in force.
func (l *luaPlugin) adopt(res *conf.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg, l.res = conf.Section[scripting.Config](res), res
}

// Start implements broker.Extension.
func (l *luaPlugin) Start(api *broker.API) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	host := newHost(api.Log, l.res, api)
	e, err := scripting.Start(l.cfg, scripting.Deps{Log: api.Log, Metrics: api.Metrics, Alarms: api.Alarms, Host: host, Changed: api.Changed})
	if err != nil {
		host.Close()
		return err
	}
	l.engine, l.host = e, host
	return nil
}

// Configure implements broker.Extension.
func (l *luaPlugin) Configure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.engine.Configure(l.cfg)
}

// Plugin implements broker.Extension.
func (l *luaPlugin) Plugin() hook.Plugin {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.engine.Plugin()
}

// Close implements broker.Extension.
func (l *luaPlugin) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.engine.Close()
	l.host.Close()
	l.engine, l.host = nil, nil
}

// running returns the engine, nil while the plugin is off.
func (l *luaPlugin) running() *scripting.Engine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.engine
}

// commands are those about scripts.
func (l *luaPlugin) commands() []admin.Command { return scripting.Commands(l.running) }
