package subtrie

import "unsafe"

const (
	chunkLen  = 32 // entries in a leaf before it is split
	chunkFan  = 8  // children of a branch
	chunkBits = 3  // hash bits that choose one
)

// chunks is a set of entries placed by a hash: a tree whose leaves are short
// arrays. Immutable: put and remove return a new root and share what did not
// change. nil is the empty set.
type chunks[E any] struct {
	n    int                   // entries below
	leaf []E                   // of a leaf, 1 to chunkLen; more when all hash bits are equal
	kids *[chunkFan]*chunks[E] // of a branch
}

// change is what put and remove need to know of their entry.
type change[E any] struct {
	hash uint64
	same func(*E) bool   // tells the entry from others
	of   func(*E) uint64 // hash of any entry
	mem  *int64          // bytes in use
}

func (c *chunks[E]) len() int {
	if c == nil {
		return 0
	}
	return c.n
}

// at returns entry i in the order of appendTo.
func (c *chunks[E]) at(i int) E {
	for c.kids != nil {
		for _, k := range c.kids {
			if i < k.len() {
				c = k
				break
			}
			i -= k.len()
		}
	}
	return c.leaf[i]
}

// find returns the entry with the given hash that same approves of, or nil.
func (c *chunks[E]) find(hash uint64, same func(*E) bool) *E {
	for c != nil && c.kids != nil {
		c = c.kids[hash%chunkFan]
		hash >>= chunkBits
	}
	if c == nil {
		return nil
	}
	for i := range c.leaf {
		if same(&c.leaf[i]) {
			return &c.leaf[i]
		}
	}
	return nil
}

// each calls f for each leaf until it returns false. The depth of the recursion
// is bounded by the bits of a hash.
func (c *chunks[E]) each(f func([]E) bool) bool {
	if c == nil {
		return true
	}
	if c.kids == nil {
		return f(c.leaf)
	}
	for _, k := range c.kids {
		if !k.each(f) {
			return false
		}
	}
	return true
}

// appendTo appends all entries to dst.
func (c *chunks[E]) appendTo(dst []E) []E {
	if c.kids == nil {
		return append(dst, c.leaf...)
	}
	for _, k := range c.kids {
		if k != nil {
			dst = k.appendTo(dst)
		}
	}
	return dst
}

// put adds e or replaces the entry that x.same approves of.
func (c *chunks[E]) put(e E, x change[E]) *chunks[E] { return c.putAt(e, x, 0) }

func (c *chunks[E]) putAt(e E, x change[E], shift uint) *chunks[E] {
	if c == nil {
		return newLeaf([]E{e}, x.mem)
	}
	if c.kids != nil {
		i := x.hash >> shift % chunkFan
		return c.with(i, c.kids[i].putAt(e, x, shift+chunkBits), x.mem)
	}
	for i := range c.leaf {
		if x.same(&c.leaf[i]) {
			leaf := append(make([]E, 0, c.n), c.leaf...)
			leaf[i] = e
			c.drop(x.mem)
			return newLeaf(leaf, x.mem)
		}
	}
	if c.n < chunkLen || shift >= 64 {
		leaf := append(make([]E, 0, c.n+1), c.leaf...)
		c.drop(x.mem)
		return newLeaf(append(leaf, e), x.mem)
	}
	b := c.split(x, shift)
	i := x.hash >> shift % chunkFan
	b.kids[i] = b.kids[i].putAt(e, x, shift+chunkBits)
	b.n++
	return b
}

// split makes a branch of a leaf. The branch is not published yet.
func (c *chunks[E]) split(x change[E], shift uint) *chunks[E] {
	var parts [chunkFan][]E
	for i := range c.leaf {
		p := &parts[x.of(&c.leaf[i])>>shift%chunkFan]
		*p = append(*p, c.leaf[i])
	}
	b := &chunks[E]{n: c.n, kids: new([chunkFan]*chunks[E])}
	for i, p := range parts {
		if len(p) > 0 {
			b.kids[i] = newLeaf(append(make([]E, 0, len(p)), p...), x.mem)
		}
	}
	c.drop(x.mem)
	*x.mem += b.bytes()
	return b
}

// remove takes out the entry that x.same approves of, if there is one.
func (c *chunks[E]) remove(x change[E]) *chunks[E] { return c.removeAt(x, 0) }

func (c *chunks[E]) removeAt(x change[E], shift uint) *chunks[E] {
	if c == nil {
		return nil
	}
	if c.kids != nil {
		i := x.hash >> shift % chunkFan
		old := c.kids[i]
		kid := old.removeAt(x, shift+chunkBits)
		if kid == old {
			return c
		}
		return c.with(i, kid, x.mem).gather(x.mem)
	}
	for i := range c.leaf {
		if !x.same(&c.leaf[i]) {
			continue
		}
		c.drop(x.mem)
		if c.n == 1 {
			return nil
		}
		leaf := append(make([]E, 0, c.n-1), c.leaf[:i]...)
		return newLeaf(append(leaf, c.leaf[i+1:]...), x.mem)
	}
	return c
}

// with returns the branch with another child i.
func (c *chunks[E]) with(i uint64, kid *chunks[E], mem *int64) *chunks[E] {
	b := &chunks[E]{n: c.n - c.kids[i].len() + kid.len(), kids: new([chunkFan]*chunks[E])}
	*b.kids = *c.kids
	b.kids[i] = kid
	c.drop(mem)
	*mem += b.bytes()
	return b
}

// gather makes a leaf of a branch that has become small; half of chunkLen, so
// that one subscriber coming and going does not split and gather each time.
func (c *chunks[E]) gather(mem *int64) *chunks[E] {
	if c.n > chunkLen/2 {
		return c
	}
	leaf := c.appendTo(make([]E, 0, c.n))
	for _, k := range c.kids {
		if k != nil {
			k.drop(mem) // a leaf: k.n <= chunkLen/2 and k has been gathered
		}
	}
	c.drop(mem)
	if c.n == 0 {
		return nil
	}
	return newLeaf(leaf, mem)
}

func newLeaf[E any](leaf []E, mem *int64) *chunks[E] {
	c := &chunks[E]{n: len(leaf), leaf: leaf}
	*mem += c.bytes()
	return c
}

func (c *chunks[E]) drop(mem *int64) { *mem -= c.bytes() }

// bytes is the size of c without its children.
func (c *chunks[E]) bytes() int64 {
	var e E
	n := int64(unsafe.Sizeof(*c)) + int64(len(c.leaf))*int64(unsafe.Sizeof(e))
	if c.kids != nil {
		n += int64(unsafe.Sizeof(*c.kids))
	}
	return n
}
