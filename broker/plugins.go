package broker

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/lunemq/lunemq/broker/auth"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// plugins are those that are in use. Guarded by Broker.mu.
type plugins struct {
	acl        *auth.ACL
	passwd     *auth.Passwd
	extensions map[string]*extension // by name, those that are on
}

// extension is a plugin of the composer's that is on.
type extension struct {
	Extension
	api *API
}

// apply loads the files of the plugins that are switched on, or the files that
// a reload names or finds changed, and ends plugins that are switched off. With
// an error, what was in force stays.
func (p *plugins) apply(d *Broker, cfg *Config) error {
	w := cfg.Who
	acl := auth.Deps{Log: d.Log, Reloads: &d.Metrics.ACLReloads, Errors: &d.Metrics.ACLReloadErrors, Alarms: d.Alarms}
	passwd := auth.Deps{Log: d.Log, Reloads: &d.Metrics.PasswdReloads, Errors: &d.Metrics.PasswdReloadErrors, Alarms: d.Alarms}
	var err error
	switch on := w.Plugins["acl"].On; {
	case on && p.acl == nil:
		p.acl, err = auth.StartACL(context.Background(), w.ACL, acl)
	case on:
		err = p.acl.Configure(w.ACL)
	}
	if err != nil {
		return err
	}
	switch on := w.Plugins["passwd"].On; {
	case on && p.passwd == nil:
		p.passwd, err = auth.StartPasswd(context.Background(), w.Passwd, passwd)
	case on:
		err = p.passwd.Configure(w.Passwd)
	}
	if err != nil {
		return err
	}
	return p.applyExtensions(d, cfg)
}

func (p *plugins) applyExtensions(d *Broker, cfg *Config) error {
	for _, x := range d.Extensions {
		if !cfg.Who.Plugins[x.Name()].On {
			continue
		}
		if running := p.extensions[x.Name()]; running != nil {
			if err := running.Configure(); err != nil {
				return err
			}
			continue
		}
		api := d.newAPI()
		if err := x.Start(api); err != nil {
			api.close()
			return err
		}
		if p.extensions == nil {
			p.extensions = map[string]*extension{}
		}
		p.extensions[x.Name()] = &extension{x, api}
	}
	return nil
}

// retire ends the plugins that cfg has switched off, once no chain has them.
func (p *plugins) retire(cfg *Config) {
	if p.acl != nil && !cfg.Who.Plugins["acl"].On {
		p.acl.Close()
		p.acl = nil
	}
	if p.passwd != nil && !cfg.Who.Plugins["passwd"].On {
		p.passwd.Close()
		p.passwd = nil
	}
	for name, x := range p.extensions {
		if !cfg.Who.Plugins[name].On {
			delete(p.extensions, name)
			x.api.close()
			x.Close()
		}
	}
}

// CheckFiles reads the files that the plugins and listeners of cfg need and
// returns what is wrong with them.
func CheckFiles(cfg *Config) (bad []error) {
	quiet := slog.New(slog.DiscardHandler)
	var count metric.Counter
	d := auth.Deps{Log: quiet, Reloads: &count, Errors: &count}
	if cfg.Who.Plugins["acl"].On {
		if acl, err := auth.StartACL(context.Background(), cfg.Who.ACL, d); err != nil {
			bad = append(bad, err)
		} else {
			acl.Close()
		}
	}
	if cfg.Who.Plugins["passwd"].On {
		if passwd, err := auth.StartPasswd(context.Background(), cfg.Who.Passwd, d); err != nil {
			bad = append(bad, err)
		} else {
			passwd.Close()
		}
	}
	return append(bad, cfg.Listeners.CheckFiles()...)
}

// stop ends what watches files.
func (p *plugins) stop() {
	p.retire(&Config{})
}

// ordered returns the plugins that are on in the order they are asked:
// by priority, then by name.
//
// Reference 1.2.
func (p *plugins) ordered(cfg *Config) []hook.Plugin {
	made := map[string]func() hook.Plugin{}
	if p.acl != nil {
		made["acl"] = p.acl.Plugin
	}
	if p.passwd != nil {
		made["passwd"] = p.passwd.Plugin
	}
	for name, x := range p.extensions {
		made[name] = x.Plugin
	}
	var names []string
	for name, c := range cfg.Who.Plugins {
		if c.On && made[name] != nil {
			names = append(names, name)
		}
	}
	prio := func(n string) int {
		if v := cfg.Who.Plugins[n].Priority; v > 0 {
			return v
		}
		return 1 << 30
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(prio(a), prio(b)), cmp.Compare(a, b))
	})
	var out []hook.Plugin
	for _, n := range names {
		out = append(out, made[n]())
	}
	return out
}

// rechain puts the plugins of cfg in force for all listeners. Called with
// b.mu held, or before anybody else knows b.
func (b *Broker) rechain(cfg *Config) error {
	chain := hook.NewChain(b.plugins.ordered(cfg), func(plugin, point string, v any) {
		b.Metrics.HookErrors.Inc(1)
		b.Log.Error("plugin panicked", "plugin", plugin, "hook", point, "panic", fmt.Sprint(v))
	})
	chains := make([]*hook.Chain, len(b.doors))
	for i, d := range b.doors {
		c, err := chain.Restrict(d.auth, d.authz)
		if err != nil {
			return fmt.Errorf("broker: listener.%s: %w", d.name, err)
		}
		chains[i] = c
	}
	for i, d := range b.doors {
		d.chain.Store(chains[i])
	}
	b.chain.Store(chain)
	b.warnUnreachable(chain)
	return nil
}

// warnUnreachable says that authorisers behind an ACL that permits everything
// are never asked. Quirk 2.
func (b *Broker) warnUnreachable(chain *hook.Chain) {
	all := chain.Plugins()
	at := slices.IndexFunc(all, func(p hook.Plugin) bool { return p.Name == "acl" })
	if at < 0 || b.plugins.acl == nil || !b.plugins.acl.PermitsEverything() {
		return
	}
	for _, p := range all[at+1:] {
		_, pub := p.Hooks.(hook.AuthOnPublish)
		_, sub := p.Hooks.(hook.AuthOnSubscribe)
		if pub || sub {
			b.Log.Warn("the ACL permits everything, so a later plugin is never asked about publish and subscribe",
				"plugin", p.Name, "remedy", "give the plugin a lower plugins."+p.Name+".priority than acl, or narrow acl.acl_file")
		}
	}
}
