package mongodb

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Bounds of cursors that scripts leave open.
const (
	maxCursors = 1000
	cursorIdle = time.Minute
)

// cursor is a search in progress. Owned by the call it is lent to.
type cursor struct {
	*mongo.Cursor
	used time.Time
}

// end ends the search; the server is told within a few seconds.
func (c *cursor) end() {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = c.Close(ctx)
	}()
}

// cursors are the searches that no call uses, by names that cannot be guessed.
// The zero value is ready. Safe for concurrent use; its lock is a leaf.
type cursors struct {
	mu  sync.Mutex
	all map[string]*cursor
}

// keep returns a name for a search.
func (c *cursors) keep(m *mongo.Cursor) (string, error) {
	now := time.Now()
	c.sweep(now)
	name := "cursor-" + rand.Text()
	if !c.put(name, &cursor{m, now}) {
		(&cursor{Cursor: m}).end()
		return "", errors.New("there are too many open cursors; end them with mongodb.close")
	}
	return name, nil
}

func (c *cursors) put(name string, one *cursor) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]*cursor{}
	}
	if len(c.all) >= maxCursors {
		return false
	}
	c.all[name] = one
	return true
}

// lend takes a search out, nil if there is none or another call has it.
func (c *cursors) lend(name string) *cursor {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.all[name]
	delete(c.all, name)
	return one
}

// sweep ends what was not used for a while.
func (c *cursors) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, one := range c.all {
		if now.Sub(one.used) > cursorIdle {
			delete(c.all, name)
			one.end()
		}
	}
}

// take pushes the next document, with n the next n as an array; false if there
// is none. The search ends with its last document.
func (d *Database) take(L *lua.LState, s *sandbox.State, what string, n int) int {
	name := lua.LVAsString(L.Get(1))
	c := d.cursors.lend(name)
	if c == nil {
		L.Push(lua.LFalse) // it was at its end
		return 1
	}
	ctx, cancel := s.Context()
	defer cancel()
	open := false
	defer func() {
		if !open || !d.cursors.put(name, c) {
			c.end()
		}
	}()
	list := lualib.NewTable(L, s, 0, 0)
	for i := 1; i <= max(n, 1); i++ {
		if !c.Next(ctx) {
			break
		}
		var doc bson.D
		s.Charge(L, costRaw*len(c.Current))
		if err := c.Decode(&doc); err != nil {
			L.RaiseError("mongodb.%s: %s", what, err.Error())
		}
		s.Put(L, list, lua.LNumber(i), toLua(L, s, doc))
	}
	if err := c.Err(); err != nil {
		L.RaiseError("mongodb.%s: %s", what, err.Error())
	}
	c.used, open = time.Now(), c.ID() != 0 || c.RemainingBatchLength() > 0
	switch {
	case list.Len() == 0:
		L.Push(lua.LFalse)
	case n == 0:
		L.Push(list.RawGetInt(1))
	default:
		L.Push(list)
	}
	return 1
}
