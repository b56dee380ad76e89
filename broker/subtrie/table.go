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
	hash uint64 // of the node's key; spares a look at the wrong node
	node atomic.Pointer[node[S]]
	sub  atomic.Pointer[table[S]]
}

// find returns the slot of the node for which the given key is its first level
// or, with whole, its label; nil when there is none. Safe for readers.
func (t *table[S]) find(hash uint64, key string, whole bool) *slot[S] {
	for rest := hash; t != nil; rest >>= tableBits {
		if t.bitmap == 0 {
			return t.findListed(key, whole)
		}
		bit := uint32(1) << (rest % tableFan)
		if t.bitmap&bit == 0 {
			return nil
		}
		s := &t.slots[bits.OnesCount32(t.bitmap&(bit-1))]
		if t = s.sub.Load(); t != nil {
			continue
		}
		if s.hash == hash && s.node.Load().is(key, whole) {
			return s
		}
		return nil
	}
	return nil
}

func (t *table[S]) findListed(key string, whole bool) *slot[S] {
	for i := range t.slots {
		if t.slots[i].node.Load().is(key, whole) {
			return &t.slots[i]
		}
	}
	return nil
}

// each calls f for each slot's content, one of them nil. Safe for readers.
func (t *table[S]) each(f func(*node[S], *table[S])) {
	for i := range t.slots {
		f(t.slots[i].node.Load(), t.slots[i].sub.Load())
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
//
// Slots are copied without atomic loads and stores: nobody but the writer
// changes the old ones, nobody else sees the new ones yet.
type tables[S comparable] struct {
	mem *int64 // bytes in use
}

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
			at.Store(w.grown(t, 0, len(t.slots), hash, n))
			return
		}
		bit := bitOf(hash, depth)
		i := bits.OnesCount32(t.bitmap & (bit - 1))
		if t.bitmap&bit == 0 {
			at.Store(w.grown(t, bit, i, hash, n))
			return
		}
		s := &t.slots[i]
		if s.sub.Load() == nil {
			at.Store(w.replaced(t, i, 0, nil, w.pair(s.hash, s.node.Load(), hash, n, depth+1)))
			return
		}
		at = &s.sub
	}
}

// bitOf is the bit of a hash in the bitmap of a table at a depth.
func bitOf(hash uint64, depth int) uint32 { return 1 << (hash >> (depth * tableBits) % tableFan) }

// pair makes a table of two nodes for the given depth.
func (w tables[S]) pair(ah uint64, a *node[S], bh uint64, b *node[S], depth int) *table[S] {
	if depth >= tableDepth {
		return w.grown(w.single(ah, depth, a, nil), 0, 1, bh, b)
	}
	ab, bb := bitOf(ah, depth), bitOf(bh, depth)
	if ab == bb {
		return w.single(ah, depth, nil, w.pair(ah, a, bh, b, depth+1))
	}
	i := 0
	if bb > ab {
		i = 1
	}
	return w.grown(w.single(ah, depth, a, nil), bb, i, bh, b)
}

// single makes a table with one slot.
func (w tables[S]) single(hash uint64, depth int, n *node[S], sub *table[S]) *table[S] {
	t := &table[S]{slots: make([]slot[S], 1)}
	if depth < tableDepth {
		t.bitmap = bitOf(hash, depth)
	}
	t.slots[0].hash = hash
	t.slots[0].node.Store(n)
	t.slots[0].sub.Store(sub)
	*w.mem += t.bytes()
	return t
}

// grown returns t with one slot more, at i, holding n.
func (w tables[S]) grown(t *table[S], bit uint32, i int, hash uint64, n *node[S]) *table[S] {
	nt := &table[S]{bitmap: t.bitmap | bit, slots: make([]slot[S], len(t.slots)+1)}
	copy(nt.slots, t.slots[:i])
	copy(nt.slots[i+1:], t.slots[i:])
	nt.slots[i].hash = hash
	nt.slots[i].node.Store(n)
	*w.mem += nt.bytes() - t.bytes()
	return nt
}

// shrunk returns t without slot i.
func (w tables[S]) shrunk(t *table[S], bit uint32, i int) *table[S] {
	nt := &table[S]{bitmap: t.bitmap &^ bit, slots: make([]slot[S], len(t.slots)-1)}
	copy(nt.slots, t.slots[:i])
	copy(nt.slots[i:], t.slots[i+1:])
	*w.mem += nt.bytes() - t.bytes()
	return nt
}

// replaced returns t with another kind of content in slot i.
func (w tables[S]) replaced(t *table[S], i int, hash uint64, n *node[S], sub *table[S]) *table[S] {
	nt := &table[S]{bitmap: t.bitmap, slots: make([]slot[S], len(t.slots))}
	copy(nt.slots, t.slots)
	nt.slots[i].hash = hash
	nt.slots[i].node.Store(n)
	nt.slots[i].sub.Store(sub)
	return nt
}

// del takes out n, which is there.
func (w tables[S]) del(root *atomic.Pointer[table[S]], hash uint64, n *node[S]) {
	t := root.Load()
	nt, left := w.without(t, hash, 0, n)
	if left != nil {
		nt = w.single(left.hash, 0, left.node.Load(), nil)
	}
	if nt != t {
		root.Store(nt)
	}
}

// without takes n out of t. What is left is a table (t itself when the change
// was made further down), a slot with a single node, or nothing.
func (w tables[S]) without(t *table[S], hash uint64, depth int, n *node[S]) (*table[S], *slot[S]) {
	i, bit := 0, uint32(0)
	if t.bitmap == 0 {
		for t.slots[i].node.Load() != n {
			i++
		}
	} else {
		bit = bitOf(hash, depth)
		i = bits.OnesCount32(t.bitmap & (bit - 1))
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
			return w.replaced(t, i, left.hash, left.node.Load(), nil), nil
		}
		return t, nil
	}
	if len(t.slots) == 1 {
		*w.mem -= t.bytes()
		return nil, nil
	}
	if len(t.slots) == 2 && t.slots[1-i].sub.Load() == nil {
		*w.mem -= t.bytes()
		return nil, &t.slots[1-i]
	}
	return w.shrunk(t, bit, i), nil
}
