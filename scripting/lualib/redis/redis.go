package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Database implements lualib.Database. Safe for concurrent use.
type Database struct {
	config *Config
	pools  lualib.Pools[options, client]
}

// New makes the driver.
func New(c *Config) *Database {
	quiet()
	return &Database{config: c}
}

// quiet has the client library not write to standard error: what it says comes
// back as errors, too.
var quiet = sync.OnceFunc(func() { goredis.SetLogger(silence{}) })

type silence struct{}

// Printf does nothing.
func (silence) Printf(context.Context, string, ...any) {}

type options struct {
	host, user, password string
	port, database, size int
}

// client is one pool.
type client struct{ *goredis.Client }

// Close ends the pool.
func (c client) Close() { _ = c.Client.Close() }

// Close implements lualib.Database.
func (d *Database) Close() { d.pools.Close() }

// Functions implements lualib.Database.
func (d *Database) Functions(s *sandbox.State) map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"ensure_pool": func(L *lua.LState) int { return d.ensure(L, s) },
		"cmd":         func(L *lua.LState) int { return d.cmd(L, s) },
	}
}

func (d *Database) ensure(L *lua.LState, s *sandbox.State) int {
	o := lualib.ReadOptions(L, s, "redis.ensure_pool")
	name, size := o.Pool("pool_redis", d.config.PoolSize)
	want := options{
		host: o.String("host", d.config.Host), port: o.Int("port", d.config.Port, 1, 65535), user: o.String("user", d.config.User),
		password: o.String("password", d.config.Password.Reveal()), database: o.Int("database", d.config.Database, 0, 1000000), size: size,
	}
	o.Done()
	if err := d.pools.Ensure(name, want, open); err != nil {
		L.RaiseError("redis.ensure_pool: %s", err.Error())
	}
	L.Push(lua.LTrue)
	return 1
}

func open(o options) (client, error) {
	return client{goredis.NewClient(&goredis.Options{
		Addr: net.JoinHostPort(o.host, strconv.Itoa(o.port)), Username: o.user, Password: o.password, DB: o.database,
		Protocol: 2, DisableIdentity: true, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Dialer: new(lualib.Dialer).DialContext, DialerRetries: 1, MaxRetries: -1, // a command may have been carried out
		PoolSize: o.size, ContextTimeoutEnabled: true, ReadTimeout: -1, WriteTimeout: -1, PoolTimeout: time.Hour, // the call's deadline counts
	})}, nil
}

// stateful commands change the connection, which the next call shares.
var stateful = []string{"auth", "client", "discard", "exec", "hello", "monitor", "multi", "psubscribe", "psync", "punsubscribe", "quit", "reset",
	"select", "ssubscribe", "subscribe", "sunsubscribe", "sync", "unsubscribe", "unwatch", "watch"}

// unary commands take one argument: all that follows the name.
var unary = []string{"decr", "del", "dump", "exists", "expiretime", "get", "getdel", "hgetall", "hkeys", "hlen", "hvals", "incr", "keys", "llen", "lpop",
	"persist", "pexpiretime", "pttl", "rpop", "scard", "smembers", "spop", "srandmember", "strlen", "ttl", "type", "unlink", "zcard"}

// costWord is what a command of short words costs, in bytes for each of its own.
const costWord = 24

func (d *Database) cmd(L *lua.LState, s *sandbox.State) int {
	command := lua.LVAsString(L.Get(2))
	literal := s.Mentions(command)
	s.Charge(L, len(command))
	if literal || !strings.Contains(command, " ") { // it may become a list of short words
		s.Charge(L, costWord*len(command))
	}
	args, err := split(command, literal, L.GetTop() > 2)
	if err != nil {
		L.RaiseError("redis.cmd: %s", err.Error())
	}
	for i := 3; i <= L.GetTop(); i++ {
		args = flatten(L, s, args, lualib.Copy(L, s, fmt.Sprintf("redis.cmd: argument #%d", i), L.Get(i)))
	}
	name := strings.ToLower(args[0].(string))
	if slices.Contains(stateful, name) {
		L.RaiseError("redis.cmd: %s changes a connection that scripts share", name)
	}
	pool, release, err := d.pools.Use(lua.LVAsString(L.Get(1)))
	if err != nil {
		L.RaiseError("redis.cmd: %s", err.Error())
	}
	defer release()
	ctx, cancel := s.Context()
	defer cancel()
	v, err := pool.Do(ctx, args...).Result()
	var reply goredis.Error
	switch {
	case errors.Is(err, goredis.Nil):
		L.Push(lua.LNil)
	case errors.As(err, &reply) && !fatal(reply.Error()):
		L.Push(lua.LFalse)
	case err != nil:
		L.RaiseError("redis.cmd: %.60s: %s", name, err.Error())
	default:
		L.Push(result(L, s, v))
	}
	return 1
}

// fatal reports whether an error is not about the command.
func fatal(text string) bool {
	code, _, _ := strings.Cut(text, " ")
	return slices.Contains([]string{"NOAUTH", "WRONGPASS", "NOPERM", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "MISCONF", "OOM", "READONLY"}, code)
}

// split makes arguments of a command string. One that stands in the script is
// split at blanks. One that was put together at run time may hold what a client
// sent: it is a name and one argument, where that makes sense.
func split(command string, literal, more bool) ([]any, error) {
	if strings.TrimSpace(command) == "" {
		return nil, errors.New("the command is empty")
	}
	if name, rest, found := strings.Cut(command, " "); found && !literal {
		if strings.Contains(rest, " ") && (more || !slices.Contains(unary, strings.ToLower(name))) {
			return nil, fmt.Errorf("the command %.20q was put together at run time, so a client could add arguments to it; give values as further arguments: redis.cmd(pool, %.20q, key, value)", name, name)
		}
		return []any{name, rest}, nil
	}
	words := strings.Fields(command)
	args := make([]any, len(words))
	for i, w := range words {
		args[i] = w
	}
	return args, nil
}

// flatten appends an argument: of a table its items, then its keys with their
// values.
func flatten(L *lua.LState, s *sandbox.State, args []any, v any) []any {
	s.Charge(L, 96) // the list grows, a number becomes text
	switch x := v.(type) {
	case *lualib.Table:
		for _, i := range x.Items {
			args = flatten(L, s, args, i)
		}
		for _, e := range x.Keys {
			args = flatten(L, s, flatten(L, s, args, e.Key), e.Value)
		}
		return args
	case float64:
		return append(args, lua.LNumber(x).String())
	case nil:
		L.RaiseError("redis.cmd: an argument is nil")
	case bool:
		return append(args, strconv.FormatBool(x))
	}
	return append(args, v)
}

// result makes a Lua value of a reply.
func result(L *lua.LState, s *sandbox.State, v any) lua.LValue {
	switch x := v.(type) {
	case string:
		if x == "OK" {
			return lua.LTrue
		}
		return lualib.Text(L, s, x)
	case int64:
		return lualib.Text(L, s, strconv.FormatInt(x, 10))
	case []any:
		t := lualib.NewTable(L, s, len(x), 0)
		for i, one := range x {
			if one != nil {
				t.RawSetInt(i+1, result(L, s, one))
			}
		}
		return t
	case error:
		return lua.LFalse
	}
	return lua.LNil
}
