package main

import (
	"log/slog"

	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/scripting"
	"github.com/lunemq/lunemq/scripting/authcache"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/lualib/memcached"
	"github.com/lunemq/lunemq/scripting/lualib/mongodb"
	"github.com/lunemq/lunemq/scripting/lualib/mysql"
	"github.com/lunemq/lunemq/scripting/lualib/postgres"
	"github.com/lunemq/lunemq/scripting/lualib/redis"
)

// libraries are the structures that configure the libraries of scripts.
func libraries() []any {
	return []any{&lualib.Config{}, &postgres.Config{}, &postgres.CockroachConfig{}, &mysql.Config{}, &mysql.Config2{}, &mongodb.Config{}, &redis.Config{}, &memcached.Config{}}
}

// newHost makes what the libraries of scripts share; b is nil outside of a
// broker. Its owner closes it.
func newHost(log *slog.Logger, res *conf.Result, b lualib.Broker) *lualib.Host {
	cfg := conf.Section[scripting.Config](res)
	return &lualib.Host{
		Log: log, Cache: authcache.New(), Secrets: luaconv.NewObfuscation(cfg.Obfuscation.Reveal()), Broker: b,
		Config: *conf.Section[lualib.Config](res),
		Databases: map[string]lualib.Database{
			"postgres": postgres.New(conf.Section[postgres.Config](res)), "cockroachdb": postgres.NewCockroach(conf.Section[postgres.CockroachConfig](res)),
			"mysql": mysql.New(conf.Section[mysql.Config](res)), "mysql2": mysql.New2(conf.Section[mysql.Config2](res)),
			"mongodb": mongodb.New(conf.Section[mongodb.Config](res)), "redis": redis.New(conf.Section[redis.Config](res)), "memcached": memcached.New(conf.Section[memcached.Config](res)),
		},
	}
}
