package retain

import "github.com/lunemq/lunemq/broker/mqtt"

// entry is the place of one topic name's message. The map and the tree share
// it, so that replacing a message touches neither.
type entry struct {
	topic string // m.Topic
	m     *mqtt.Message
}

const (
	maxItems = 63
	minItems = maxItems / 2
	maxDepth = 12 // of a tree with minItems+1 children each: more than memory holds
)

// tree is a B-tree of entries in the order of compare. Owned by the holder of
// the store's lock.
type tree struct{ root *node }

// node holds minItems to maxItems entries, the root fewer; inner nodes have one
// child more than entries.
type node struct {
	items []*entry
	kids  []*node
}

// search returns the index of the first entry at or behind b.
func (n *node) search(b bound) int {
	lo, hi := 0, len(n.items)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if b.passes(n.items[mid].topic) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// insert adds an entry whose topic name is not there yet.
func (t *tree) insert(e *entry) {
	if t.root == nil {
		t.root = &node{}
	}
	if len(t.root.items) == maxItems {
		t.root = &node{kids: []*node{t.root}}
		t.root.split(0)
	}
	b := bound{head: e.topic}
	for n := t.root; ; {
		i := n.search(b)
		if n.kids == nil {
			n.items = insertAt(n.items, i, e)
			return
		}
		if len(n.kids[i].items) == maxItems {
			n.split(i)
			if compare(e.topic, n.items[i].topic) > 0 {
				i++
			}
		}
		n = n.kids[i]
	}
}

// split makes two nodes of the full child i.
func (n *node) split(i int) {
	left := n.kids[i]
	right := &node{items: append(make([]*entry, 0, maxItems), left.items[minItems+1:]...)}
	middle := left.items[minItems]
	clear(left.items[minItems:])
	left.items = left.items[:minItems]
	if left.kids != nil {
		right.kids = append(make([]*node, 0, maxItems+1), left.kids[minItems+1:]...)
		clear(left.kids[minItems+1:])
		left.kids = left.kids[:minItems+1]
	}
	n.items = insertAt(n.items, i, middle)
	n.kids = insertAt(n.kids, i+1, right)
}

// remove takes out the entry with a topic name, which is there.
func (t *tree) remove(topic string) {
	t.root.remove(bound{head: topic}, topic)
	if len(t.root.items) == 0 {
		if t.root.kids == nil {
			t.root = nil
		} else {
			t.root = t.root.kids[0]
		}
	}
}

// remove takes out and returns the entry at b with the given topic name, or the
// last one below n when topic is not at b. n has more than minItems entries or
// is the root.
func (n *node) remove(b bound, topic string) *entry {
	i := n.search(b)
	found := i < len(n.items) && n.items[i].topic == topic
	if n.kids == nil {
		if !found {
			i = len(n.items) - 1
		}
		return removeAt(&n.items, i)
	}
	if len(n.kids[i].items) <= minItems {
		n.fill(i)
		return n.remove(b, topic)
	}
	if !found {
		return n.kids[i].remove(b, topic)
	}
	e := n.items[i]
	n.items[i] = n.kids[i].remove(b, topic) // the last one before e
	return e
}

// fill gives child i more than minItems entries, by one of a neighbour or by
// joining it with a neighbour.
func (n *node) fill(i int) {
	switch {
	case i > 0 && len(n.kids[i-1].items) > minItems:
		kid, left := n.kids[i], n.kids[i-1]
		kid.items = insertAt(kid.items, 0, n.items[i-1])
		n.items[i-1] = removeAt(&left.items, len(left.items)-1)
		if left.kids != nil {
			kid.kids = insertAt(kid.kids, 0, removeAt(&left.kids, len(left.kids)-1))
		}
	case i < len(n.items) && len(n.kids[i+1].items) > minItems:
		kid, right := n.kids[i], n.kids[i+1]
		kid.items = append(kid.items, n.items[i])
		n.items[i] = removeAt(&right.items, 0)
		if right.kids != nil {
			kid.kids = append(kid.kids, removeAt(&right.kids, 0))
		}
	default:
		i = min(i, len(n.items)-1)
		kid, right := n.kids[i], n.kids[i+1]
		kid.items = append(append(kid.items, removeAt(&n.items, i)), right.items...)
		kid.kids = append(kid.kids, right.kids...)
		removeAt(&n.kids, i+1)
	}
}

func insertAt[E any](s []E, i int, e E) []E {
	var zero E
	s = append(s, zero)
	copy(s[i+1:], s[i:])
	s[i] = e
	return s
}

func removeAt[E any](s *[]E, i int) E {
	var zero E
	old := *s
	e := old[i]
	copy(old[i:], old[i+1:])
	old[len(old)-1] = zero
	*s = old[:len(old)-1]
	return e
}

// iterator stands at an entry, or at the end. Valid while the tree does not
// change.
type iterator struct {
	path  [maxDepth]place
	depth int
}

type place struct {
	n *node
	i int
}

// seek goes to the first entry at or behind b.
func (it *iterator) seek(t *tree, b bound) {
	it.depth = 0
	for n := t.root; n != nil; {
		i := n.search(b)
		it.path[it.depth] = place{n, i}
		it.depth++
		if n.kids == nil {
			break
		}
		n = n.kids[i]
	}
	it.climb()
}

// climb leaves nodes that have no entry at the iterator's place.
func (it *iterator) climb() {
	for it.depth > 0 {
		if p := &it.path[it.depth-1]; p.i < len(p.n.items) {
			return
		}
		it.depth--
	}
}

// entry returns where the iterator stands; nil at the end.
func (it *iterator) entry() *entry {
	if it.depth == 0 {
		return nil
	}
	p := &it.path[it.depth-1]
	return p.n.items[p.i]
}

// next goes to the next entry.
func (it *iterator) next() {
	p := &it.path[it.depth-1]
	p.i++
	for n := p.n; n.kids != nil; {
		n = n.kids[it.path[it.depth-1].i]
		it.path[it.depth] = place{n: n}
		it.depth++
	}
	it.climb()
}
