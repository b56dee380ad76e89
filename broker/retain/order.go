package retain

import "strings"

// compare orders topic names level by level, a name before those below it: as
// bytes, with "/" before all others.
func compare(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i+8 <= n && a[i:i+8] == b[i:i+8] {
		i += 8
	}
	for ; i < n; i++ {
		switch x, y := a[i], b[i]; {
		case x == y:
		case x == '/':
			return -1
		case y == '/' || x > y:
			return 1
		default:
			return -1
		}
	}
	return len(a) - len(b)
}

// bound is a place between topic names.
type bound struct {
	head, tail string // a topic name is head + tail; with a tail, head is empty or ends in "/"
	side       side
}

type side uint8

const (
	at     side = iota // before the name
	after              // behind the name
	behind             // behind the name and all that is below it; no tail
)

// passes reports whether the name lies before the bound.
func (b bound) passes(name string) bool {
	var c int
	if b.tail == "" {
		c = compare(name, b.head)
	} else if strings.HasPrefix(name, b.head) {
		c = compare(name[len(b.head):], b.tail)
	} else {
		c = compare(name, b.head)
	}
	switch b.side {
	case at:
		return c < 0
	case after:
		return c <= 0
	}
	return c <= 0 || strings.HasPrefix(name, b.head) && name[len(b.head)] == '/'
}

func firstLevel(s string) string {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[:i]
	}
	return s
}

// literal returns the levels that filter begins with before its first wildcard.
func literal(filter string) string {
	i := strings.IndexAny(filter, "+#")
	if i < 0 {
		return filter
	}
	return filter[:max(i-1, 0)]
}

// start is the bound before all names that may match a filter.
func start(filter string) bound { return bound{tail: literal(filter)} }

// step is what a filter makes of a topic name.
type step uint8

const (
	matches step = iota
	next         // does not match; the next name may
	jump         // no match before the bound
	done         // no match from here on
)

// judge matches a name and says where the next match may be.
//
// The name's levels are compared up to the first one that differs. One that is
// too small is replaced by what the filter has in its place. One that is too
// large means that nothing more matches under the level the last "+" stands
// for, or at all when there is none.
//
// Spec: MQTT 5.0 §4.7.1.2, §4.7.1.3, §4.7.2 [MQTT-4.7.2-1].
func judge(filter, name string) (step, bound) {
	if strings.HasPrefix(name, "$") && (filter[0] == '+' || filter[0] == '#') {
		return jump, bound{head: "%"} // the byte behind "$"
	}
	plus := -1 // where in name the level of the last "+" ends
	f, n := 0, 0
	for f <= len(filter) {
		want := firstLevel(filter[f:])
		if want == "#" {
			return matches, bound{}
		}
		if n > len(name) {
			return next, bound{}
		}
		have := firstLevel(name[n:])
		if want == "+" {
			plus = n + len(have)
		} else if c := strings.Compare(have, want); c < 0 {
			return jump, bound{head: name[:n], tail: literal(filter[f:])}
		} else if c > 0 {
			return leave(name, plus)
		}
		f += len(want) + 1
		n += len(have) + 1
	}
	if n > len(name) {
		return matches, bound{}
	}
	return leave(name, plus)
}

func leave(name string, plus int) (step, bound) {
	if plus < 0 {
		return done, bound{}
	}
	return jump, bound{head: name[:plus], side: behind}
}
