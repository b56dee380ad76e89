package conf

import (
	"slices"
	"strings"

	"github.com/lunemq/lunemq/conf/value"
)

// nearest returns the valid key nearest to an unknown one, or "" when none is
// near. A pattern's wildcards match the names that were written.
func (s *Schema) nearest(key string) string {
	if native := nativeKey(key); native != "" {
		key = native
	}
	// An option that this kind of listener lacks, but others have.
	if parent, option := cutLast(key); strings.Contains(parent, ".") {
		wider, _ := cutLast(parent)
		if hits := s.find(join(wider, option)); len(hits) > 0 && !hits[0].bare {
			return join(wider, option)
		}
	}
	best, bestCost := "", 1+max(2, len(key)/5)
	try := func(pattern string) {
		concrete, cost := nearPattern(pattern, key)
		if cost < bestCost && concrete != key {
			best, bestCost = concrete, cost
		}
	}
	for _, k := range s.keys {
		for _, pattern := range slices.Concat([]string{k.Pattern}, k.Inherited, k.Aliases) {
			try(pattern)
		}
	}
	if best == "" {
		best = s.longer(key)
	}
	return best
}

// longer returns the shortest valid key that consists of an unknown one and
// more, best with all of it at the end: max_connections is a part of
// listener.max_connections, max_inflight of max_inflight_messages.
func (s *Schema) longer(key string) (best string) {
	if len(key) < 5 {
		return ""
	}
	suffix := false
	for _, k := range s.keys {
		for _, pattern := range slices.Concat([]string{k.Pattern}, k.Inherited) {
			if strings.ToLower(pattern) != pattern {
				continue
			}
			ends := strings.HasSuffix(pattern, "."+key)
			rest, begins := strings.CutPrefix(pattern, key)
			begins = begins && rest != "" && (rest[0] == '_' || rest[0] == '.')
			if ends && !suffix || (ends || begins && !suffix) && (best == "" || len(pattern) < len(best)) {
				best, suffix = pattern, suffix || ends
			}
		}
	}
	return best
}

// nearPattern puts the names of key in place of the wildcards of pattern and
// returns the result's distance from key.
func nearPattern(pattern, key string) (concrete string, cost int) {
	parts, names := strings.Split(pattern, "."), strings.Split(key, ".")
	if pattern == strings.ToLower(pattern) {
		return pattern, value.Distance(pattern, strings.ToLower(key))
	}
	if len(parts) != len(names) {
		return pattern, len(key)
	}
	for i, part := range parts {
		if isWild(part) {
			parts[i] = names[i]
			continue
		}
		cost += value.Distance(part, strings.ToLower(names[i]))
	}
	return strings.Join(parts, "."), cost
}

// isWild reports whether a part of a pattern stands for any name.
func isWild(part string) bool { return part != "" && part[0] >= 'A' && part[0] <= 'Z' }
