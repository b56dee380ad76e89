package auth

import (
	"errors"
	"strings"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/topic"
)

// access is what a rule permits.
type access uint8

const (
	read      access = 1 // subscribe
	write     access = 2 // publish
	readWrite        = read | write
)

// rule is one line. A pattern has variables: %m, %u and %c, as whole levels,
// stand for mountpoint, user name and client identifier of whoever asks.
type rule struct {
	filter  string
	access  access
	pattern bool
}

// rules are the content of an access control file:
//
//	# comment
//	topic [read|write|readwrite] FILTER      before any user: for everybody
//	user NAME
//	topic [read|write|readwrite] FILTER      for that user
//	pattern [read|write|readwrite] FILTER    for everybody, wherever it stands
//
// Words are separated by spaces or tabs, the last one ends with its line and
// may hold spaces, though not at its end. No verb permits both. A word that
// could be a verb is a filter when nothing follows.
//
// In Mosquitto the lines before the first user are for clients without a user
// name; here, as in VerneMQ, they are for everybody. Immutable.
type rules struct {
	everybody scope
	users     map[string]scope
}

// permit reports whether who has access to a valid topic name or filter.
func (r *rules) permit(filter string, want access, who *hook.Client) bool {
	if r.everybody.permit(filter, want, who) {
		return true
	}
	if !who.HasUser || len(r.users) == 0 {
		return false
	}
	s, known := r.users[who.Username]
	return known && s.permit(filter, want, who)
}

// parseRules reads an access control file. The error joins a *LineError for
// each bad line.
func parseRules(path, text string) (*rules, error) {
	everybody, users, err := readRules(path, text)
	if err != nil {
		return nil, err
	}
	r := &rules{everybody: newScope(everybody), users: make(map[string]scope, len(users))}
	for name, list := range users {
		r.users[name] = newScope(list)
	}
	return r, nil
}

func readRules(path, text string) (everybody []rule, users map[string][]rule, err error) {
	users = map[string][]rule{}
	var bad []error
	user, inUser := "", false
	for n, line := range lines(text) {
		word, rest := cutWord(line)
		var f *fault
		switch word {
		case "user":
			user, inUser = rest, true
			if rest == "" {
				f = &fault{"user without a name", "write user NAME; rules for everybody stand before the first user"}
			}
		case "topic", "pattern":
			var r rule
			if r, f = parseRule(rest, word == "pattern"); f == nil && inUser && !r.pattern {
				users[user] = append(users[user], r)
			} else if f == nil {
				everybody = append(everybody, r)
			}
		default:
			f = &fault{"unknown word " + word, "a line begins with topic, user, pattern or #"}
		}
		if f != nil {
			bad = append(bad, &LineError{path, n, line, f.problem, f.remedy})
		}
	}
	return everybody, users, errors.Join(bad...)
}

// parseRule reads what follows topic or pattern.
func parseRule(text string, pattern bool) (rule, *fault) {
	r := rule{filter: text, access: readWrite, pattern: pattern}
	if verb, rest := cutWord(text); rest != "" {
		switch verb {
		case "read":
			r.access, r.filter = read, rest
		case "write":
			r.access, r.filter = write, rest
		case "readwrite":
			r.filter = rest
		case "deny":
			return r, &fault{"deny does not exist", "rules only permit: remove the line, and permit less in the others"}
		}
	}
	if r.filter == "" {
		return r, &fault{"no topic filter", "write one behind it, such as a/b, a/+ or a/#"}
	}
	if strings.HasPrefix(r.filter, "$share/") {
		return r, &fault{"a share name in a rule", "write the filter alone; it permits shared subscriptions too"}
	}
	if err := topic.ValidateFilter(r.filter, 0); err != nil {
		remedy := "use + as a whole level and # as the whole last one"
		if strings.Contains(r.filter, " #") || strings.Contains(r.filter, "\t#") {
			remedy = "a comment needs a line of its own"
		}
		return r, &fault{"not a topic filter", remedy}
	}
	if pattern {
		return r, checkVariables(r.filter)
	}
	return r, nil
}

// checkVariables finds variables that are not a whole level, where they would
// silently stand for themselves.
func checkVariables(filter string) *fault {
	for level := range strings.SplitSeq(filter, "/") {
		for _, v := range variables {
			if level != v && strings.Contains(level, v) {
				return &fault{v + " is not a whole level", "give it a level of its own, or write topic if it is meant as it stands"}
			}
		}
	}
	return nil
}

// cutWord cuts the first word off; rest is without the space around it.
func cutWord(s string) (word, rest string) {
	s = strings.Trim(s, " \t")
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}
