package subtrie

import (
	"strings"
	"sync/atomic"
	"unsafe"
)

// node is a place in the trie: a run of topic levels behind its parent's. The
// label is never changed. 48 bytes.
//
//	label  one level or more, joined by "/"; "+" is a wildcard, and so is "#"
//	       as the last of several levels
//	kids   nodes whose label begins with an ordinary level
//	plus   the node whose label begins with "+"
//	hash   subscriptions of this filter with the further level "#"
//	subs   subscriptions of this filter
//
// A label that ends in "#" has subs only. A node without subs has two children
// or more, unless it and its child are too long to be one (mergeLen); a root
// has no subs, its label is the mountpoint.
//
// The tail of a label may share the memory of a filter: any filter through this
// node is at least as long.
type node[S comparable] struct {
	label string
	kids  atomic.Pointer[table[S]]
	plus  atomic.Pointer[node[S]]
	hash  atomic.Pointer[subs[S]]
	subs  atomic.Pointer[subs[S]]
}

// mergeLen is the longest label made by joining two, in bytes: joining costs
// what it copies.
const mergeLen = 256

// is reports whether the label, or unless whole its first level, is key.
func (n *node[S]) is(key string, whole bool) bool {
	return len(n.label) >= len(key) && n.label[:len(key)] == key &&
		(len(n.label) == len(key) || !whole && n.label[len(key)] == '/')
}

func firstLevel(s string) string {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[:i]
	}
	return s
}

// common returns the length of the longest run of levels that a and b begin
// with. Their first levels are equal.
func common(a, b string) int {
	end := 0
	for i := 0; ; i++ {
		aEnds, bEnds := i == len(a) || a[i] == '/', i == len(b) || b[i] == '/'
		if aEnds != bEnds {
			return end
		}
		if aEnds {
			end = i
		}
		if i == len(a) || i == len(b) || a[i] != b[i] {
			return end
		}
	}
}

// bytes is the size of n with its label, without what it points to.
func (n *node[S]) bytes() int64 { return int64(unsafe.Sizeof(*n)) + int64(len(n.label)) }

// leaf makes a node without content.
func (t *Trie[S]) leaf(label string) *node[S] {
	n := &node[S]{label: label}
	t.mem += n.bytes()
	return n
}

// attach makes c, whose first level has the given hash, a child of n.
func (t *Trie[S]) attach(n, c *node[S], first string, hash uint64) {
	if first == "+" {
		n.plus.Store(c)
		return
	}
	t.tables().add(&n.kids, hash, c)
}

// child returns where n refers to the child that begins with the level first,
// which has the given hash; nil when it does not.
func (n *node[S]) child(first string, hash uint64) *atomic.Pointer[node[S]] {
	if first == "+" {
		if n.plus.Load() == nil {
			return nil
		}
		return &n.plus
	}
	kids := n.kids.Load()
	if kids == nil {
		return nil
	}
	if s := kids.find(hash, first, false); s != nil {
		return &s.node
	}
	return nil
}

// place returns where the subscriptions of a filter under n are kept, and makes
// the nodes for it.
func (t *Trie[S]) place(n *node[S], filter string) *atomic.Pointer[subs[S]] {
	for filter != "#" {
		first := firstLevel(filter)
		hash := t.hash(first)
		at := n.child(first, hash)
		if at == nil {
			c := t.leaf(filter)
			t.attach(n, c, first, hash)
			return &c.subs
		}
		c := at.Load()
		k := common(c.label, filter)
		if k < len(c.label) {
			c = t.split(c, k)
			at.Store(c)
		}
		if k == len(filter) {
			return &c.subs
		}
		n, filter = c, filter[k+1:]
	}
	return &n.hash
}

// split makes two nodes of c: its label's first k bytes, and below it the rest.
// c itself stays as it is.
func (t *Trie[S]) split(c *node[S], k int) *node[S] {
	t.mem -= c.bytes()
	head, tail := t.leaf(strings.Clone(c.label[:k])), c.label[k+1:]
	if tail == "#" {
		head.hash.Store(c.subs.Load())
		return head
	}
	first := firstLevel(tail)
	t.attach(head, t.moved(c, tail), first, t.hash(first))
	return head
}

// moved returns a node with the content of c and another label.
func (t *Trie[S]) moved(c *node[S], label string) *node[S] {
	n := t.leaf(label)
	n.kids.Store(c.kids.Load())
	n.plus.Store(c.plus.Load())
	n.hash.Store(c.hash.Load())
	n.subs.Store(c.subs.Load())
	return n
}

// step is one node of the way down, with the place that refers to it.
type step[S comparable] struct {
	at *atomic.Pointer[node[S]]
	n  *node[S]
}

// way finds where the subscriptions of a filter under the root are kept, or nil,
// and leaves the steps to there in t.steps.
func (t *Trie[S]) way(root *atomic.Pointer[node[S]], filter string) *atomic.Pointer[subs[S]] {
	n := root.Load()
	t.steps = append(t.steps[:0], step[S]{root, n})
	for filter != "#" {
		first := firstLevel(filter)
		at := n.child(first, t.hash(first))
		if at == nil {
			return nil
		}
		n = at.Load()
		if !strings.HasPrefix(filter, n.label) {
			return nil
		}
		t.steps = append(t.steps, step[S]{at, n})
		if len(filter) == len(n.label) {
			return &n.subs
		}
		if filter[len(n.label)] != '/' {
			return nil
		}
		filter = filter[len(n.label)+1:]
	}
	return &n.hash
}

// tidy takes out what t.steps leads to as far as it is empty, from the end.
func (t *Trie[S]) tidy() {
	for i := len(t.steps) - 1; i >= 0; i-- {
		n := t.steps[i].n
		if n.subs.Load() != nil {
			return
		}
		empty, label, only := n.onlyChild()
		switch {
		case empty && i == 0:
			t.tables().del(&t.mounts, t.hash(n.label), n)
			t.mem -= n.bytes()
		case empty:
			t.detach(t.steps[i-1].n, n)
		case only == nil || i == 0 || len(n.label)+1+len(label) > mergeLen:
			return
		default:
			t.mem -= n.bytes()
			if label != "#" {
				t.mem -= only.bytes()
			}
			if kids := n.kids.Load(); kids != nil {
				t.mem -= kids.bytes()
			}
			t.steps[i].at.Store(t.moved(only, n.label+"/"+label))
			return
		}
	}
}

// onlyChild reports whether n has no children, or returns the only one with its
// label; for "#" a node is made up.
func (n *node[S]) onlyChild() (empty bool, label string, only *node[S]) {
	kids, plus, hash := n.kids.Load(), n.plus.Load(), n.hash.Load()
	switch {
	case kids == nil && plus == nil && hash == nil:
		return true, "", nil
	case plus == nil && hash == nil:
		only = kids.only()
	case kids == nil && hash == nil:
		only = plus
	case kids == nil && plus == nil:
		only = &node[S]{}
		only.subs.Store(hash)
		return false, "#", only
	}
	if only == nil {
		return false, "", nil
	}
	return false, only.label, only
}

// detach takes the empty child c out of n.
func (t *Trie[S]) detach(n, c *node[S]) {
	t.mem -= c.bytes()
	if n.plus.Load() == c {
		n.plus.Store(nil)
		return
	}
	t.tables().del(&n.kids, t.hash(firstLevel(c.label)), c)
}
