//go:build integration

package scripttest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/lualib/dbtest"
	"github.com/lunemq/lunemq/scripting/lualib/mongodb"
	"github.com/lunemq/lunemq/scripting/lualib/mysql"
	"github.com/lunemq/lunemq/scripting/lualib/postgres"
	"github.com/lunemq/lunemq/scripting/lualib/redis"
)

// account is one row of a database.
type account struct{ clientID, username, password, publish, subscribe string }

var accounts = []account{
	{"own", "user", "own-pw", `[{"pattern":"own/#","max_qos":1}]`, `[{"pattern":"own/+"}]`},
	{"*", "user", "star-pw", `[{"pattern":"star/%c/#"}]`, ""},
	{`a b"c`, "us er", "blank pw", `[{"pattern":"#"}]`, ""},
	{"nothing", "nobody", "pw", "", ""},
}

func hash(t *testing.T, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), 4)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

// checkAuth asks a bundled authenticator about all accounts.
func checkAuth(t *testing.T, name string, d lualib.Database, server dbtest.Backend) {
	t.Helper()
	r := start(t, "auth/"+name+".lua", map[string]lualib.Database{name: d})
	for _, version := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		for _, tt := range []struct{ id, username, password, want, topic, forbidden string }{
			{"own", "user", "own-pw", "ok", "own/x", "star/own/x"},
			{"own", "user", "star-pw", "deny", "", "star/own/x"},
			{"any", "user", "star-pw", "ok", "star/any/x", "star/other/x"},
			{"any", "user", "own-pw", "deny", "", "own/x"},
			{"any", "USER", "star-pw", "deny", "", "x"},
			{"any", "user ", "star-pw", "deny", "", "x"},
			{"any", "user", "", "deny", "", "x"},
			{"any", "", "star-pw", "deny", "", "x"},
			{`a b"c`, "us er", "blank pw", "ok", "x", ""},
			{`a b`, "us er", "blank pw", "deny", "", "x"},
			{"nothing", "nobody", "pw", "ok", "", "x"},
			{"any", "unknown", "pw", "deny", "", "x"},
			{"' OR '1'='1", "' OR '1'='1", "' OR '1'='1", "deny", "", "x"},
			{"x EX 1", `","user"]`, "own-pw", "deny", "", "x"},
		} {
			c := client(tt.id, tt.username, version)
			if got := r.register(c, tt.password); got != tt.want {
				t.Errorf("%s %q %q %q: got %s, want %s", name, tt.id, tt.username, tt.password, got, tt.want)
			}
			if got := r.publish(c, &mqtt.Message{Topic: tt.topic}); tt.topic != "" && got != "ok" {
				t.Errorf("%s %q publishes to %s: got %s", name, tt.id, tt.topic, got)
			}
			if got := r.publish(c, &mqtt.Message{Topic: tt.forbidden}); tt.forbidden != "" && got != "deny" {
				t.Errorf("%s %q publishes to %s: got %s", name, tt.id, tt.forbidden, got)
			}
			// The connection came to be, and has ended.
			r.OnClientWakeup(c.Key)
			r.OnClientGone(c.Key)
		}
	}
	c := client("own", "user", mqtt.V311)
	if got := r.subscribe(c, "own/1"); got != "deny" {
		t.Errorf("%s: a client that is gone subscribes: got %s", name, got)
	}
	r.register(c, "own-pw")
	for _, got := range []string{r.publish(c, &mqtt.Message{Topic: "own/x", QoS: 2}), r.subscribe(c, "own/#"), r.subscribe(c, "own/1", "own/2") + "x"} {
		if got != "deny" && got != "okx" {
			t.Errorf("%s: rules of own: got %s", name, got)
		}
	}
	if strings.Contains(r.log.String(), "failed") || strings.Contains(r.log.String(), "-pw") {
		t.Errorf("%s: log:\n%s", name, r.log.String())
	}
	if server == nil {
		return
	}
	server.Stop()
	if got := r.register(c, "own-pw"); got != "deny" {
		t.Errorf("%s: the database is gone: got %s", name, got)
	}
	server.Start()
	r.eventually("connecting again", func() bool { return r.register(c, "own-pw") == "ok" })
	if strings.Contains(r.log.String(), "s3cret") {
		t.Errorf("%s: the log shows the database's password", name)
	}
}

// null is SQL's NULL for an empty string.
func null(s string) string {
	if s == "" {
		return "nil"
	}
	return fmt.Sprintf("%q", s)
}

const table = `CREATE TABLE vmq_auth_acl (mountpoint varchar(10) NOT NULL, client_id varchar(128) NOT NULL, username varchar(128) NOT NULL, password varchar(128),
	publish_acl %[1]s, subscribe_acl %[1]s, PRIMARY KEY (mountpoint, client_id, username))`

func TestIntegrationAuth_Postgres(t *testing.T) {
	server := dbtest.Postgres(t)
	where := postgres.Server{Host: "127.0.0.1", Port: server.Port, User: server.User, Password: value.NewSecret(server.Password), Database: server.Database, PoolSize: 3}
	setup := func(pg *dbtest.Rig, expression string, own func(string) string) {
		t.Helper()
		// Eventually: connections from before a restart of the server are still in the pool.
		pg.Eventually(`postgres.ensure_pool({}) local q = postgres.execute
			q("pool_postgres", "CREATE EXTENSION IF NOT EXISTS pgcrypto")
			q("pool_postgres", "CREATE OR REPLACE FUNCTION sha256(text) RETURNS text AS $$ SELECT encode(digest($1, 'sha256'), 'hex') $$ LANGUAGE SQL")
			q("pool_postgres", "DROP TABLE IF EXISTS vmq_auth_acl")
			q("pool_postgres", [[` + fmt.Sprintf(table, "json") + `]])`)
		for _, a := range accounts {
			pg.Eventually(fmt.Sprintf(`postgres.ensure_pool({}) postgres.execute("pool_postgres", "INSERT INTO vmq_auth_acl VALUES ('', $1, $2, %s, $4, $5) ON CONFLICT DO NOTHING", %q, %q, %q, %s, %s)`,
				expression, a.clientID, a.username, own(a.password), null(a.publish), null(a.subscribe)))
		}
	}
	same := func(s string) string { return s }
	hashed := func(s string) string { return hash(t, s) }
	crypt := postgres.New(&postgres.Config{Server: where, HashMethod: "crypt"})
	pg := dbtest.NewRig(t, "postgres", crypt)

	setup(pg, "crypt($3, gen_salt('bf', 4))", same)
	checkAuth(t, "postgres", postgres.New(&postgres.Config{Server: where, HashMethod: "crypt"}), server)
	setup(pg, "$3", hashed)
	checkAuth(t, "postgres", postgres.New(&postgres.Config{Server: where, HashMethod: "bcrypt"}), nil)
	checkAuth(t, "cockroachdb", postgres.NewCockroach(&postgres.CockroachConfig{Server: where, HashMethod: "bcrypt"}), nil)
	setup(pg, "sha256($3::text)", same)
	checkAuth(t, "cockroachdb", postgres.NewCockroach(&postgres.CockroachConfig{Server: where, HashMethod: "sha256"}), nil)
}

func TestIntegrationAuth_MariaDB(t *testing.T) {
	server := dbtest.MariaDB(t)
	where := mysql.Server{Host: "127.0.0.1", Port: server.Port, User: server.User, Password: value.NewSecret(server.Password), Database: server.Database, PoolSize: 3}
	for i, method := range []string{"password", "md5", "sha1", "sha256"} {
		my := dbtest.NewRig(t, "mysql", mysql.New(&mysql.Config{Server: where, HashMethod: method}))
		my.Passes(`mysql.ensure_pool({}) mysql.execute("pool_mysql", "DROP TABLE IF EXISTS vmq_auth_acl") mysql.execute("pool_mysql", [[` + fmt.Sprintf(table, "text") + `]])`)
		for _, a := range accounts {
			my.Passes(fmt.Sprintf(`mysql.ensure_pool({}) mysql.execute("pool_mysql", "INSERT INTO vmq_auth_acl VALUES ('', ?, ?, " .. mysql.hash_method() .. ", ?, ?)", %q, %q, %q, %s, %s)`,
				a.clientID, a.username, a.password, null(a.publish), null(a.subscribe)))
		}
		var backend dbtest.Backend
		if i == 0 {
			backend = server
		}
		checkAuth(t, "mysql", mysql.New(&mysql.Config{Server: where, HashMethod: method}), backend)
		checkAuth(t, "mysql2", mysql.New2(&mysql.Config2{Server: where, HashMethod: method}), nil)
	}
}

func TestIntegrationAuth_Redis(t *testing.T) {
	server := dbtest.Redis(t)
	config := &redis.Config{Host: "127.0.0.1", Port: server.Port, Password: value.NewSecret(server.Password), PoolSize: 3}
	fill := dbtest.NewRig(t, "redis", redis.New(config))
	insert := func() {
		for _, a := range accounts {
			fill.Eventually(fmt.Sprintf(`redis.ensure_pool({}) assert(redis.cmd("pool_redis", "set", json.encode({"", %q, %q}),
				json.encode({passhash = %q, publish_acl = json.decode(%q), subscribe_acl = json.decode(%q)})))`, a.clientID, a.username, hash(t, a.password), a.publish, a.subscribe))
		}
	}
	insert()
	checkAuth(t, "redis", redis.New(config), refilled{server, insert})
}

// A script made from one of VerneMQ's finds the functions it calls, and its way
// of asking is safe from what clients send.
func TestIntegrationAuth_VerneMQStyle(t *testing.T) {
	server := dbtest.Redis(t)
	config := &redis.Config{Host: "127.0.0.1", Port: server.Port, Password: value.NewSecret(server.Password), PoolSize: 3}
	dbtest.NewRig(t, "redis", redis.New(config)).Passes(fmt.Sprintf(`redis.ensure_pool({}) redis.cmd("pool_redis", "set", '["","a b","us er"]', '{"passhash":%q,"publish_acl":[{"pattern":"x"}]}')`, hash(t, "pw")))
	const style = `
require "auth/auth_commons"
function auth_on_register(reg)
  if reg.username ~= nil and reg.password ~= nil then
    key = json.encode({reg.mountpoint, reg.client_id, reg.username})
    res = redis.cmd("auth_redis", "get " .. key)
    if res then
      res = json.decode(res)
      type_assert(res.passhash, {"string", "nil"}, "passhash")
      pwd = obf.decrypt(reg.password)
      if res.passhash == bcrypt.hashpw(pwd, res.passhash) then
        cache_insert(reg.mountpoint, reg.client_id, reg.username, res.publish_acl, res.subscribe_acl)
        return true
      end
    end
  end
  return false
end
redis.ensure_pool({pool_id = "auth_redis"})
hooks = {
  auth_on_register = auth_on_register, auth_on_publish = auth_on_publish, auth_on_subscribe = auth_on_subscribe,
  on_unsubscribe = on_unsubscribe, on_client_gone = on_client_gone, on_client_offline = on_client_offline, on_session_expired = on_session_expired,
  auth_on_register_m5 = auth_on_register_m5, auth_on_publish_m5 = auth_on_publish_m5, auth_on_subscribe_m5 = auth_on_subscribe_m5,
}`
	r := start(t, "auth/redis.lua", map[string]lualib.Database{"redis": redis.New(config)}, `-- Lets clients in whom Redis knows (script.auth_redis.enabled).`, style+"\ndo return end --")
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		c := client("a b", "us er", v)
		r.expect(r.register(c, "pw"), "ok")
		r.expect(r.publish(c, &mqtt.Message{Topic: "x"}), "ok")
		r.expect(r.register(c, "wrong"), "deny")
		r.expect(r.register(client(`x" EX 1`, "u", v), "pw"), "deny")
		r.expect(r.publish(client("new", "u", v), &mqtt.Message{Topic: "x"}), "deny")
		r.OnClientWakeup(c.Key)
		r.OnClientGone(c.Key)
	}
	if strings.Contains(r.log.String(), "failed") {
		t.Error(r.log.String())
	}
}

// While the database does not answer, those who ask it wait, up to
// script.timeout, and clients with rules in the cache do not notice.
func TestIntegrationAuth_SlowDatabase(t *testing.T) {
	server := dbtest.NewMongo(t)
	config := &mongodb.Config{Server: mongodb.Server{Host: "127.0.0.1", Port: server.Port, Login: server.User, Password: value.NewSecret(server.Password), AuthSource: "admin",
		Database: "db", PoolSize: 3, WMode: "safe", ReadPreference: "primary"}}
	dbtest.NewRig(t, "mongodb", mongodb.New(config)).Passes(fmt.Sprintf(`mongodb.ensure_pool({}) mongodb.insert("pool_mongodb", "vmq_acl_auth",
		{mountpoint = "", client_id = "*", username = "user", passhash = %q, publish_acl = {{pattern = "a"}}})`, hash(t, "pw")))
	r := start(t, "auth/mongodb.lua", map[string]lualib.Database{"mongodb": mongodb.New(config)})
	here := client("here", "user", mqtt.V5)
	r.expect(r.register(here, "pw"), "ok")
	server.Freeze()
	answers := make(chan string, 20)
	for i := range cap(answers) {
		go func() { answers <- r.register(client(fmt.Sprint("c", i), "user", mqtt.V5), "pw") }()
	}
	began := time.Now()
	for range 1000 {
		r.expect(r.publish(here, &mqtt.Message{Topic: "a"}), "ok")
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("1000 messages took %v while the database did not answer", took)
	}
	select {
	case got := <-answers:
		t.Errorf("a client got the answer %s from a database that does not answer", got)
	default:
	}
	server.Thaw()
	for range cap(answers) {
		r.expect(<-answers, "ok")
	}
}

// refilled is a server that forgets everything when it is stopped.
type refilled struct {
	dbtest.Backend
	fill func()
}

func (r refilled) Start() {
	r.Backend.Start()
	r.fill()
}

func TestIntegrationAuth_MongoDB(t *testing.T) {
	server := dbtest.NewMongo(t)
	config := &mongodb.Config{Server: mongodb.Server{Host: "127.0.0.1", Port: server.Port, Login: server.User, Password: value.NewSecret(server.Password), AuthSource: "admin",
		Database: "db", PoolSize: 3, WMode: "safe", ReadPreference: "primaryPreferred"}}
	fill := dbtest.NewRig(t, "mongodb", mongodb.New(config))
	for _, a := range accounts {
		fill.Passes(fmt.Sprintf(`mongodb.ensure_pool({}) mongodb.insert("pool_mongodb", "vmq_acl_auth", {mountpoint = "", client_id = %q, username = %q, passhash = %q,
			publish_acl = json.decode(%q), subscribe_acl = json.decode(%q)})`, a.clientID, a.username, hash(t, a.password), a.publish, a.subscribe))
	}
	checkAuth(t, "mongodb", mongodb.New(config), server)
}
