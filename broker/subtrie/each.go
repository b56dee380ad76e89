package subtrie

// place is a node, or a table of nodes, that Each has still to look at, with the
// length of the filter above it.
type place[S comparable] struct {
	n      *node[S]
	t      *table[S]
	prefix int
}

// Each calls f for each subscription until f returns false, in no particular
// order and without a lock: f may change the table. Subscriptions that come or
// go meanwhile may or may not be seen, all others are seen once.
func (t *Trie[S]) Each(f func(mountpoint, share, filter string, s S, o Options) bool) {
	var roots []*node[S]
	for todo := []*table[S]{t.mounts.Load()}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if at != nil {
			at.each(func(n *node[S], sub *table[S]) {
				if sub != nil {
					todo = append(todo, sub)
				} else {
					roots = append(roots, n)
				}
			})
		}
	}
	for _, root := range roots {
		w := walk[S]{mountpoint: root.label, f: f}
		if !w.below(root) {
			return
		}
	}
}

// walk is the way of Each through one mountpoint. The list of places replaces a
// recursion, which 65535 levels would make deep.
type walk[S comparable] struct {
	mountpoint string
	f          func(mountpoint, share, filter string, s S, o Options) bool
	filter     []byte // of the node looked at, with a "/" behind it
	todo       []place[S]
}

func (w *walk[S]) below(root *node[S]) bool {
	if !w.children(root) {
		return false
	}
	for len(w.todo) > 0 {
		p := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		if p.t != nil {
			p.t.each(func(n *node[S], sub *table[S]) {
				if sub != nil {
					n = nil
				}
				w.todo = append(w.todo, place[S]{n, sub, p.prefix})
			})
			continue
		}
		w.filter = append(append(w.filter[:p.prefix], p.n.label...), '/')
		if s := p.n.subs.Load(); s != nil && !w.emit(s, string(w.filter[:len(w.filter)-1])) {
			return false
		}
		if !w.children(p.n) {
			return false
		}
	}
	return true
}

// children notes the children of n and calls f for its "#".
func (w *walk[S]) children(n *node[S]) bool {
	if kids := n.kids.Load(); kids != nil {
		w.todo = append(w.todo, place[S]{nil, kids, len(w.filter)})
	}
	if plus := n.plus.Load(); plus != nil {
		w.todo = append(w.todo, place[S]{plus, nil, len(w.filter)})
	}
	if hash := n.hash.Load(); hash != nil {
		return w.emit(hash, string(w.filter)+"#")
	}
	return true
}

// emit calls f for the subscriptions of one filter.
func (w *walk[S]) emit(s *subs[S], filter string) bool {
	if s.many == nil {
		return w.f(w.mountpoint, "", filter, s.one.Subscriber, s.one.Options)
	}
	each := func(share string, c *chunks[Match[S]]) bool {
		return c.each(func(leaf []Match[S]) bool {
			for _, m := range leaf {
				if !w.f(w.mountpoint, share, filter, m.Subscriber, m.Options) {
					return false
				}
			}
			return true
		})
	}
	return each("", s.many.plain) && s.many.groups.each(func(gs []*group[S]) bool {
		for _, g := range gs {
			if !each(g.share.Name, g.members.Load()) {
				return false
			}
		}
		return true
	})
}
