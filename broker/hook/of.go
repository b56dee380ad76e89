package hook

// Of returns the names of the hooks that h implements, in the order of Points.
func Of(h any) (names []string) {
	for _, p := range Points {
		if implements[p.Name](h) {
			names = append(names, p.Name)
		}
	}
	return names
}

func is[T any](h any) bool {
	_, ok := h.(T)
	return ok
}

// implements holds one test per catalogue entry.
var implements = map[string]func(any) bool{
	"on_auth":               is[OnAuth],
	"auth_on_register":      is[AuthOnRegister],
	"on_register":           is[OnRegister],
	"auth_on_publish":       is[AuthOnPublish],
	"on_publish":            is[OnPublish],
	"auth_on_subscribe":     is[AuthOnSubscribe],
	"on_subscribe":          is[OnSubscribe],
	"on_unsubscribe":        is[OnUnsubscribe],
	"on_topic_unsubscribed": is[OnTopicUnsubscribed],
	"on_deliver":            is[OnDeliver],
	"on_offline_message":    is[OnOfflineMessage],
	"on_client_wakeup":      is[OnClientWakeup],
	"on_client_offline":     is[OnClientOffline],
	"on_client_gone":        is[OnClientGone],
	"on_session_expired":    is[OnSessionExpired],
	"on_message_drop":       is[OnMessageDrop],
	"change_config":         is[OnConfigChange],
}
