package mysql

import (
	"database/sql"
	"net"
	"strconv"
	"time"

	driver "github.com/go-sql-driver/mysql"
	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Database implements lualib.Database. Safe for concurrent use.
type Database struct {
	name       string // of the library
	server     Server
	hashMethod string
	pools      lualib.Pools[options, client]
}

// New makes the driver of the library mysql.
func New(c *Config) *Database {
	return &Database{name: "mysql", server: c.Server, hashMethod: c.HashMethod}
}

// New2 makes the driver of the library mysql2.
func New2(c *Config2) *Database {
	return &Database{name: "mysql2", server: c.Server, hashMethod: c.HashMethod}
}

type options struct {
	host, user, password, database string
	port, size                     int
	ssl                            bool
	tls                            lualib.TLS
}

// client is one pool.
type client struct{ *sql.DB }

// Close ends the pool.
func (c client) Close() { _ = c.DB.Close() }

// Close implements lualib.Database.
func (d *Database) Close() { d.pools.Close() }

// hashes are the expressions of password_hash_method.
var hashes = map[string]string{"password": "PASSWORD(?)", "md5": "MD5(?)", "sha1": "SHA1(?)", "sha256": "SHA2(?, 256)"}

// Functions implements lualib.Database.
func (d *Database) Functions(s *sandbox.State) map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"ensure_pool": func(L *lua.LState) int { return d.ensure(L, s) },
		"execute":     func(L *lua.LState) int { return d.execute(L, s) },
		"hash_method": func(L *lua.LState) int {
			L.Push(lua.LString(hashes[d.hashMethod]))
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
	want.ssl, want.tls = o.TLS(d.server.SSL, d.server.TLS)
	o.Done()
	if err := d.pools.Ensure(name, want, open); err != nil {
		L.RaiseError("%s.ensure_pool: %s", d.name, err.Error())
	}
	L.Push(lua.LTrue)
	return 1
}

func open(o options) (client, error) {
	c := driver.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.DBName = "tcp", net.JoinHostPort(o.host, strconv.Itoa(o.port)), o.user, o.password, o.database
	c.DialFunc, c.Logger = new(lualib.Dialer).DialContext, &driver.NopLogger{}
	if o.ssl {
		t, err := o.tls.Config(o.host)
		if err != nil {
			return client{}, err
		}
		c.TLS = t
	}
	connector, err := driver.NewConnector(c)
	if err != nil {
		return client{}, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(o.size)
	db.SetMaxIdleConns(o.size)
	db.SetConnMaxIdleTime(10 * time.Minute)
	return client{db}, nil
}

// execute runs one statement. Rows become Lua values as they arrive, so that
// the call's memory bounds them.
func (d *Database) execute(L *lua.LState, s *sandbox.State) int {
	pool, release, err := d.pools.Use(lua.LVAsString(L.Get(1)))
	if err != nil {
		L.RaiseError("%s.execute: %s", d.name, err.Error())
	}
	defer release()
	values := make([]any, 0, 8)
	for i := 3; i <= L.GetTop(); i++ {
		values = append(values, d.value(L, s, i))
	}
	s.Charge(L, 2*len(lua.LVAsString(L.Get(2))))
	ctx, cancel := s.Context()
	defer cancel()
	r, err := pool.QueryContext(ctx, lua.LVAsString(L.Get(2)), values...)
	if err != nil {
		L.RaiseError("%s.execute: %s", d.name, err.Error())
	}
	defer r.Close()
	columns, err := r.ColumnTypes()
	if err == nil && len(columns) == 0 {
		err = r.Close()
	}
	if err != nil {
		L.RaiseError("%s.execute: %s", d.name, err.Error())
	}
	if len(columns) == 0 {
		L.Push(lua.LTrue)
		return 1
	}
	rows := lualib.NewTable(L, s, 0, 0)
	for n := 1; r.Next(); n++ {
		s.Spend(L, 10)
		s.Put(L, rows, lua.LNumber(n), d.row(L, s, r, columns))
	}
	if err := r.Err(); err != nil {
		L.RaiseError("%s.execute: %s", d.name, err.Error())
	}
	L.Push(rows)
	return 1
}

func (d *Database) value(L *lua.LState, s *sandbox.State, i int) any {
	switch x := L.Get(i).(type) {
	case *lua.LNilType:
		return nil
	case lua.LBool:
		return bool(x)
	case lua.LNumber:
		if x == lua.LNumber(int64(x)) {
			return int64(x)
		}
		return float64(x)
	case lua.LString:
		s.Charge(L, 2*len(x)) // it is copied into a packet
		return string(x)
	}
	L.RaiseError("bad argument #%d to %s.execute: want a string, number, boolean or nil, got %s", i, d.name, L.Get(i).Type().String())
	return nil
}

func (d *Database) row(L *lua.LState, s *sandbox.State, r *sql.Rows, columns []*sql.ColumnType) *lua.LTable {
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	if err := r.Scan(into...); err != nil {
		L.RaiseError("%s.execute: %s", d.name, err.Error())
	}
	t := lualib.NewTable(L, s, 0, len(columns))
	for i, c := range columns {
		if values[i] != nil {
			t.RawSetString(c.Name(), column(L, s, c.DatabaseTypeName(), values[i]))
		}
	}
	return t
}

// column makes a value. Whole numbers that Lua could not hold become text.
func column(L *lua.LState, s *sandbox.State, kind string, v any) lua.LValue {
	switch x := v.(type) {
	case int64:
		if x > 1<<53 || x < -1<<53 {
			return lualib.Text(L, s, strconv.FormatInt(x, 10))
		}
		return lua.LNumber(x)
	case uint64:
		if x > 1<<53 {
			return lualib.Text(L, s, strconv.FormatUint(x, 10))
		}
		return lua.LNumber(x)
	case float32:
		f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', -1, 32), 64)
		return lua.LNumber(f)
	case float64:
		return lua.LNumber(x)
	case []byte:
		s.Charge(L, 2*len(x)) // of the driver
		if kind == "DECIMAL" {
			if f, err := strconv.ParseFloat(string(x), 64); err == nil {
				return lua.LNumber(f)
			}
		}
		return lualib.Text(L, s, x)
	}
	return lua.LNil
}
