package scripttest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/scripting"
)

// Event is one call of a hook. Its fields are those of the hook's argument table
// (reference 2.4); what is not said has a plain default.
type Event struct {
	// Hook is the hook's name, with _m5 for clients of 5.0.
	Hook string
	// After is how much time passes before the call.
	After time.Duration
	args  map[string]any
	// connections are those of the run, nil = each event is about its own.
	connections connections
	// want is what must come back; nil = anything.
	want *expectation
}

// expectation is what an event says of its outcome.
type expectation struct {
	verdict   string
	modifiers map[string]any // nil = any
}

// outcome is what came of a call.
type outcome struct {
	verdict   string // ok, deny, next, called (of observing hooks) or error
	modifiers map[string]any
	err       string
}

// newEvent reads an event of its fields.
func newEvent(m map[string]any) (*Event, error) {
	e := &Event{args: m}
	var ok bool
	if e.Hook, ok = m["hook"].(string); !ok {
		return nil, fmt.Errorf(`the field "hook" is missing`)
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	switch v := m["after"].(type) {
	case nil:
	case float64:
		e.After = time.Duration(v * float64(time.Second))
	case string:
		d, err := time.ParseDuration(v)
		if err != nil {
			return nil, fmt.Errorf(`"after": %w`, err)
		}
		e.After = d
	default:
		return nil, fmt.Errorf(`"after": want seconds or a duration such as "10s", got %v`, v)
	}
	var err error
	e.want, err = expected(m["expect"])
	return e, err
}

// verdicts are what an event may expect.
var verdicts = []string{"ok", "deny", "next", "called", "error"}

func expected(want any) (*expectation, error) {
	x := &expectation{}
	switch want := want.(type) {
	case nil:
		return nil, nil
	case string:
		x.verdict = want
	case map[string]any:
		for name := range want {
			if name != "verdict" && name != "modifiers" {
				return nil, fmt.Errorf(`"expect": there is no field %q; it may have verdict and modifiers`, name)
			}
		}
		x.verdict, _ = want["verdict"].(string)
		x.modifiers, _ = want["modifiers"].(map[string]any)
	default:
		return nil, fmt.Errorf(`"expect": want a verdict or an object, got %v`, want)
	}
	if !slices.Contains(verdicts, x.verdict) {
		return nil, fmt.Errorf(`"expect": want a verdict, %s; got %q`, strings.Join(verdicts, ", "), x.verdict)
	}
	return x, nil
}

// call calls the hook of the scripts in h.
func (e *Event) call(h *scripting.Hooks) (out outcome, err error) {
	ctx := context.Background()
	var v hook.Verdict
	var mods any
	decided := true
	switch strings.TrimSuffix(e.Hook, "_m5") {
	case "auth_on_register":
		q := &hook.Register{Client: e.client(), CleanStart: e.truth("clean_session", e.truth("clean_start", true)), Properties: e.properties()}
		if p, ok := e.args["password"].(string); ok {
			q.Password = []byte(p)
		}
		v, mods = h.AuthOnRegister(ctx, q)
	case "auth_on_publish":
		v, mods = h.AuthOnPublish(ctx, e.publish())
	case "auth_on_subscribe":
		q := &hook.Subscribe{Client: e.client(), Properties: e.properties()}
		if q.Topics, err = e.topics(); err != nil {
			return out, err
		}
		v, mods = h.AuthOnSubscribe(ctx, q)
	case "on_deliver":
		m := e.message()
		v, mods = h.OnDeliver(ctx, &hook.Deliver{Client: e.client(), Message: m, QoS: m.QoS, Retain: m.Retain})
	case "on_unsubscribe":
		v, mods = h.OnUnsubscribe(ctx, &hook.Unsubscribe{Client: e.client(), Filters: e.filters(), Properties: e.properties()})
	case "on_auth":
		p := e.properties()
		v, mods = h.OnAuth(ctx, &hook.Auth{Client: e.client(), Method: p.AuthMethod, Data: p.AuthData})
	default:
		decided = false
		err = e.tell(h)
	}
	if err != nil {
		return out, err
	}
	out.verdict = "called"
	if decided {
		out.verdict = [...]string{"next", "ok", "deny"}[v.Decision]
		out.modifiers = modifiers(mods)
	}
	return out, nil
}

// tell calls an observing hook.
func (e *Event) tell(h *scripting.Hooks) error {
	c := e.client()
	switch strings.TrimSuffix(e.Hook, "_m5") {
	case "on_register":
		p := e.properties()
		h.OnRegister(c, &p)
	case "on_publish":
		h.OnPublish(e.publish())
	case "on_subscribe":
		list, err := e.topics()
		if err != nil {
			return err
		}
		h.OnSubscribe(&hook.Subscribe{Client: c, Topics: list, Properties: e.properties()})
	case "on_offline_message":
		m := e.message()
		h.OnOfflineMessage(c.Key, mqtt.Delivery{QoS: m.QoS, Retain: m.Retain}, m)
	case "on_client_wakeup":
		h.OnClientWakeup(c.Key)
	case "on_client_offline":
		h.OnClientOffline(c.Key)
	case "on_client_gone":
		h.OnClientGone(c.Key)
	case "on_session_expired":
		h.OnSessionExpired(c.Key)
	}
	return nil
}
