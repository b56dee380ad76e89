package scripting

import (
	"strings"

	"github.com/lunemq/lunemq/broker/hook"
)

// slot is a hook by the name a script gives it: v5 variants are hooks of their
// own.
type slot uint8

// The slots; m5 is added for the variant of 5.0.
const (
	authOnRegister slot = 2 * iota
	onRegister
	authOnPublish
	onPublish
	authOnSubscribe
	onSubscribe
	onUnsubscribe
	onDeliver
	onAuth
	onOfflineMessage
	onClientWakeup
	onClientOffline
	onClientGone
	onSessionExpired
	slots int  = iota * 2
	m5    slot = 1
)

// pointNames are the slots' hook points, by slot/2.
var pointNames = [slots / 2]string{
	"auth_on_register", "on_register", "auth_on_publish", "on_publish", "auth_on_subscribe", "on_subscribe", "on_unsubscribe",
	"on_deliver", "on_auth", "on_offline_message", "on_client_wakeup", "on_client_offline", "on_client_gone", "on_session_expired",
}

// name is what a script calls the slot.
func (s slot) name() string {
	if s&m5 != 0 {
		return pointNames[s/2] + "_m5"
	}
	return pointNames[s/2]
}

// decides reports whether a failure of the slot's hook refuses something.
func (s slot) decides() bool {
	return strings.HasPrefix(pointNames[s/2], "auth_") || s&^m5 == onAuth
}

// answers reports whether what the slot's hook returns has a meaning.
func (s slot) answers() bool {
	return s.decides() || s&^m5 == onUnsubscribe || s&^m5 == onDeliver
}

// slotsByName holds the names that exist.
var slotsByName = func() map[string]slot {
	v5 := map[string]bool{}
	for _, p := range hook.Points {
		v5[p.Name] = p.V5
	}
	all := map[string]slot{}
	for i, name := range pointNames {
		if s := slot(2 * i); s != onAuth { // 5.0 only
			all[name] = s
		}
		if v5[name] {
			all[name+"_m5"] = slot(2*i) + m5
		}
	}
	return all
}()

// slotOf returns the variant for a client.
func slotOf(s slot, c *hook.Client) slot {
	if c.Version == 5 {
		return s + m5
	}
	return s
}
