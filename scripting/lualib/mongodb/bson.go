package mongodb

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// idMarker begins an object identifier as scripts see it.
const idMarker = "mongodb-object-id:"

// What BSON costs beside the bytes of strings, in bytes: as a value and encoded.
const (
	costItem  = 48
	costEntry = 96
	costRaw   = 6 // for each byte of a document that is decoded
)

// toBSON makes BSON of a copied value: a table is an array if it has items
// only, else a document.
func toBSON(L *lua.LState, s *sandbox.State, v any) any {
	switch x := v.(type) {
	case float64:
		if n := int64(x); float64(n) == x {
			return n
		}
	case string:
		s.Charge(L, 2*len(x)) // it is encoded into a buffer that grows
		if digits, ok := strings.CutPrefix(x, idMarker); ok {
			if id, err := bson.ObjectIDFromHex(digits); err == nil {
				return id
			}
		}
	case *lualib.Table:
		if len(x.Items) > 0 && len(x.Keys) == 0 {
			s.Charge(L, costItem*len(x.Items))
			list := make(bson.A, len(x.Items))
			for i, item := range x.Items {
				list[i] = toBSON(L, s, item)
			}
			return list
		}
		s.Charge(L, costEntry*(len(x.Items)+len(x.Keys)))
		doc := make(bson.D, 0, len(x.Items)+len(x.Keys))
		for i, item := range x.Items {
			doc = append(doc, bson.E{Key: fmt.Sprint(i + 1), Value: toBSON(L, s, item)})
		}
		for _, e := range x.Keys {
			doc = append(doc, bson.E{Key: fmt.Sprint(e.Key), Value: toBSON(L, s, e.Value)})
		}
		return doc
	}
	return v
}

// toLua makes a Lua value of BSON. null is absent.
func toLua(L *lua.LState, s *sandbox.State, v any) lua.LValue {
	s.Spend(L, 1)
	switch x := v.(type) {
	case bson.D:
		t := lualib.NewTable(L, s, 0, len(x))
		for _, e := range x {
			if value := toLua(L, s, e.Value); value != lua.LNil {
				s.Charge(L, len(e.Key))
				t.RawSetString(e.Key, value)
			}
		}
		return t
	case bson.A:
		t := lualib.NewTable(L, s, len(x), 0)
		for i, item := range x {
			t.RawSetInt(i+1, toLua(L, s, item))
		}
		return t
	case int32:
		return lua.LNumber(x)
	case bson.ObjectID:
		return lualib.Text(L, s, idMarker+x.Hex())
	case bson.DateTime:
		return lua.LNumber(x)
	case bson.Timestamp:
		return lua.LNumber(x.T)
	case bson.Binary:
		return lualib.Text(L, s, x.Data)
	case bson.Decimal128:
		return lualib.Text(L, s, x.String())
	case bson.Symbol:
		return lualib.Text(L, s, string(x))
	case bson.Regex:
		return lualib.Text(L, s, x.Pattern)
	}
	return lualib.ToLua(L, s, v)
}
