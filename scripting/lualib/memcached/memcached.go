package memcached

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Config is the configuration of the library memcached. Immutable.
type Config struct {
	_ struct{} `doc:"Memcached for Lua scripts"`

	Host     string `key:"script.memcache.host" default:"localhost" reload:"restart" doc:"Host of the server."`
	Port     int    `key:"script.memcache.port" default:"11211" range:"1..65535" reload:"restart" doc:"Its port."`
	PoolSize int    `key:"script.memcache.pool_size" default:"5" range:"1..10000" reload:"restart" doc:"Connections of a pool."`
}

// Database implements lualib.Database. Safe for concurrent use.
type Database struct {
	config *Config
	pools  lualib.Pools[options, *client]
}

// New makes the driver.
func New(c *Config) *Database { return &Database{config: c} }

type options struct {
	host       string
	port, size int
}

// client is one pool. Safe for concurrent use.
type client struct {
	*memcache.Client
	slots chan struct{} // operations in progress
}

// Close ends the pool.
func (c *client) Close() { _ = c.Client.Close() }

// Close implements lualib.Database.
func (d *Database) Close() { d.pools.Close() }

// server is an address that is looked up when it is dialled.
type server string

func (server) Network() string                       { return "tcp" }
func (s server) String() string                      { return string(s) }
func (s server) PickServer(string) (net.Addr, error) { return s, nil }
func (s server) Each(f func(net.Addr) error) error   { return f(s) }

// Time limits of one operation and of the first connection.
const (
	opTimeout   = 2 * time.Second
	pingTimeout = time.Second
)

func open(o options) (*client, error) {
	c := memcache.NewFromSelector(server(net.JoinHostPort(o.host, strconv.Itoa(o.port))))
	c.DialContext, c.Timeout, c.MaxIdleConns = new(lualib.Dialer).DialContext, opTimeout, o.size
	return &client{c, make(chan struct{}, o.size)}, nil
}

// Functions implements lualib.Database.
func (d *Database) Functions(s *sandbox.State) map[string]lua.LGFunction {
	store := func(name string, f func(*memcache.Client, *memcache.Item) error) lua.LGFunction {
		return func(L *lua.LState) int {
			s.Charge(L, len(lua.LVAsString(L.Get(3))))
			item := &memcache.Item{Key: lua.LVAsString(L.Get(2)), Value: []byte(lua.LVAsString(L.Get(3))), Expiration: int32(lua.LVAsNumber(L.Get(4)))}
			if _, found := d.do(L, s, name, func(c *memcache.Client) (*memcache.Item, error) { return nil, f(c, item) }); !found {
				L.Push(lua.LFalse)
				return 1
			}
			L.Push(L.Get(3))
			return 1
		}
	}
	return map[string]lua.LGFunction{
		"ensure_pool": func(L *lua.LState) int { return d.ensure(L, s) },
		"set":         store("set", (*memcache.Client).Set), "add": store("add", (*memcache.Client).Add), "replace": store("replace", (*memcache.Client).Replace),
		"flush_all": func(L *lua.LState) int {
			d.do(L, s, "flush_all", func(c *memcache.Client) (*memcache.Item, error) { return nil, c.FlushAll() })
			L.Push(lua.LTrue)
			return 1
		},
		"get": func(L *lua.LState) int {
			key := lua.LVAsString(L.Get(2))
			item, found := d.do(L, s, "get", func(c *memcache.Client) (*memcache.Item, error) { return c.Get(key) })
			if !found {
				L.Push(lua.LFalse)
				return 1
			}
			s.Charge(L, len(item.Value)) // of the driver
			L.Push(lualib.Text(L, s, item.Value))
			return 1
		},
		"delete": func(L *lua.LState) int {
			key := lua.LVAsString(L.Get(2))
			_, found := d.do(L, s, "delete", func(c *memcache.Client) (*memcache.Item, error) { return nil, c.Delete(key) })
			L.Push(lua.LBool(found))
			return 1
		},
	}
}

// ensure makes a pool. Unlike those of other databases it asks the server, as
// scripts expect.
func (d *Database) ensure(L *lua.LState, s *sandbox.State) int {
	o := lualib.ReadOptions(L, s, "memcached.ensure_pool")
	name, size := o.Pool("pool_memcached", d.config.PoolSize)
	want := options{host: o.String("host", d.config.Host), port: o.Int("port", d.config.Port, 1, 65535), size: size}
	o.Done()
	if err := d.pools.Ensure(name, want, open); err != nil {
		L.RaiseError("memcached.ensure_pool: %s", err.Error())
	}
	c, release, err := d.pools.Use(name)
	if err != nil {
		L.RaiseError("memcached.ensure_pool: %s", err.Error())
	}
	defer release()
	ctx, cancel := s.Context()
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, pingTimeout)
	defer stop()
	if _, err := c.run(ctx, func(c *memcache.Client) (*memcache.Item, error) { return nil, c.Ping() }); err != nil {
		L.RaiseError("memcached.ensure_pool: %s", err.Error())
	}
	L.Push(lua.LTrue)
	return 1
}

// do runs an operation on the pool of the first argument; found = the server
// had, or took, the value. A key that none can have is not found, and cannot be
// stored. Anything else is raised.
func (d *Database) do(L *lua.LState, s *sandbox.State, name string, op func(*memcache.Client) (*memcache.Item, error)) (item *memcache.Item, found bool) {
	c, release, err := d.pools.Use(lua.LVAsString(L.Get(1)))
	if err != nil {
		L.RaiseError("memcached.%s: %s", name, err.Error())
	}
	defer release()
	ctx, cancel := s.Context()
	defer cancel()
	item, err = c.run(ctx, op)
	switch {
	case errors.Is(err, memcache.ErrCacheMiss), errors.Is(err, memcache.ErrNotStored), errors.Is(err, memcache.ErrMalformedKey) && (name == "get" || name == "delete"):
		return nil, false
	case err != nil:
		L.RaiseError("memcached.%s: %s", name, strings.TrimPrefix(err.Error(), "memcache: "))
	}
	return item, true
}

// run runs an operation, once more on another connection if the one it was
// given had been closed by the server: then it was not carried out.
func (c *client) run(ctx context.Context, op func(*memcache.Client) (*memcache.Item, error)) (*memcache.Item, error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("all %d connections are busy: %w", cap(c.slots), ctx.Err())
	}
	type outcome struct {
		item *memcache.Item
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-c.slots }()
		item, err := op(c.Client)
		for tries := 0; stale(err) && tries <= cap(c.slots) && ctx.Err() == nil; tries++ {
			item, err = op(c.Client)
		}
		done <- outcome{item, err}
	}()
	select {
	case o := <-done:
		return o.item, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func stale(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
