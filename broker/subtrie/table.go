package subtrie

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

const (
	tableBits  = 5
	tableFan   = 1 << tableBits
	tableDepth = 13 // levels until the 64 bits of a hash are used up
)

// table is a level of a hash array mapped trie: the children of a node by the
// hash of their key. Which slots there are, and whether a slot holds a node or
// a table, never changes; what is in it does, with one store. Below tableDepth
// bitmap is 0 and slots is a list of nodes whose hashes are equal.
//
// A table other than a node's first one never holds a single node: that one
// sits in the table above.
type table[S comparable] struct {
	bitmap uint32
	slots  []slot[S]
}

// slot holds either a node or a table, never nil both.
type slot[S comparable] struct {
	node atomic.Pointer[node[S]]
	sub  atomic.Pointer[table[S]]
}

// index says what nodes of a table are called by.
type index uint8

const (
	byLevel index = iota // the first level of the label
	byLabel              // the whole label: mountpoints
)

// find returns the slot of the node with the given key, or nil. Safe for
// readers.
func (t *table[S]) find(hash uint64, key string, by index) *slot[S] {
	for t != nil {
		if t.bitmap == 0 {
			return t.findListed(key, by)
		}
		bit := uint32(1) << (hash % tableFan)
		if t.bitmap&bit == 0 {
			return nil
		}
		s := &t.slots[bits.OnesCount32(t.bitmap&(bit-1))]
		if t = s.sub.Load(); t != nil {
			hash >>= tableBits
			continue
		}
		if s.node.Load().is(key, by) {
			return s
		}
		return nil
	}
	return nil
}

func (t *table[S]) findListed(key string, by index) *slot[S] {
	for i := range t.slots {
		if t.slots[i].node.Load().is(key, by) {
			return &t.slots[i]
		}
	}
	return nil
}

// each calls f for each slot's content, one of them nil. Safe for readers.
func (t *table[S]) each(f func(*node[S], *table[S])) {
	for i := range t.slots {
		sub := t.slots[i].sub.Load()
		f(t.slots[i].node.Load(), sub)
	}
}

// only returns the node of a node's first table when there is just one.
func (t *table[S]) only() *node[S] {
	if len(t.slots) != 1 {
		return nil
	}
	return t.slots[0].node.Load()
}

// bytes is the size of t without what its slots point to.
func (t *table[S]) bytes() int64 {
	return int64(unsafe.Sizeof(*t)) + int64(len(t.slots))*int64(unsafe.Sizeof(slot[S]{}))
}

// tables changes tables; owned by the writer.
type tables[S comparable] struct {
	by   index
	hash func(string) uint64
	mem  *int64 // bytes in use
}

func (w tables[S]) hashOf(n *node[S]) uint64 { return w.hash(n.key(w.by)) }

// add puts n, whose key has the given hash and is not there yet.
func (w tables[S]) add(root *atomic.Pointer[table[S]], hash uint64, n *node[S]) {
	at := root
	for depth := 0; ; depth++ {
		t := at.Load()
		if t == nil {
			at.Store(w.single(hash, depth, n, nil))
			return
		}
		if t.bitmap == 0 {
			at.Store(w.resized(t, 0, len(t.slots), 1, n))
			return
		}
		h := hash >> (depth * tableBits)
		bit := uint32(1) << (h % tableFan)
		i := bits.OnesCount32(t.bitmap & (bit - 1))
		if t.bitmap&bit == 0 {
			at.Store(w.resized(t, t.bitmap|bit, i, 1, n))
			return
		}
		s := &t.slots[i]
		if s.sub.Load() == nil {
			old := s.node.Load()
			at.Store(w.replaced(t, i, nil, w.pair(old, w.hashOf(old), n, hash, depth+1)))
			return
		}
		at = &s.sub
	}
}

// pair makes a table of two nodes for the given depth.
func (w tables[S]) pair(a *node[S], ah uint64, b *node[S], bh uint64, depth int) *table[S] {
	if depth >= tableDepth {
		t := w.single(0, depth, a, nil)
		return w.resized(t, 0, 1, 1, b)
	}
	shift := depth * tableBits
	ai, bi := ah>>shift%tableFan, bh>>shift%tableFan
	if ai == bi {
		return w.single(ah, depth, nil, w.pair(a, ah, b, bh, depth+1))
	}
	t := w.single(ah, depth, a, nil)
	i := 0
	if bi > ai {
		i = 1
	}
	return w.resized(t, t.bitmap|1<<bi, i, 1, b)
}

// single makes a table with one slot.
func (w tables[S]) single(hash uint64, depth int, n *node[S], sub *table[S]) *table[S] {
	t := &table[S]{slots: make([]slot[S], 1)}
	if depth < tableDepth {
		t.bitmap = 1 << (hash >> (depth * tableBits) % tableFan)
	}
	t.slots[0].node.Store(n)
	t.slots[0].sub.Store(sub)
	*w.mem += t.bytes()
	return t
}

// Slots are copied without atomic loads and stores below: nobody but the writer
// changes the old ones, nobody else sees the new ones yet.

// resized returns t with one slot more (by = 1, holding n) or less (by = -1) at
// i.
func (w tables[S]) resized(t *table[S], bitmap uint32, i, by int, n *node[S]) *table[S] {
	nt := &table[S]{bitmap: bitmap, slots: make([]slot[S], len(t.slots)+by)}
	copy(nt.slots[:i], t.slots[:i])
	if by > 0 {
		nt.slots[i].node.Store(n)
		copy(nt.slots[i+1:], t.slots[i:])
	} else {
		copy(nt.slots[i:], t.slots[i+1:])
	}
	*w.mem += nt.bytes() - t.bytes()
	return nt
}

// replaced returns t with another kind of content in slot i.
func (w tables[S]) replaced(t *table[S], i int, n *node[S], sub *table[S]) *table[S] {
	nt := &table[S]{bitmap: t.bitmap, slots: make([]slot[S], len(t.slots))}
	copy(nt.slots, t.slots)
	nt.slots[i].node.Store(n)
	nt.slots[i].sub.Store(sub)
	return nt
}

// del takes out n, which is there.
func (w tables[S]) del(root *atomic.Pointer[table[S]], hash uint64, n *node[S]) {
	t := root.Load()
	nt, left := w.without(t, hash, 0, n)
	if left != nil {
		nt = w.single(w.hashOf(left), 0, left, nil)
	}
	if nt != t {
		root.Store(nt)
	}
}

// without takes n out of t. What is left is a table (t itself when the change
// was made further down), a single node, or nothing.
func (w tables[S]) without(t *table[S], hash uint64, depth int, n *node[S]) (*table[S], *node[S]) {
	i, bitmap := 0, uint32(0)
	if t.bitmap == 0 {
		for t.slots[i].node.Load() != n {
			i++
		}
	} else {
		bit := uint32(1) << (hash >> (depth * tableBits) % tableFan)
		i, bitmap = bits.OnesCount32(t.bitmap&(bit-1)), t.bitmap&^bit
	}
	if sub := t.slots[i].sub.Load(); sub != nil {
		ns, left := w.without(sub, hash, depth+1, n)
		switch {
		case left == nil && ns != sub:
			t.slots[i].sub.Store(ns)
		case left != nil && len(t.slots) == 1:
			*w.mem -= t.bytes()
			return nil, left
		case left != nil:
			return w.replaced(t, i, left, nil), nil
		}
		return t, nil
	}
	if len(t.slots) == 1 {
		*w.mem -= t.bytes()
		return nil, nil
	}
	if len(t.slots) == 2 && t.slots[1-i].sub.Load() == nil {
		*w.mem -= t.bytes()
		return nil, t.slots[1-i].node.Load()
	}
	return w.resized(t, bitmap, i, -1, nil), nil
}
