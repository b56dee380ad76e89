package subtrie

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// TestTable_Collisions adds and removes nodes whose hashes are equal, or differ
// in the last bits only.
func TestTable_Collisions(t *testing.T) {
	for name, hash := range map[string]func(int) uint64{
		"equal": func(int) uint64 { return 1 << 63 },
		"top":   func(i int) uint64 { return uint64(i%16) << 60 },
		"low":   func(i int) uint64 { return uint64(i % 3) },
	} {
		var mem int64
		var root atomic.Pointer[table[int]]
		w := tables[int]{&mem}
		nodes := make([]*node[int], 100)
		for i := range nodes {
			nodes[i] = &node[int]{label: fmt.Sprint(i)}
		}
		for i, n := range nodes {
			if root.Load().find(hash(i), n.label, false) != nil {
				t.Fatalf("%s: node %d found before it was added", name, i)
			}
			w.add(&root, hash(i), n)
		}
		for left := rand.Perm(len(nodes)); len(left) > 0; left = left[1:] {
			for _, i := range left {
				if s := root.Load().find(hash(i), nodes[i].label, false); s == nil || s.node.Load() != nodes[i] {
					t.Fatalf("%s: node %d of %d not found", name, i, len(left))
				}
			}
			if mem != countTables(root.Load()) {
				t.Fatalf("%s: %d bytes, want %d", name, mem, countTables(root.Load()))
			}
			w.del(&root, hash(left[0]), nodes[left[0]])
		}
		if root.Load() != nil || mem != 0 {
			t.Fatalf("%s: empty table holds %d bytes", name, mem)
		}
	}
}

// countTables adds up the sizes of tables and checks that none holds a single
// node but the first.
func countTables(t *table[int]) int64 {
	n := t.bytes()
	for i := range t.slots {
		if sub := t.slots[i].sub.Load(); sub != nil {
			if sub.only() != nil {
				panic("single node in a table")
			}
			n += countTables(sub)
		}
	}
	return n
}

// TestChunks_Collisions puts and removes entries whose hashes are equal.
func TestChunks_Collisions(t *testing.T) {
	for name, hash := range map[string]func(*int) uint64{
		"equal": func(*int) uint64 { return 5 },
		"top":   func(e *int) uint64 { return uint64(*e) << 58 },
	} {
		var mem int64
		of := func(e int) change[int] {
			return change[int]{hash: hash(&e), same: func(x *int) bool { return *x == e }, of: hash, mem: &mem}
		}
		var c *chunks[int]
		for i := range 200 {
			c = c.put(i, of(i)).put(i, of(i))
			if c.len() != i+1 || c.find(hash(&i), of(i).same) == nil {
				t.Fatalf("%s: %d entries after %d", name, c.len(), i+1)
			}
		}
		for n, i := range rand.Perm(200) {
			if c.len() != 200-n || mem != countChunks(c) || len(c.appendTo(nil)) != c.len() {
				t.Fatalf("%s: %d entries, %d bytes after %d", name, c.len(), mem, n)
			}
			c = c.remove(of(i))
			if c.remove(of(i)) != c {
				t.Fatalf("%s: removed %d twice", name, i)
			}
		}
		if c != nil || mem != 0 {
			t.Fatalf("%s: %d entries, %d bytes left", name, c.len(), mem)
		}
	}
}

func TestCommon(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"a", "a", 1}, {"a/b", "a", 1}, {"a/b", "a/c", 1}, {"a/bc", "a/b", 1}, {"a/b/c", "a/b/c", 5},
		{"a/b/c", "a/b/cd", 3}, {"/x", "/y", 0}, {"//", "/", 1}, {"", "", 0}, {"", "/", 0}, {"a/", "a", 1}, {"a/", "a/b", 1},
	} {
		if got := common(c.a, c.b); got != c.want {
			t.Errorf("common(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
