package subtrie

import (
	"hash/maphash"
	"sync/atomic"
	"unsafe"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// subs are the subscriptions of one filter. Immutable but for the members of
// groups. Most filters have one subscriber, which is kept in place.
type subs[S comparable] struct {
	one  Match[S] // when many is nil
	many *many[S]
}

// many are two plain subscriptions or more, or share groups.
type many[S comparable] struct {
	plain  *chunks[Match[S]]
	groups *chunks[*group[S]] // placed by share name
}

// group is a share group of one filter. It stays the same one until its last
// member leaves.
type group[S comparable] struct {
	share   *mqtt.Share
	next    atomic.Uint64
	members atomic.Pointer[chunks[Match[S]]]
}

// result is the group as it is now.
func (g *group[S]) result() Group[S] { return Group[S]{g.share, Members[S]{g.members.Load()}, &g.next} }

// ofSubscriber describes the entry of s among the subscriptions of a filter.
func (t *Trie[S]) ofSubscriber(s S) change[Match[S]] {
	return change[Match[S]]{
		hash: maphash.Comparable(t.seed, s),
		same: func(m *Match[S]) bool { return m.Subscriber == s },
		of:   func(m *Match[S]) uint64 { return maphash.Comparable(t.seed, m.Subscriber) },
		mem:  &t.mem,
	}
}

// ofGroup describes the group of a share name among those of a filter.
func (t *Trie[S]) ofGroup(share string) change[*group[S]] {
	return change[*group[S]]{
		hash: t.hash(share),
		same: func(g **group[S]) bool { return (*g).share.Name == share },
		of:   func(g **group[S]) uint64 { return t.hash((*g).share.Name) },
		mem:  &t.mem,
	}
}

// put adds or replaces a subscription of the filter kept at a place.
func (t *Trie[S]) put(at *atomic.Pointer[subs[S]], sub mqtt.Subscription, s S) (isNew bool) {
	old, m := at.Load(), Match[S]{s, OptionsOf(sub)}
	if sub.ShareName != "" {
		return t.putShared(at, sub, m)
	}
	if old == nil {
		t.set(at, &subs[S]{one: m})
		return true
	}
	if old.many == nil {
		if old.one.Subscriber == s {
			if old.one != m {
				t.set(at, &subs[S]{one: m})
			}
			return false
		}
		plain := newLeaf([]Match[S]{old.one, m}, &t.mem)
		t.set(at, &subs[S]{many: &many[S]{plain: plain}})
		return true
	}
	plain := old.many.plain.put(m, t.ofSubscriber(s))
	t.set(at, &subs[S]{many: &many[S]{plain: plain, groups: old.many.groups}})
	return plain.len() > old.many.plain.len()
}

// putShared is put for a member of a share group.
func (t *Trie[S]) putShared(at *atomic.Pointer[subs[S]], sub mqtt.Subscription, m Match[S]) (isNew bool) {
	x := t.ofGroup(sub.ShareName)
	if g := at.Load().group(x); g != nil {
		before := g.members.Load()
		after := before.put(m, t.ofSubscriber(m.Subscriber))
		g.members.Store(after)
		return after.len() > before.len()
	}
	g := &group[S]{share: &mqtt.Share{Name: sub.ShareName, Filter: sub.Filter}}
	t.mem += g.bytes()
	g.members.Store(newLeaf([]Match[S]{m}, &t.mem))
	all := many[S]{}
	switch old := at.Load(); {
	case old == nil:
	case old.many != nil:
		all = *old.many
	default:
		all.plain = newLeaf([]Match[S]{old.one}, &t.mem)
	}
	all.groups = all.groups.put(g, x)
	t.set(at, &subs[S]{many: &all})
	return true
}

// group returns the group x stands for, or nil.
func (s *subs[S]) group(x change[*group[S]]) *group[S] {
	if s == nil || s.many == nil {
		return nil
	}
	if g := s.many.groups.find(x.hash, x.same); g != nil {
		return *g
	}
	return nil
}

// take removes a subscription of the filter kept at a place.
func (t *Trie[S]) take(at *atomic.Pointer[subs[S]], share string, s S) (had bool) {
	old := at.Load()
	if share != "" {
		return t.takeShared(at, share, s)
	}
	if old == nil {
		return false
	}
	if old.many == nil {
		if old.one.Subscriber != s {
			return false
		}
		t.set(at, nil)
		return true
	}
	plain := old.many.plain.remove(t.ofSubscriber(s))
	if plain == old.many.plain {
		return false
	}
	t.settle(at, many[S]{plain: plain, groups: old.many.groups})
	return true
}

// takeShared is take for a member of a share group.
func (t *Trie[S]) takeShared(at *atomic.Pointer[subs[S]], share string, s S) (had bool) {
	x := t.ofGroup(share)
	g := at.Load().group(x)
	if g == nil {
		return false
	}
	before := g.members.Load()
	after := before.remove(t.ofSubscriber(s))
	if after == before {
		return false
	}
	if after != nil {
		g.members.Store(after)
		return true
	}
	t.mem -= g.bytes()
	all := *at.Load().many
	all.groups = all.groups.remove(x)
	t.settle(at, all)
	return true
}

// settle stores what is left of many subscriptions in the smallest form.
func (t *Trie[S]) settle(at *atomic.Pointer[subs[S]], all many[S]) {
	switch {
	case all.groups == nil && all.plain == nil:
		t.set(at, nil)
	case all.groups == nil && all.plain.len() == 1:
		all.plain.drop(&t.mem)
		t.set(at, &subs[S]{one: all.plain.at(0)})
	default:
		t.set(at, &subs[S]{many: &all})
	}
}

// set replaces the subscriptions of a filter.
func (t *Trie[S]) set(at *atomic.Pointer[subs[S]], s *subs[S]) {
	t.mem += s.bytes() - at.Load().bytes()
	at.Store(s)
}

// bytes is the size of s without chunks.
func (s *subs[S]) bytes() int64 {
	if s == nil {
		return 0
	}
	n := int64(unsafe.Sizeof(*s))
	if s.many != nil {
		n += int64(unsafe.Sizeof(*s.many))
	}
	return n
}

func (g *group[S]) bytes() int64 {
	return int64(unsafe.Sizeof(*g)+unsafe.Sizeof(*g.share)) + int64(len(g.share.Name)+len(g.share.Filter))
}
