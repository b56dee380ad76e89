package lualib

import "github.com/lunemq/lunemq/conf/value"

// Config is the configuration of the libraries that are no databases.
// Immutable.
type Config struct {
	_ struct{} `doc:"Libraries of Lua scripts"`

	KVMaxMemory     value.ByteSize `key:"script.kv_max_memory" default:"64MB" range:"64kB..64GB" reload:"restart" doc:"How much memory the tables of the library kv may take together. An insert into full tables is an error."`
	HTTPMaxResponse value.ByteSize `key:"script.http_max_response" default:"1MB" range:"1kB..1GB" reload:"restart" doc:"Longest body that the library http reads; a longer one is an error."`
	HTTPRedirects   int            `key:"script.http_max_redirects" default:"5" range:"1..20" reload:"restart" doc:"How many redirects the library http follows."`

	BcryptPool      BcryptWorkers `key:"bcrypt.pool_size" default:"auto" reload:"restart" doc:"How many passwords the library bcrypt hashes at a time; auto = half as many as there are processors."`
	BcryptRounds    int           `key:"bcrypt.default_log_rounds" default:"12" range:"4..31" reload:"restart" doc:"Cost of bcrypt.gen_salt(): the binary logarithm of the rounds."`
	BcryptMechanism string        `key:"bcrypt.mechanism" default:"port" enum:"port,nif" reload:"restart" hidden:"true" doc:"Read and ignored: there is one mechanism, in the process."`
	BcryptNIF       int           `key:"bcrypt.nif_pool_size" default:"4" range:"1.." reload:"restart" hidden:"true" doc:"Read and ignored, see bcrypt.pool_size."`
	BcryptOverflow  int           `key:"bcrypt.nif_pool_max_overflow" default:"10" range:"0.." reload:"restart" hidden:"true" doc:"Read and ignored, see bcrypt.pool_size."`
}

func (c *Config) kvMaxMemory() value.ByteSize { return orDefault(c.KVMaxMemory, 64<<20) }
func (c *Config) httpMaxResponse() int        { return int(orDefault(c.HTTPMaxResponse, 1<<20)) }
func (c *Config) httpRedirects() int          { return orDefault(c.HTTPRedirects, 5) }
func (c *Config) bcryptRounds() int           { return orDefault(c.BcryptRounds, 12) }
func (c *Config) bcryptWorkers() int          { return c.BcryptPool.count() }

func orDefault[T ~int | ~int64](v, byDefault T) T {
	if v == 0 {
		return byDefault
	}
	return v
}
