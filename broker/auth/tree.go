package auth

import (
	"slices"
	"strings"

	"github.com/lunemq/lunemq/broker/hook"
)

// scope are the rules for one user or for everybody, compiled for matching.
// Wildcards and variables at the first level do not match "$", so rules that
// begin with "$" and those that do not can live apart. Mosquitto and the
// standard agree: "#" does not open $SYS, which takes "$SYS/#".
//
// Spec: MQTT 5.0 §4.7.2.
type scope struct {
	plain, dollar node
}

func newScope(list []rule) scope {
	var plain, dollar []rule
	for _, r := range list {
		if r.filter[0] == '$' {
			dollar = append(dollar, r)
		} else {
			plain = append(plain, r)
		}
	}
	return scope{newNode(plain), newNode(dollar)}
}

// permit reports whether a rule covers a topic name or filter.
func (s *scope) permit(filter string, want access, who *hook.Client) bool {
	if filter != "" && filter[0] == '$' {
		return s.dollar.permit(filter, true, want, who)
	}
	return s.plain.permit(filter, true, want, who)
}

// node are the rules that agree on the levels so far. Few are a list; many
// are sorted by their next level, so that the rules tried are about those that
// match, not all there are.
type node struct {
	end   access // of filters that end before this level
	under access // of filters that go on with #
	list  []rule // with the levels left
	kids  *kids
}

// kids are the nodes behind each next level.
type kids struct {
	literal  map[string]*node
	plus     *node
	variable [len(variables)]*node
}

// longList is how many rules are tried one by one.
const longList = 8

func newNode(list []rule) node {
	var n node
	left := make([]rule, 0, len(list))
	for _, r := range list {
		if r.filter == "#" {
			n.under |= r.access
		} else {
			left = append(left, r)
		}
	}
	switch {
	case len(left) == 0 || n.under == readWrite:
	case len(left) <= longList:
		n.list = slices.Clip(left)
	default:
		n.kids = newKids(left)
	}
	return n
}

func newKids(list []rule) *kids {
	type group struct {
		at   *node
		end  access
		rest []rule
	}
	groups := map[**node]*group{}
	byLevel := map[string]*group{}
	k := &kids{literal: map[string]*node{}}
	for _, r := range list {
		level, rest, more := strings.Cut(r.filter, "/")
		var g *group
		slot := k.slot(level, r.pattern)
		if slot != nil {
			g = groups[slot]
		} else {
			g = byLevel[level]
		}
		if g == nil {
			g = &group{at: new(node)}
			if slot != nil {
				*slot, groups[slot] = g.at, g
			} else {
				k.literal[level], byLevel[level] = g.at, g
			}
		}
		if more {
			g.rest = append(g.rest, rule{rest, r.access, r.pattern})
		} else {
			g.end |= r.access
		}
	}
	for _, g := range groups {
		*g.at = newNode(g.rest)
		g.at.end = g.end
	}
	for _, g := range byLevel {
		*g.at = newNode(g.rest)
		g.at.end = g.end
	}
	return k
}

// slot returns the place of a level that is no literal, else nil.
func (k *kids) slot(level string, pattern bool) **node {
	if level == "+" {
		return &k.plus
	}
	if i := slices.Index(variables[:], level); pattern && i >= 0 {
		return &k.variable[i]
	}
	return nil
}

// permit reports whether a rule of n covers the levels that are left; more is
// false when none are. The level # of a requested filter is covered by # only.
func (n *node) permit(left string, more bool, want access, who *hook.Client) bool {
	if n.under&want != 0 {
		return true
	}
	if !more {
		return n.end&want != 0
	}
	for i := range n.list {
		if r := &n.list[i]; r.access&want != 0 && r.covers(left, who) {
			return true
		}
	}
	if n.kids == nil {
		return false
	}
	level, left, more := strings.Cut(left, "/")
	if kid := n.kids.literal[level]; kid != nil && kid.permit(left, more, want, who) {
		return true
	}
	if kid := n.kids.plus; kid != nil && level != "#" && kid.permit(left, more, want, who) {
		return true
	}
	for i, kid := range n.kids.variable {
		if kid != nil && stands(variables[i], level, who) && kid.permit(left, more, want, who) {
			return true
		}
	}
	return false
}

// covers reports whether everything that left can match is matched by r.
func (r *rule) covers(left string, who *hook.Client) bool {
	filter := r.filter
	for {
		mine, myRest, iHaveMore := strings.Cut(filter, "/")
		if mine == "#" {
			return true
		}
		level, rest, more := strings.Cut(left, "/")
		switch {
		case mine == "+":
			if level == "#" {
				return false
			}
		case r.pattern && len(mine) == 2 && mine[0] == '%' && slices.Contains(variables[:], mine):
			if !stands(mine, level, who) {
				return false
			}
		case mine != level:
			return false
		}
		if !iHaveMore || !more {
			return !more && (!iHaveMore || myRest == "#")
		}
		filter, left = myRest, rest
	}
}

// variables of patterns.
var variables = [...]string{"%m", "%u", "%c"}

// stands reports whether a variable stands for level. A value counts as one
// level of plain text whatever is in it: one with a / equals no level, and one
// that is a wildcard does not equal that wildcard in a requested filter, so no
// client can widen its permission by the name it gives itself. Without a user
// name %u stands for nothing.
func stands(variable, level string, who *hook.Client) bool {
	if level == "+" || level == "#" {
		return false
	}
	switch variable {
	case "%m":
		return level == who.Key.Mountpoint
	case "%u":
		return who.HasUser && level == who.Username
	default:
		return level == who.Key.ClientID
	}
}
