package authcache

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/topic"
)

// MaxPayload is the default and the largest limit of a rule, in bytes.
const MaxPayload = 268435456

// Rule permits what matches it. Immutable once inserted.
type Rule struct {
	// Pattern is a topic filter. The levels %m, %c and %u stand for mountpoint,
	// client identifier and user name until Insert replaces them. "" matches
	// nothing.
	Pattern    string
	MaxQoS     mqtt.QoS
	MaxPayload int // bytes
	NoRetain   bool
	// Modify changes what a publish rule permits; nil = nothing.
	Modify func(m *mqtt.Message) *hook.PublishResult
	// Topics replace what a subscribe rule permits; nil = nothing.
	Topics []hook.Topic
}

// entry is the rules of one connection. Immutable.
type entry struct {
	// owner is the connection whose registration inserted the entry: it is valid
	// for that one only. A refused or overtaken CONNECT neither gives its rules to
	// others with the client identifier nor takes theirs. nil = inserted by
	// another hook, for whoever has the identifier.
	owner              *hook.Client
	publish, subscribe []Rule
}

// over reports whether nobody can need the entry any more: its connection has
// ended. That of a connection which begins may stand beside that of one which is
// about to end.
func (e *entry) over() bool { return e.owner != nil && e.owner.Ended() }

// sweepEvery is how many inserts lie between two looks for entries of
// connections that were refused, of which nobody else tells. most bounds the
// entries of one client identifier.
const (
	sweepEvery = 32
	most       = 64
)

const shards = 64

type shard struct {
	mu      sync.RWMutex
	entries map[mqtt.SessionKey][]entry // newest last
	recent  []mqtt.SessionKey           // of the entries inserted last, below 2*sweepEvery
}

// Cache holds the entries. Safe for concurrent use; its locks are leaves.
type Cache struct {
	seed   maphash.Seed
	used   atomic.Bool // something was inserted
	shards [shards]shard
}

// New returns an empty Cache.
func New() *Cache {
	c := &Cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].entries = map[mqtt.SessionKey][]entry{}
	}
	return c
}

func (c *Cache) shard(key mqtt.SessionKey) *shard {
	return &c.shards[maphash.Comparable(c.seed, key)%shards]
}

// Insert replaces the entry of owner, a connection that asks to be registered; nil
// stands for whoever has the client identifier. The rules are copied, with the
// placeholders of their patterns replaced.
func (c *Cache) Insert(owner *hook.Client, key mqtt.SessionKey, username string, publish, subscribe []Rule) {
	fill := func(rules []Rule) []Rule {
		rules = slices.Clone(rules)
		for i := range rules {
			rules[i].Pattern = substitute(rules[i].Pattern, key, username)
		}
		return rules
	}
	e := entry{owner: owner, publish: fill(publish), subscribe: fill(subscribe)}
	c.used.Store(true)
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(key, func(e *entry) bool { return e.owner != owner && !e.over() })
	list := s.entries[key]
	if len(list) >= most {
		list = list[1:]
	}
	s.entries[key] = append(slices.Clip(list), e)
	if s.recent = append(s.recent, key); len(s.recent) >= 2*sweepEvery {
		s.sweep()
	}
}

// sweep removes the entries of connections that were refused, of the older half
// of those inserted lately. Called with mu held.
func (s *shard) sweep() {
	for _, key := range s.recent[:sweepEvery] {
		s.keep(key, func(e *entry) bool { return !e.over() })
	}
	s.recent = append(s.recent[:0], s.recent[sweepEvery:]...)
}

// keep keeps the entries of a client identifier for which f is true. Called with
// mu held.
func (s *shard) keep(key mqtt.SessionKey, f func(*entry) bool) {
	old := s.entries[key]
	if !slices.ContainsFunc(old, func(e entry) bool { return !f(&e) }) {
		return
	}
	list := slices.DeleteFunc(slices.Clone(old), func(e entry) bool { return !f(&e) })
	if len(list) == 0 {
		delete(s.entries, key)
		return
	}
	s.entries[key] = list
}

// substitute replaces placeholders, which are whole levels.
func substitute(pattern string, key mqtt.SessionKey, username string) string {
	if !strings.Contains(pattern, "%") {
		return pattern
	}
	levels := strings.Split(pattern, "/")
	for i, l := range levels {
		value := ""
		switch l {
		case "%m":
			value = key.Mountpoint
		case "%c":
			value = key.ClientID
		case "%u":
			value = username
		default:
			continue
		}
		if strings.ContainsAny(value, "+#") {
			return "" // the name would be a wildcard
		}
		levels[i] = value
	}
	return strings.Join(levels, "/")
}

// Drop forgets a client whose connection or session has ended, but for what
// another connection of it inserted, which may have come before we are told.
func (c *Cache) Drop(key mqtt.SessionKey) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(key, func(e *entry) bool { return e.owner != nil && !e.over() })
}

// Len is the number of entries.
func (c *Cache) Len() (n int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		for _, list := range s.entries {
			n += len(list)
		}
		s.mu.RUnlock()
	}
	return n
}

// find returns the entry that is valid for a connection, the newest of the
// identifier for nil.
func (c *Cache) find(key mqtt.SessionKey, owner *hook.Client) (e entry, found bool) {
	if !c.used.Load() {
		return e, false
	}
	s := c.shard(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := s.entries[key]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].owner == owner || owner == nil || list[i].owner == nil {
			return list[i], true
		}
	}
	return e, false
}

// Publish looks a message of a connection up; nil is any connection of the
// client identifier. found = there is an entry; then rule is the first that
// permits the message, nil if none does.
func (c *Cache) Publish(key mqtt.SessionKey, owner *hook.Client, m *mqtt.Message) (rule *Rule, found bool) {
	e, found := c.find(key, owner)
	for i := range e.publish {
		r := &e.publish[i]
		if m.QoS <= r.MaxQoS && len(m.Payload) <= r.MaxPayload && !(m.Retain && r.NoRetain) && r.Pattern != "" && covers(r.Pattern, m.Topic) {
			return r, true
		}
	}
	return nil, found
}

// Subscribe looks one topic filter up, "$share/..." included.
func (c *Cache) Subscribe(key mqtt.SessionKey, owner *hook.Client, filter string, qos mqtt.QoS) (rule *Rule, found bool) {
	e, found := c.find(key, owner)
	_, plain, err := topic.Split(filter)
	if err != nil {
		return nil, found
	}
	for i := range e.subscribe {
		if r := &e.subscribe[i]; qos <= r.MaxQoS && r.Pattern != "" && covers(r.Pattern, plain) {
			return r, true
		}
	}
	return nil, found
}

// covers reports whether pattern permits filter: + covers any one level but
// #, and # covers the rest.
func covers(pattern, filter string) bool {
	for {
		p, restP, moreP := strings.Cut(pattern, "/")
		f, restF, moreF := strings.Cut(filter, "/")
		switch {
		case p == "#":
			return true
		case f == "#" || p != "+" && p != f:
			return false
		case !moreF:
			return !moreP || restP == "#"
		case !moreP:
			return false
		}
		pattern, filter = restP, restF
	}
}
