package postgres

import (
	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/lualib"
)

// Server is where the database is and who asks it.
type Server struct {
	Host     string       `key:"host" default:"localhost" reload:"restart" doc:"Host of the database."`
	Port     int          `key:"port" default:"5432" range:"1..65535" reload:"restart" doc:"Its port."`
	User     string       `key:"user" default:"root" reload:"restart" doc:"User name there."`
	Password value.Secret `key:"password" reload:"restart" doc:"Password of that user. VerneMQ assumes the word password, here nothing is assumed."`
	Database string       `key:"database" default:"vernemq_db" reload:"restart" doc:"Name of the database."`
	PoolSize int          `key:"pool_size" default:"5" range:"1..10000" reload:"restart" doc:"Connections of a pool."`
	lualib.TLS
}

// Config is the configuration of the library postgres. Immutable.
type Config struct {
	_ struct{} `doc:"PostgreSQL for Lua scripts"`

	Server     Server `key:"script.postgres"`
	SSL        bool   `key:"script.postgres.ssl" default:"off" reload:"restart" doc:"Uses TLS."`
	HashMethod string `key:"script.postgres.password_hash_method" default:"crypt" enum:"crypt,bcrypt" reload:"restart" doc:"How passwords are hashed: crypt in the database with pgcrypto, bcrypt here."`
}

// CockroachConfig is the configuration of the library cockroachdb. Immutable.
type CockroachConfig struct {
	_ struct{} `doc:"CockroachDB for Lua scripts"`

	Server     Server `key:"script.cockroachdb"`
	SSL        bool   `key:"script.cockroachdb.ssl" default:"on" reload:"restart" doc:"Uses TLS."`
	HashMethod string `key:"script.cockroachdb.password_hash_method" default:"bcrypt" enum:"sha256,bcrypt" reload:"restart" doc:"How passwords are hashed: sha256 in the database, bcrypt here."`
}
