package topic

import (
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
)

const sharePrefix = "$share/"

// Split takes "$share/{ShareName}/{filter}" apart. An ordinary filter comes
// back with an empty share name. A share name that is empty or contains a
// wildcard, or a missing filter, is a *mqtt.Error with TopicFilterInvalid. The
// filter itself is not checked.
//
// Spec: MQTT 5.0 §4.8.2.
func Split(s string) (share, filter string, err error) {
	if !strings.HasPrefix(s, sharePrefix) {
		if s == "$share" {
			return "", "", mqtt.Errorf("topic: share", mqtt.TopicFilterInvalid, "%q has no share name", s)
		}
		return "", s, nil
	}
	share, filter, ok := strings.Cut(s[len(sharePrefix):], "/")
	if !ok || filter == "" {
		return "", "", mqtt.Errorf("topic: share", mqtt.TopicFilterInvalid, "%q has no topic filter", s)
	}
	if share == "" || strings.ContainsAny(share, "+#") {
		return "", "", mqtt.Errorf("topic: share", mqtt.TopicFilterInvalid, "%q has an invalid share name", s)
	}
	return share, filter, nil
}

// Join is the opposite of Split.
func Join(share, filter string) string {
	if share == "" {
		return filter
	}
	return sharePrefix + share + "/" + filter
}
