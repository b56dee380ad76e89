package subtrie

import (
	"strings"
)

// visit is a node that is still to be looked at: what is left of the topic name
// begins at pos, len(topic)+1 = nothing is left.
type visit[S comparable] struct {
	n   *node[S]
	pos int
}

// Match appends to r the subscriptions of a mountpoint that match a topic name,
// in no particular order. Each node of the trie is visited at most once, so the
// work is bounded by the filters there are, not by the levels of the topic.
// When r has room it does not allocate.
//
// Spec: MQTT 5.0 §4.7.1.2, §4.7.1.3, §4.7.2 [MQTT-4.7.2-1].
func (t *Trie[S]) Match(mountpoint, topic string, r *Result[S]) {
	at := t.mount(mountpoint)
	if at == nil {
		return
	}
	root := at.Load()
	v := visit[S]{root, 0}
	for {
		var lit, plus visit[S]
		if v.pos > len(topic) {
			r.take(v.n.subs.Load())
			r.take(v.n.hash.Load())
		} else {
			if v.n != root || topic == "" || topic[0] != '$' {
				r.take(v.n.hash.Load())
				plus = r.enter(v.n.plus.Load(), topic, v.pos)
			}
			lit = r.enter(t.literal(v.n, topic, v.pos), topic, v.pos)
		}
		switch {
		case lit.n != nil && plus.n != nil:
			r.todo = append(r.todo, plus)
			v = lit
		case lit.n != nil:
			v = lit
		case plus.n != nil:
			v = plus
		case len(r.todo) == 0:
			return
		default:
			last := len(r.todo) - 1
			v, r.todo[last] = r.todo[last], visit[S]{}
			r.todo = r.todo[:last]
		}
	}
}

// literal returns the child of n named like the level of the topic at pos.
func (t *Trie[S]) literal(n *node[S], topic string, pos int) *node[S] {
	kids := n.kids.Load()
	if kids == nil {
		return nil
	}
	level := firstLevel(topic[pos:])
	if s := kids.find(t.hash(level), level, false); s != nil {
		return s.node.Load()
	}
	return nil
}

// enter compares the label of n with the topic from pos on and returns what to
// look at next: n behind its label, or nothing. The subscriptions of a label
// that ends in "#" are taken at once.
func (r *Result[S]) enter(n *node[S], topic string, pos int) visit[S] {
	if n == nil {
		return visit[S]{}
	}
	label := n.label
	if end := pos + len(label); strings.HasPrefix(topic[pos:], label) && (end == len(topic) || topic[end] == '/') {
		return visit[S]{n, end + 1}
	}
	for i := 0; i <= len(label); {
		level := firstLevel(label[i:])
		i += len(level) + 1
		switch {
		case level == "#":
			r.take(n.subs.Load())
			return visit[S]{}
		case pos > len(topic):
			return visit[S]{}
		case level == "+":
			pos += len(firstLevel(topic[pos:])) + 1
		default:
			end := pos + len(level)
			if !strings.HasPrefix(topic[pos:], level) || end < len(topic) && topic[end] != '/' {
				return visit[S]{}
			}
			pos = end + 1
		}
	}
	return visit[S]{n, pos}
}

// take appends the subscriptions of one filter.
func (r *Result[S]) take(s *subs[S]) {
	if s == nil {
		return
	}
	if s.many == nil {
		r.Plain = append(r.Plain, s.one)
		r.Filters++
		return
	}
	if s.many.plain != nil {
		r.Plain = s.many.plain.appendTo(r.Plain)
		r.Filters++
	}
	s.many.groups.each(func(gs []*group[S]) bool {
		for _, g := range gs {
			r.Groups = append(r.Groups, g.result())
		}
		return true
	})
}
