package bundled_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/scripting"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/lualib/bundled"
	"github.com/lunemq/lunemq/scripting/lualib/memcached"
	"github.com/lunemq/lunemq/scripting/lualib/mongodb"
	"github.com/lunemq/lunemq/scripting/lualib/mysql"
	"github.com/lunemq/lunemq/scripting/lualib/postgres"
	"github.com/lunemq/lunemq/scripting/lualib/redis"
)

// All keys of reference 2.8 are read, with VerneMQ's names and the defaults
// given there, beside those of scripts.
func TestKeys(t *testing.T) {
	schema, err := conf.New(&scripting.Config{}, &lualib.Config{}, &postgres.Config{}, &postgres.CockroachConfig{}, &mysql.Config{}, &mysql.Config2{},
		&mongodb.Config{}, &redis.Config{}, &memcached.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var set []string
	for _, db := range []string{"postgres", "cockroachdb", "mysql", "mysql2"} {
		for _, kv := range []string{"host=h", "port=1", "user=u", "password=SECRET", "database=d", "pool_size=7"} {
			set = append(set, db+"."+kv)
		}
	}
	for _, db := range []string{"postgres", "cockroachdb", "mysql2", "mongodb"} {
		for _, kv := range []string{"ssl=on", "cafile=a", "certfile=b", "keyfile=c", "ssl.depth=2", "ssl.verify=verify_none", "ssl.use_system_cas=off", "ssl.customize_hostname_check=https"} {
			set = append(set, db+"."+kv)
		}
	}
	set = append(set, strings.Fields(`postgres.password_hash_method=bcrypt cockroachdb.password_hash_method=sha256 mysql.password_hash_method=md5 mysql2.password_hash_method=sha1
		mongodb.host=h mongodb.port=1 mongodb.login=l mongodb.password=SECRET mongodb.database=d mongodb.pool_size=3 mongodb.srv=s mongodb.auth_source=x mongodb.w_mode=unsafe
		mongodb.read_preference=nearest mongodb.ssl.sni=n redis.host=h redis.port=1 redis.user=u redis.password=SECRET redis.database=3 redis.pool_size=3 memcache.host=h memcache.port=1
		keep_state=on nr_lua_states=2 script_dir=/x extra.file=/y auth_redis.enabled=on auth_postgres.enabled=on auth_postgres.script=/mine.lua auth_mysql.enabled=off`)...)
	for i, kv := range set {
		set[i] = "vmq_diversity." + kv
	}
	set = append(set, strings.Fields("vmq_bcrypt.pool_size=2 vmq_bcrypt.nif_pool_size=4 vmq_bcrypt.nif_pool_max_overflow=10 vmq_bcrypt.default_log_rounds=4 vmq_bcrypt.mechanism=nif")...)
	res, err := schema.Load(conf.Sources{Set: set})
	if err != nil || res.Failed() {
		t.Fatal(err, res.Problems)
	}
	if m := conf.Section[mongodb.Config](res).Server; m.Host != "h" || m.SNI != "n" || m.TLS.CAFile != "a" || m.Depth != 2 || m.Password.Reveal() != "SECRET" {
		t.Errorf("got %+v", m)
	}
	if got, want := conf.Section[scripting.Config](res).Auth.Paths("/b"), []string{"/mine.lua", filepath.Join("/b", "auth", "redis.lua")}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, v := range res.Values() {
		if strings.Contains(v.Value, "SECRET") {
			t.Errorf("%s shows its secret", v.Key)
		}
	}

	res, err = schema.Load(conf.Sources{})
	if err != nil || res.Failed() {
		t.Fatal(err, res.Problems)
	}
	p, c := conf.Section[postgres.Config](res), conf.Section[postgres.CockroachConfig](res)
	if p.Server.Port != 5432 || p.Server.Host != "localhost" || !p.Server.Password.IsZero() || p.Server.Database != "vernemq_db" || p.SSL || !c.SSL || p.HashMethod != "crypt" || c.HashMethod != "bcrypt" {
		t.Errorf("got %+v, %+v", p, c)
	}
}

func TestEntries_AreThere(t *testing.T) {
	for _, e := range (&bundled.Config{}).Entries("../../../scripts") {
		if _, err := os.Stat(e.Path); err != nil {
			t.Error(err)
		}
	}
}
