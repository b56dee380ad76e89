package mysql

import (
	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/lualib"
)

// Server is where the database is and who asks it.
type Server struct {
	Host     string       `key:"host" default:"localhost" reload:"restart" doc:"Host of the database."`
	Port     int          `key:"port" default:"3306" range:"1..65535" reload:"restart" doc:"Its port."`
	User     string       `key:"user" default:"root" reload:"restart" doc:"User name there."`
	Password value.Secret `key:"password" reload:"restart" doc:"Password of that user. VerneMQ assumes the word password, here nothing is assumed."`
	Database string       `key:"database" default:"vernemq_db" reload:"restart" doc:"Name of the database."`
	PoolSize int          `key:"pool_size" default:"5" range:"1..10000" reload:"restart" doc:"Connections of a pool."`
	SSL      bool         `key:"ssl" default:"off" reload:"restart" doc:"Uses TLS."`
	lualib.TLS
}

// Config is the configuration of the library mysql. Immutable.
type Config struct {
	_ struct{} `doc:"MySQL for Lua scripts"`

	Server     Server `key:"script.mysql"`
	HashMethod string `key:"script.mysql.password_hash_method" default:"password" enum:"password,md5,sha1,sha256" reload:"restart" doc:"Function of the database that hashes passwords."`
}

// Config2 is the configuration of the library mysql2. Immutable.
type Config2 struct {
	_ struct{} `doc:"MySQL for Lua scripts, second library"`

	Server     Server `key:"script.mysql2"`
	HashMethod string `key:"script.mysql2.password_hash_method" default:"sha256" enum:"password,md5,sha1,sha256" reload:"restart" doc:"Function of the database that hashes passwords."`
}
