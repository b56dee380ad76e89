package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	mongooptions "go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Database implements lualib.Database. Safe for concurrent use.
type Database struct {
	config  *Server
	pools   lualib.Pools[options, client]
	cursors cursors
}

// New makes the driver.
func New(c *Config) *Database { return &Database{config: &c.Server} }

// client is one pool.
type client struct {
	client *mongo.Client
	db     *mongo.Database
}

// Close ends the pool, within a few seconds.
func (c client) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = c.client.Disconnect(ctx)
}

// Close implements lualib.Database.
func (d *Database) Close() {
	d.cursors.sweep(time.Now().Add(2 * cursorIdle))
	d.pools.Close()
}

// operation is what a function does: args are its arguments behind pool and
// collection, copied.
type operation func(ctx context.Context, c *mongo.Collection, args []any) (any, error)

// Functions implements lualib.Database.
func (d *Database) Functions(s *sandbox.State) map[string]lua.LGFunction {
	on := func(name string, f operation) lua.LGFunction {
		return func(L *lua.LState) int { return d.run(L, s, name, f) }
	}
	return map[string]lua.LGFunction{
		"ensure_pool": func(L *lua.LState) int { return d.ensure(L, s) },
		"insert":      on("insert", insert),
		"update": on("update", func(ctx context.Context, c *mongo.Collection, args []any) (any, error) {
			_, err := c.UpdateMany(ctx, args[0], bson.D{{Key: "$set", Value: args[1]}})
			return true, err
		}),
		"delete": on("delete", func(ctx context.Context, c *mongo.Collection, args []any) (any, error) {
			_, err := c.DeleteMany(ctx, args[0])
			return true, err
		}),
		"find_one": on("find_one", findOne),
		"find":     on("find", d.find),
		"next":     func(L *lua.LState) int { return d.take(L, s, "next", 0) },
		"take":     func(L *lua.LState) int { return d.take(L, s, "take", int(lua.LVAsNumber(L.Get(2)))) },
		"close": func(L *lua.LState) int {
			if c := d.cursors.lend(lua.LVAsString(L.Get(1))); c != nil {
				c.end()
			}
			L.Push(lua.LTrue)
			return 1
		},
	}
}

func (d *Database) ensure(L *lua.LState, s *sandbox.State) int {
	o, c := lualib.ReadOptions(L, s, "mongodb.ensure_pool"), d.config
	name, size := o.Pool("pool_mongodb", c.PoolSize)
	want := options{
		host: o.String("host", c.Host), port: o.Int("port", c.Port, 1, 65535), srv: o.String("srv", c.SRV), size: size,
		login: o.String("login", c.Login), password: o.String("password", c.Password.Reveal()), authSource: o.String("auth_source", c.AuthSource),
		database: o.String("database", c.Database), wMode: o.String("w_mode", c.WMode), readPreference: o.String("read_preference", c.ReadPreference),
		sni: o.String("sni", c.SNI),
	}
	want.ssl, want.tls = o.TLS(c.SSL, c.TLS)
	o.Done()
	if err := d.pools.Ensure(name, want, open); err != nil {
		L.RaiseError("mongodb.ensure_pool: %s", err.Error())
	}
	L.Push(lua.LTrue)
	return 1
}

func (d *Database) run(L *lua.LState, s *sandbox.State, name string, f operation) int {
	pool, release, err := d.pools.Use(lua.LVAsString(L.Get(1)))
	if err != nil {
		L.RaiseError("mongodb.%s: %s", name, err.Error())
	}
	defer release()
	var args []any
	for i := 3; i <= 4; i++ {
		args = append(args, toBSON(L, s, lualib.Copy(L, s, fmt.Sprintf("mongodb.%s: argument #%d", name, i), L.Get(i))))
	}
	ctx, cancel := s.Context()
	defer cancel()
	v, err := f(ctx, pool.db.Collection(lua.LVAsString(L.Get(2))), args)
	if err != nil {
		L.RaiseError("mongodb.%s: %s", name, err.Error())
	}
	if raw, ok := v.(bson.Raw); ok {
		s.Charge(L, costRaw*len(raw))
		var doc bson.D
		if err := bson.Unmarshal(raw, &doc); err != nil {
			L.RaiseError("mongodb.%s: %s", name, err.Error())
		}
		v = doc
	}
	L.Push(toLua(L, s, v))
	return 1
}

// insert gives documents without an _id one, and returns them.
func insert(ctx context.Context, c *mongo.Collection, args []any) (any, error) {
	identify := func(v any) (bson.D, error) {
		doc, ok := v.(bson.D)
		if !ok {
			return nil, errors.New("documents: want a table with names, or an array of such")
		}
		for _, e := range doc {
			if e.Key == "_id" {
				return doc, nil
			}
		}
		return append(bson.D{{Key: "_id", Value: bson.NewObjectID()}}, doc...), nil
	}
	list, many := args[0].(bson.A)
	if !many {
		doc, err := identify(args[0])
		if err != nil {
			return nil, err
		}
		_, err = c.InsertOne(ctx, doc)
		return doc, err
	}
	docs := make([]any, len(list))
	for i, v := range list {
		doc, err := identify(v)
		if err != nil {
			return nil, err
		}
		docs[i] = doc
	}
	_, err := c.InsertMany(ctx, docs)
	return bson.A(docs), err
}

// searchOptions are those of find and find_one.
type searchOptions struct {
	projector any
	skip      int64
	batch     int32
}

func readSearch(v any) (o searchOptions, err error) {
	doc, _ := v.(bson.D)
	for _, e := range doc {
		n, isNumber := e.Value.(int64)
		switch {
		case e.Key == "projector":
			o.projector = e.Value
		case e.Key == "skip" && isNumber && n >= 0:
			o.skip = n
		case e.Key == "batchsize" && isNumber && n >= 0 && n < 1<<20:
			o.batch = int32(n)
		default:
			return o, fmt.Errorf("options: want projector, skip and batchsize, got %.60s", e.Key)
		}
	}
	return o, nil
}

func findOne(ctx context.Context, c *mongo.Collection, args []any) (any, error) {
	o, err := readSearch(args[1])
	if err != nil {
		return nil, err
	}
	with := mongooptions.FindOne().SetSkip(o.skip)
	if o.projector != nil {
		with.SetProjection(o.projector)
	}
	doc, err := c.FindOne(ctx, args[0], with).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return false, nil
	}
	return doc, err
}

func (d *Database) find(ctx context.Context, c *mongo.Collection, args []any) (any, error) {
	o, err := readSearch(args[1])
	if err != nil {
		return nil, err
	}
	with := mongooptions.Find().SetSkip(o.skip)
	if o.projector != nil {
		with.SetProjection(o.projector)
	}
	if o.batch > 0 {
		with.SetBatchSize(o.batch)
	}
	found, err := c.Find(ctx, args[0], with)
	if err != nil {
		return nil, err
	}
	return d.cursors.keep(found)
}
