package broker

import (
	"fmt"
	"strings"
)

// Reload puts a new configuration in force without touching a connection:
// plugins, their files and their order, and the limits of new sessions. With an
// error everything stays as it was. changed are the keys that differ, for
// plugins that want to know.
func (b *Broker) Reload(cfg *Config, changed map[string]string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.plugins.apply(b, cfg); err != nil {
		return err
	}
	if err := b.rechain(cfg); err != nil {
		return fmt.Errorf("broker: reload: %w", err)
	}
	b.plugins.retire(cfg)
	b.cfg = cfg
	b.apply(cfg)
	if b.Pressure != nil {
		b.Pressure.Apply(&cfg.Pressure)
	}
	for _, d := range b.doors {
		if t, ok := cfg.Listeners.TCP[strings.TrimPrefix(d.name, "tcp.")]; ok {
			d.listener.SetMaxConnections(t.MaxConnections)
		}
	}
	b.limits.Set(cfg.Listeners.MaxTotal, cfg.Listeners.MaxPerIP)
	if len(changed) > 0 {
		b.chain.Load().OnConfigChange(changed)
	}
	return nil
}
