package redis

import "github.com/lunemq/lunemq/conf/value"

// Config is the configuration of the library redis. Immutable.
type Config struct {
	_ struct{} `doc:"Redis for Lua scripts"`

	Host     string       `key:"script.redis.host" default:"localhost" reload:"restart" doc:"Host of the server."`
	Port     int          `key:"script.redis.port" default:"6379" range:"1..65535" reload:"restart" doc:"Its port."`
	User     string       `key:"script.redis.user" default:"" reload:"restart" doc:"User name there; empty is the default user."`
	Password value.Secret `key:"script.redis.password" reload:"restart" doc:"Password there; empty is none."`
	Database int          `key:"script.redis.database" default:"0" range:"0..1000000" reload:"restart" doc:"Number of the database."`
	PoolSize int          `key:"script.redis.pool_size" default:"5" range:"1..10000" reload:"restart" doc:"Connections of a pool."`
}
