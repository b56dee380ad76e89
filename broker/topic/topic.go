package topic

import (
	"strings"
	"unicode/utf8"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// MaxLength is the longest topic name or filter in bytes.
//
// Spec: MQTT 5.0 §1.5.4.
const MaxLength = 65535

// ValidateName checks a topic name of a PUBLISH: not empty, no wildcards, no
// U+0000, valid UTF-8, at most maxDepth levels (0 = no limit). The error is a
// *mqtt.Error with TopicNameInvalid.
//
// Spec: MQTT 5.0 §3.3.2.1, §4.7.
func ValidateName(name string, maxDepth int) error {
	const op = "topic: name"
	if name == "" {
		return mqtt.Errorf(op, mqtt.TopicNameInvalid, "is empty")
	}
	if len(name) > MaxLength {
		return mqtt.Errorf(op, mqtt.TopicNameInvalid, "has %d bytes, the limit is %d", len(name), MaxLength)
	}
	depth := 1
	ascii := true
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '/':
			depth++
		case c == '+' || c == '#':
			return mqtt.Errorf(op, mqtt.TopicNameInvalid, "%q contains the wildcard %q", name, c)
		case c == 0:
			return mqtt.Errorf(op, mqtt.TopicNameInvalid, "%q contains U+0000", name)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if !ascii && !utf8.ValidString(name) {
		return mqtt.Errorf(op, mqtt.TopicNameInvalid, "%q is not UTF-8", name)
	}
	if maxDepth > 0 && depth > maxDepth {
		return mqtt.Errorf(op, mqtt.TopicNameInvalid, "%q has %d levels, topic_max_depth is %d", name, depth, maxDepth)
	}
	return nil
}

// ValidateFilter checks a topic filter: "#" only as the whole last level, "+"
// only as a whole level, otherwise as ValidateName. filter must not carry a
// share prefix (Split removes it). The error is a *mqtt.Error with
// TopicFilterInvalid.
//
// Spec: MQTT 5.0 §4.7.1.
func ValidateFilter(filter string, maxDepth int) error {
	const op = "topic: filter"
	if filter == "" {
		return mqtt.Errorf(op, mqtt.TopicFilterInvalid, "is empty")
	}
	if len(filter) > MaxLength {
		return mqtt.Errorf(op, mqtt.TopicFilterInvalid, "has %d bytes, the limit is %d", len(filter), MaxLength)
	}
	if strings.IndexByte(filter, 0) >= 0 || !utf8.ValidString(filter) {
		return mqtt.Errorf(op, mqtt.TopicFilterInvalid, "%q is not UTF-8 without U+0000", filter)
	}
	depth := 0
	for rest, more := filter, true; more; {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		depth++
		if len(level) > 1 && strings.ContainsAny(level, "+#") {
			return mqtt.Errorf(op, mqtt.TopicFilterInvalid, "%q has a wildcard that is not a whole level", filter)
		}
		if level == "#" && more {
			return mqtt.Errorf(op, mqtt.TopicFilterInvalid, "%q has a level behind #", filter)
		}
	}
	if maxDepth > 0 && depth > maxDepth {
		return mqtt.Errorf(op, mqtt.TopicFilterInvalid, "%q has %d levels, topic_max_depth is %d", filter, depth, maxDepth)
	}
	return nil
}

// Match is the reference matcher: it reports whether the valid filter matches
// the valid topic name. Wildcards in the first level do not match names that
// begin with "$". Simple and slow on purpose; subtrie is tested against it.
//
// Spec: MQTT 5.0 §4.7.2, §4.7.3.
func Match(filter, name string) bool {
	if name != "" && name[0] == '$' && filter != "" && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	fl, nl := strings.Split(filter, "/"), strings.Split(name, "/")
	for i, f := range fl {
		if f == "#" {
			return true // also the parent level itself: a/# matches a
		}
		if i >= len(nl) || (f != "+" && f != nl[i]) {
			return false
		}
	}
	return len(fl) == len(nl)
}

// HasWildcard reports whether a filter contains "+" or "#".
func HasWildcard(filter string) bool { return strings.ContainsAny(filter, "+#") }
