package hook

import (
	"context"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Flavour says how the answers of several plugins make one.
type Flavour uint8

// Flavours of reference 1.3.
const (
	All       Flavour = iota // everyone is called, answers are ignored
	AllTillOK                // in order until one decides
	Only                     // the first plugin that has it
)

// Point is one catalogue entry: a hook by the names plugins and operators use.
type Point struct {
	Name    string // VerneMQ's, without _m5
	V5      bool   // has a variant with the suffix _m5
	Flavour Flavour
	Doc     string
}

// Points is the catalogue, in the order of a connection's life.
var Points = []Point{
	{"on_auth", true, AllTillOK, "one step of enhanced authentication (5.0 only, on_auth_m5)"},
	{"auth_on_register", true, AllTillOK, "may this client connect"},
	{"on_register", true, All, "a client has connected"},
	{"auth_on_publish", true, AllTillOK, "may this client publish this message, and how"},
	{"on_publish", true, All, "a message was routed"},
	{"auth_on_subscribe", true, AllTillOK, "may this client subscribe to these filters, and how"},
	{"on_subscribe", true, All, "subscriptions were made"},
	{"on_unsubscribe", true, AllTillOK, "filters are about to be unsubscribed; cannot be vetoed"},
	{"on_topic_unsubscribed", false, All, "subscriptions are gone"},
	{"on_deliver", true, AllTillOK, "a message is about to be sent to a client; may be rewritten or dropped"},
	{"on_offline_message", false, All, "a message was put into an offline queue"},
	{"on_client_wakeup", false, All, "a connection was attached to a session"},
	{"on_client_offline", false, All, "a session lost its connection and stays"},
	{"on_client_gone", false, All, "a session ended with its connection"},
	{"on_session_expired", false, All, "an offline session was removed after its expiry"},
	{"on_message_drop", false, All, "a message was dropped, with the reason"},
	{"change_config", false, All, "configuration was changed at run time"},
}

// The interfaces a plugin may implement, one per point. Deciding ones may
// block until ctx ends; arguments must not be kept or changed.
type (
	// AuthOnRegister decides whether a client may connect.
	AuthOnRegister interface {
		AuthOnRegister(ctx context.Context, r *Register) (Verdict, *RegisterResult)
	}
	// AuthOnPublish decides whether a message may be published.
	AuthOnPublish interface {
		AuthOnPublish(ctx context.Context, p *Publish) (Verdict, *PublishResult)
	}
	// AuthOnSubscribe decides whether filters may be subscribed to.
	AuthOnSubscribe interface {
		AuthOnSubscribe(ctx context.Context, s *Subscribe) (Verdict, *SubscribeResult)
	}
	// OnAuth decides one step of enhanced authentication.
	OnAuth interface {
		OnAuth(ctx context.Context, a *Auth) (Verdict, *AuthResult)
	}
	// OnDeliver may rewrite a delivery; Deny drops it, except a QoS 2 message
	// that was in flight when the broker was restarted. One client's are asked
	// about one at a time, in order; if it may wait, only that client does.
	OnDeliver interface {
		OnDeliver(ctx context.Context, d *Deliver) (Verdict, *DeliverResult)
	}
	// OnUnsubscribe may replace the filters to unsubscribe; Deny is ignored.
	OnUnsubscribe interface {
		OnUnsubscribe(ctx context.Context, u *Unsubscribe) (Verdict, []string)
	}
	// OnRegister observes a connection; props are those of CONNECT.
	OnRegister interface {
		OnRegister(c *Client, props *Properties)
	}
	// OnPublish observes a routed message, rewritten values included.
	OnPublish interface{ OnPublish(p *Publish) }
	// OnSubscribe observes granted subscriptions.
	OnSubscribe interface{ OnSubscribe(s *Subscribe) }
	// OnTopicUnsubscribed observes removed filters; nil = all of the session.
	OnTopicUnsubscribed interface {
		OnTopicUnsubscribed(key mqtt.SessionKey, filters []string)
	}
	// OnOfflineMessage observes a message put into an offline queue.
	OnOfflineMessage interface {
		OnOfflineMessage(key mqtt.SessionKey, d mqtt.Delivery, m *mqtt.Message)
	}
	// OnClientWakeup observes a connection being attached to a session.
	OnClientWakeup interface{ OnClientWakeup(key mqtt.SessionKey) }
	// OnClientOffline observes a session that lost its connection and stays.
	OnClientOffline interface{ OnClientOffline(key mqtt.SessionKey) }
	// OnClientGone observes a session that ended with its connection.
	OnClientGone interface{ OnClientGone(key mqtt.SessionKey) }
	// OnSessionExpired observes a session removed after its expiry.
	OnSessionExpired interface{ OnSessionExpired(key mqtt.SessionKey) }
	// OnMessageDrop observes a drop.
	OnMessageDrop interface{ OnMessageDrop(d *Drop) }
	// OnConfigChange observes a run-time change of configuration keys.
	OnConfigChange interface {
		OnConfigChange(changed map[string]string)
	}
)

// Plugin is a named set of hooks.
type Plugin struct {
	Name  string // "acl", "passwd", "lua", ...
	Hooks any    // implements any of the interfaces above
	// Has narrows Hooks to some points by their names; nil = all it implements.
	Has func(point string) bool
	// Blocks says which deciding hooks may wait (database, HTTP): the caller
	// then calls the chain outside its loop. nil = none. Both are asked when
	// the chain is made; a plugin whose answers change wants a new chain.
	Blocks func(point string) bool
	// Large is the payload, in bytes, from which the hooks of a message may take
	// long and are called outside the loop too; 0 = none.
	Large int
}

// has reports whether the plugin takes part at a point.
func (p *Plugin) has(point string) bool { return p.Has == nil || p.Has(point) }

// Points returns the names of the plugin's hooks, in the order of the
// catalogue.
func (p *Plugin) Points() (names []string) {
	for _, n := range Of(p.Hooks) {
		if p.has(n) {
			names = append(names, n)
		}
	}
	return names
}
