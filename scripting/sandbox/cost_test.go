package sandbox

import (
	"runtime"
	"strconv"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestTableCost: what tables are charged is at least what they take.
func TestTableCost(t *testing.T) {
	L := lua.NewState()
	defer L.Close()
	for _, tt := range []struct{ items, keys int }{{0, 0}, {0, 1}, {0, 2}, {0, 7}, {0, 8}, {0, 20}, {0, 100}, {1, 0}, {5, 0}, {100, 0}, {3, 3}} {
		for name, make := range map[string]func() *lua.LTable{
			"made with room":   func() *lua.LTable { return L.CreateTable(tt.items, tt.keys) },
			"made to be grown": func() *lua.LTable { return L.CreateTable(0, 0) }, // as {} does
		} {
			const n = 2000
			list := [n]*lua.LTable{}
			names := [100]string{}
			for i := range names {
				names[i] = "key" + strconv.Itoa(i)
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := range list {
				x := make()
				for k := range tt.items {
					x.RawSetInt(k+1, lua.LTrue)
				}
				for k := range tt.keys {
					x.RawSetString(names[k], lua.LTrue)
				}
				list[i] = x
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			took := int(after.HeapAlloc-before.HeapAlloc) / n
			charged := TableCost(tt.items, tt.keys)
			if name == "made to be grown" {
				charged = grownCost(tt.items, tt.keys)
			}
			t.Logf("%s: %d items, %d keys: %d bytes, charged %d", name, tt.items, tt.keys, took, charged)
			if took > charged {
				t.Errorf("%s: %d items and %d keys take %d bytes, %d are charged", name, tt.items, tt.keys, took, charged)
			}
			runtime.KeepAlive(list)
		}
	}
}

// grownCost is what stores one after another are charged.
func grownCost(items, keys int) int {
	c := costTable
	if items > 0 {
		c += costArray + items*costItem
	}
	if keys > 0 {
		c += costDict + keys*costEntry
	}
	return c
}
