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

// entry is the rules of one client. Its rules are immutable.
type entry struct {
	publish, subscribe []Rule
	// fresh is when the entry was inserted for a connection that has not got
	// its session yet; zero once it has. The end of the connection before, by
	// takeover, comes in between and must not take the new entry away.
	fresh time.Time
}

// stale is how long an entry may wait for its connection, and sweepEvery how
// many inserts lie between two looks for those that waited in vain.
const (
	stale      = time.Minute
	sweepEvery = 256
)

const shards = 64

type shard struct {
	mu      sync.RWMutex
	entries map[mqtt.SessionKey]*entry
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
		c.shards[i].entries = map[mqtt.SessionKey]*entry{}
	}
	return c
}

func (c *Cache) shard(key mqtt.SessionKey) *shard {
	return &c.shards[maphash.Comparable(c.seed, key)%shards]
}

// Insert replaces the entry of a client that is about to connect, at now. The
// rules are copied, with the placeholders of their patterns replaced.
func (c *Cache) Insert(now time.Time, key mqtt.SessionKey, username string, publish, subscribe []Rule) {
	fill := func(rules []Rule) []Rule {
		rules = slices.Clone(rules)
		for i := range rules {
			rules[i].Pattern = substitute(rules[i].Pattern, key, username)
		}
		return rules
	}
	e := &entry{fill(publish), fill(subscribe), now}
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[key] = e
	if s.inserts++; s.inserts%sweepEvery == 0 {
		for k, e := range s.entries {
			if !e.fresh.IsZero() && now.Sub(e.fresh) > stale {
				delete(s.entries, k)
			}
		}
	}
}

// Connected says that a client has got its session.
func (c *Cache) Connected(key mqtt.SessionKey) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil {
		s.entries[key] = &entry{publish: e.publish, subscribe: e.subscribe}
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

// Drop forgets a client whose connection or session has ended.
func (c *Cache) Drop(key mqtt.SessionKey) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil && e.fresh.IsZero() {
		delete(s.entries, key)
	}
}

// Len is the number of entries.
func (c *Cache) Len() (n int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += len(s.entries)
		s.mu.RUnlock()
	}
	return n
}

func (c *Cache) entry(key mqtt.SessionKey) *entry {
	s := c.shard(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.entries[key]
}

// Publish looks a message up. found = the client has an entry; then rule is
// the first that permits the message, nil if none does.
func (c *Cache) Publish(key mqtt.SessionKey, m *mqtt.Message) (rule *Rule, found bool) {
	e := c.entry(key)
	if e == nil {
		return nil, false
	}
	for i := range e.publish {
		r := &e.publish[i]
		if m.QoS <= r.MaxQoS && len(m.Payload) <= r.MaxPayload && !(m.Retain && r.NoRetain) && r.Pattern != "" && covers(r.Pattern, m.Topic) {
			return r, true
		}
	}
	return nil, true
}

// Subscribe looks one topic filter up, "$share/..." included.
func (c *Cache) Subscribe(key mqtt.SessionKey, filter string, qos mqtt.QoS) (rule *Rule, found bool) {
	e := c.entry(key)
	if e == nil {
		return nil, false
	}
	_, plain, err := topic.Split(filter)
	if err != nil {
		return nil, true
	}
	for i := range e.subscribe {
		if r := &e.subscribe[i]; qos <= r.MaxQoS && r.Pattern != "" && covers(r.Pattern, plain) {
			return r, true
		}
	}
	return nil, true
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
