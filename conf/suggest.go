package conf

import (
	"slices"
	"strings"
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
		return pattern, distance(pattern, strings.ToLower(key))
	}
	if len(parts) != len(names) {
		return pattern, len(key)
	}
	for i, part := range parts {
		if isWild(part) {
			parts[i] = names[i]
			continue
		}
		cost += distance(part, strings.ToLower(names[i]))
	}
	return strings.Join(parts, "."), cost
}

// isWild reports whether a part of a pattern stands for any name.
func isWild(part string) bool { return part != "" && part[0] >= 'A' && part[0] <= 'Z' }

// distance is the number of bytes to insert, delete, replace or swap with
// their neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
