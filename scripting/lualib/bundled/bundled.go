package bundled

import "path/filepath"

// Config says which bundled authenticators are loaded. Immutable.
type Config struct {
	_ struct{} `doc:"Bundled authenticators in Lua"`

	Postgres  Script `key:"script.auth_postgres"`
	Cockroach Script `key:"script.auth_cockroachdb"`
	MySQL     Script `key:"script.auth_mysql"`
	MySQL2    Script `key:"script.auth_mysql2"`
	MongoDB   Script `key:"script.auth_mongodb"`
	Redis     Script `key:"script.auth_redis"`
}

// Script is one of them.
type Script struct {
	Enabled bool   `key:"enabled" default:"off" reload:"live" doc:"Asks this database whether clients may connect, publish and subscribe."`
	Path    string `key:"script" default:"" reload:"live" doc:"Script to use; empty is the one below script.bundled_dir."`
}

// Entry is one script with its state.
type Entry struct {
	Name    string // of the database: postgres
	Enabled bool
	Path    string
}

// Entries returns all authenticators in the order in which they are loaded,
// behind all other scripts. dir is script.bundled_dir.
//
// Reference 2.2.
func (c *Config) Entries(dir string) []Entry {
	entry := func(name string, s Script) Entry {
		path := s.Path
		if path == "" {
			path = filepath.Join(dir, "auth", name+".lua")
		}
		return Entry{name, s.Enabled, path}
	}
	return []Entry{
		entry("postgres", c.Postgres), entry("cockroachdb", c.Cockroach), entry("mysql", c.MySQL),
		entry("mysql2", c.MySQL2), entry("mongodb", c.MongoDB), entry("redis", c.Redis),
	}
}

// Paths returns the files of those that are enabled, in order.
func (c *Config) Paths(dir string) (paths []string) {
	for _, e := range c.Entries(dir) {
		if e.Enabled {
			paths = append(paths, e.Path)
		}
	}
	return paths
}
