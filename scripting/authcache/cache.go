package authcache

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

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

// entry is the rules of one connection. Its rules are immutable.
type entry struct {
	// owner is the connection whose registration inserted the entry: it is valid
	// for that one only. A refused or overtaken CONNECT neither gives its rules to
	// others with the client identifier nor takes theirs. nil = inserted by
	// another hook, for whoever has the identifier.
	owner              *hook.Client
	publish, subscribe []Rule
	inserted           time.Time
	connected          bool // the owner has got its session
}

// stale is how long an entry may wait for its connection, and sweepEvery how
// many inserts lie between two looks for those that waited in vain. mostWaiting
// bounds the entries of one client identifier.
const (
	stale       = time.Minute
	sweepEvery  = 256
	mostWaiting = 8
)

const shards = 64

type shard struct {
	mu      sync.RWMutex
	entries map[mqtt.SessionKey][]entry // newest last
	inserts int
}

// Cache holds the entries. Safe for concurrent use; its locks are leaves.
type Cache struct {
	seed   maphash.Seed
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

// Insert replaces the entry of owner, a connection that asks to be registered,
// at now; nil stands for whoever has the client identifier. The rules are copied,
// with the placeholders of their patterns replaced.
func (c *Cache) Insert(now time.Time, owner *hook.Client, key mqtt.SessionKey, username string, publish, subscribe []Rule) {
	fill := func(rules []Rule) []Rule {
		rules = slices.Clone(rules)
		for i := range rules {
			rules[i].Pattern = substitute(rules[i].Pattern, key, username)
		}
		return rules
	}
	e := entry{owner: owner, publish: fill(publish), subscribe: fill(subscribe), inserted: now}
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.entries[key]
	if i := slices.IndexFunc(list, func(e entry) bool { return e.owner == owner }); i >= 0 {
		e.connected = list[i].connected
		list = slices.Delete(slices.Clone(list), i, i+1)
	} else if len(list) >= mostWaiting { // many CONNECTs at a time, all refused
		list = slices.DeleteFunc(slices.Clone(list), func(e entry) bool { return !e.stays() })
	}
	s.entries[key] = append(slices.Clip(list), e)
	if s.inserts++; s.inserts%sweepEvery == 0 {
		for k := range s.entries {
			s.keep(k, func(e *entry) bool { return e.stays() || now.Sub(e.inserted) <= stale })
		}
	}
}

// stays reports whether only the end of its connection or session ends an entry.
func (e *entry) stays() bool { return e.connected || e.owner == nil }

// keep keeps the entries of a client identifier for which f is true. Called with
// mu held.
func (s *shard) keep(key mqtt.SessionKey, f func(*entry) bool) {
	list := slices.DeleteFunc(slices.Clone(s.entries[key]), func(e entry) bool { return !f(&e) })
	if len(list) == 0 {
		delete(s.entries, key)
		return
	}
	s.entries[key] = list
}

// Connected says that a client has got its session.
func (c *Cache) Connected(owner *hook.Client) {
	s := c.shard(owner.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.entries[owner.Key])
	for i := range list {
		if list[i].owner == owner {
			list[i].connected = true
			s.entries[owner.Key] = list
		}
	}
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

// Drop forgets a client whose connection or session has ended. What waits for
// the next connection stays.
func (c *Cache) Drop(key mqtt.SessionKey) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(key, func(e *entry) bool { return !e.stays() })
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
