package broker

import "fmt"

// Reload puts a new configuration in force without touching a connection:
// plugins, their files and their order, certificates, and the limits of new
// sessions. With an error everything stays as it was. changed are the keys that
// differ, for plugins that want to know.
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
	b.applyDoors(cfg)
	if len(changed) > 0 {
		b.chain.Load().OnConfigChange(changed)
	}
	return nil
}
