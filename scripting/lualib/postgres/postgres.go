package postgres

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Database implements lualib.Database. Safe for concurrent use.
type Database struct {
	name       string // of the library
	server     Server
	ssl        bool
	hashMethod string
	pools      lualib.Pools[options, client]
}

// New makes the driver of the library postgres.
func New(c *Config) *Database {
	return &Database{name: "postgres", server: c.Server, ssl: c.SSL, hashMethod: c.HashMethod}
}

// NewCockroach makes the driver of the library cockroachdb.
func NewCockroach(c *CockroachConfig) *Database {
	return &Database{name: "cockroachdb", server: c.Server, ssl: c.SSL, hashMethod: c.HashMethod}
}

type options struct {
	host, user, password, database string
	port, size                     int
	ssl                            bool
	tls                            lualib.TLS
}

// client is one pool.
type client struct{ *pgxpool.Pool }

// Close implements lualib.Database.
func (d *Database) Close() { d.pools.Close() }

// Functions implements lualib.Database.
func (d *Database) Functions(s *sandbox.State) map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"ensure_pool": func(L *lua.LState) int { return d.ensure(L, s) },
		"execute":     func(L *lua.LState) int { return d.execute(L, s) },
		"hash_method": func(L *lua.LState) int {
			L.Push(lua.LString(d.hashMethod))
			return 1
		},
	}
}

func (d *Database) ensure(L *lua.LState, s *sandbox.State) int {
	o := lualib.ReadOptions(L, s, d.name+".ensure_pool")
	name, size := o.Pool("pool_"+d.name, d.server.PoolSize)
	want := options{
		host: o.String("host", d.server.Host), port: o.Int("port", d.server.Port, 1, 65535), user: o.String("user", d.server.User),
		password: o.String("password", d.server.Password.Reveal()), database: o.String("database", d.server.Database), size: size,
	}
	want.ssl, want.tls = o.TLS(d.ssl, d.server.TLS)
	o.Done()
	if err := d.pools.Ensure(name, want, open); err != nil {
		L.RaiseError("%s.ensure_pool: %s", d.name, err.Error())
	}
	L.Push(lua.LTrue)
	return 1
}

// connectTimeout bounds connecting with TLS and authentication.
const connectTimeout = 5 * time.Second

func open(o options) (client, error) {
	// What is not given here would come from the environment.
	c, err := pgxpool.ParseConfig("host=localhost user=nobody password=none dbname=none sslmode=disable application_name=lunemq target_session_attrs=any")
	if err != nil {
		return client{}, err
	}
	to := c.ConnConfig
	to.Host, to.Port, to.User, to.Password, to.Database, to.Fallbacks = o.host, uint16(o.port), o.user, o.password, o.database, nil
	to.ConnectTimeout, to.DialFunc = connectTimeout, new(lualib.Dialer).DialContext
	if o.ssl {
		if to.TLSConfig, err = o.tls.Config(o.host); err != nil {
			return client{}, err
		}
	}
	c.MaxConns, c.MaxConnIdleTime, c.HealthCheckPeriod = int32(o.size), 10*time.Minute, time.Minute
	p, err := pgxpool.NewWithConfig(context.Background(), c)
	return client{p}, err
}

// execute runs one statement. Rows become Lua values as they arrive, so that
// the call's memory bounds them.
func (d *Database) execute(L *lua.LState, s *sandbox.State) int {
	pool, release, err := d.pools.Use(lua.LVAsString(L.Get(1)))
	if err != nil {
		L.RaiseError("%s.execute: %s", d.name, err.Error())
	}
	defer release()
	values := make([][]byte, 0, 8)
	for i := 3; i <= L.GetTop(); i++ {
		values = append(values, d.value(L, s, i))
	}
	s.Charge(L, 2*len(lua.LVAsString(L.Get(2))))
	ctx, cancel := s.Context()
	defer cancel()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		L.RaiseError("%s.execute: %s", d.name, err.Error())
	}
	defer conn.Release()
	r := conn.Conn().PgConn().ExecParams(ctx, lua.LVAsString(L.Get(2)), values, nil, nil, nil)
	defer r.Close()
	fields := r.FieldDescriptions()
	rows := lualib.NewTable(L, s, 0, 0)
	for n := 1; r.NextRow(); n++ {
		s.Spend(L, 10)
		s.Put(L, rows, lua.LNumber(n), row(L, s, fields, r.Values()))
	}
	tag, err := r.Close()
	switch {
	case err != nil:
		L.RaiseError("%s.execute: %s", d.name, err.Error())
	case fields != nil:
		L.Push(rows)
	default:
		L.Push(lua.LBool(!counts(tag) || tag.RowsAffected() > 0))
	}
	return 1
}

// counts reports whether a statement says how many rows it changed.
func counts(tag pgconn.CommandTag) bool {
	return tag.Insert() || tag.Update() || tag.Delete() || strings.HasPrefix(tag.String(), "MERGE")
}

// value is an argument as text, nil for nil.
func (d *Database) value(L *lua.LState, s *sandbox.State, i int) []byte {
	switch x := L.Get(i).(type) {
	case *lua.LNilType:
		return nil
	case lua.LBool:
		return []byte(strconv.FormatBool(bool(x)))
	case lua.LNumber, lua.LString:
		text := x.String()
		s.Charge(L, 3*len(text)) // it is copied into a buffer that grows
		return []byte(text)
	}
	L.RaiseError("bad argument #%d to %s.execute: want a string, number, boolean or nil, got %s", i, d.name, L.Get(i).Type().String())
	return nil
}

func row(L *lua.LState, s *sandbox.State, fields []pgconn.FieldDescription, values [][]byte) *lua.LTable {
	t := lualib.NewTable(L, s, 0, len(fields))
	for i, f := range fields {
		if values[i] != nil {
			t.RawSetString(f.Name, column(L, s, f.DataTypeOID, values[i]))
		}
	}
	return t
}

// Object identifiers of types in every PostgreSQL, from pg_type.dat.
const (
	boolOID, byteaOID, int8OID, int2OID, int4OID, oidOID = 16, 17, 20, 21, 23, 26
	float4OID, float8OID, numericOID                     = 700, 701, 1700
)

// column makes a value of its text. Whole numbers that Lua could not hold stay
// text.
func column(L *lua.LState, s *sandbox.State, oid uint32, v []byte) lua.LValue {
	s.Charge(L, len(v)) // of the driver
	switch oid {
	case boolOID:
		return lua.LBool(len(v) == 1 && v[0] == 't')
	case int2OID, int4OID, oidOID, int8OID:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil && n <= 1<<53 && n >= -1<<53 {
			return lua.LNumber(n)
		}
	case float4OID, float8OID, numericOID:
		if f, err := strconv.ParseFloat(string(v), 64); err == nil {
			return lua.LNumber(f)
		}
	case byteaOID:
		s.Charge(L, 3*len(v)) // two copies and the bytes
		if text, ok := strings.CutPrefix(string(v), `\x`); ok {
			if raw, err := hex.DecodeString(text); err == nil {
				return lualib.Text(L, s, raw)
			}
		}
	}
	return lualib.Text(L, s, v)
}
