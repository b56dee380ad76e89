package scripttest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/topic"
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
	if after, has := m["after"]; has {
		switch v := after.(type) {
		case float64:
			e.After = time.Duration(v * float64(time.Second))
		case string:
			d, err := time.ParseDuration(v)
			if err != nil {
				return nil, fmt.Errorf(`"after": %w`, err)
			}
			e.After = d
		}
	}
	switch want := m["expect"].(type) {
	case nil:
	case string:
		e.want = &expectation{verdict: want}
	case map[string]any:
		e.want = &expectation{}
		e.want.verdict, _ = want["verdict"].(string)
		e.want.modifiers, _ = want["modifiers"].(map[string]any)
	default:
		return nil, fmt.Errorf(`"expect": want a verdict or an object, got %v`, want)
	}
	return e, nil
}

func (e *Event) text(key, def string) string {
	if v, ok := e.args[key].(string); ok {
		return v
	}
	return def
}

func (e *Event) number(key string) int {
	v, _ := e.args[key].(float64)
	return int(v)
}

func (e *Event) truth(key string, def bool) bool {
	if v, ok := e.args[key].(bool); ok {
		return v
	}
	return def
}

func (e *Event) v5() bool { return strings.HasSuffix(e.Hook, "_m5") }

func (e *Event) client() *hook.Client {
	c := &hook.Client{Key: mqtt.SessionKey{Mountpoint: e.text("mountpoint", ""), ClientID: e.text("client_id", "test-client")}, Version: mqtt.V311}
	if e.v5() {
		c.Version = mqtt.V5
	}
	c.Username, c.HasUser = e.text("username", ""), e.args["username"] != nil
	addr, err := netip.ParseAddr(e.text("addr", "127.0.0.1"))
	if err == nil {
		c.Peer = netip.AddrPortFrom(addr, uint16(e.number("port")))
	}
	return c
}

func (e *Event) message() *mqtt.Message {
	m := &mqtt.Message{Topic: e.text("topic", "test/topic"), Payload: []byte(e.text("payload", "")), QoS: mqtt.QoS(e.number("qos")), Retain: e.truth("retain", false)}
	props, _ := e.args["properties"].(map[string]any)
	var p packet.MessageProperties
	str := func(key string) (string, bool) { s, ok := props[key].(string); return s, ok }
	p.ContentType, p.HasContentType = str("p_content_type")
	p.ResponseTopic, p.HasResponseTopic = str("p_response_topic")
	data, has := str("p_correlation_data")
	p.CorrelationData, p.HasCorrelationData = []byte(data), has
	if f, ok := str("p_payload_format_indicator"); ok {
		p.HasPayloadFormat = true
		if f == "utf8" {
			p.PayloadFormat = 1
		}
	}
	p.UserProperties = userProperties(props)
	m.Properties = p.Append(nil)
	return m
}

// userProperties reads [{"k": "v"}, ...].
func userProperties(props map[string]any) (list []mqtt.UserProperty) {
	all, _ := props["p_user_property"].([]any)
	for _, one := range all {
		pair, _ := one.(map[string]any)
		for k, v := range pair {
			list = append(list, mqtt.UserProperty{Key: k, Value: fmt.Sprint(v)})
		}
	}
	return list
}

func (e *Event) properties() hook.Properties {
	props, _ := e.args["properties"].(map[string]any)
	p := hook.Properties{User: userProperties(props)}
	p.AuthMethod, _ = props["p_authentication_method"].(string)
	if data, ok := props["p_authentication_data"].(string); ok {
		p.AuthData = []byte(data)
	}
	if n, ok := props["p_session_expiry_interval"].(float64); ok {
		seconds := uint32(n)
		p.SessionExpiry = &seconds
	}
	return p
}

// topics reads [["a/b", 1], ...] or [["a/b", [1, {...}]], ...].
func (e *Event) topics() (list []hook.Topic, err error) {
	all, _ := e.args["topics"].([]any)
	for _, one := range all {
		entry, _ := one.([]any)
		if len(entry) != 2 {
			return nil, fmt.Errorf(`"topics": want [filter, qos], got %v`, one)
		}
		filter, _ := entry[0].(string)
		qos, isNumber := entry[1].(float64)
		if pair, ok := entry[1].([]any); ok && len(pair) > 0 {
			qos, isNumber = pair[0].(float64)
		}
		if !isNumber {
			return nil, fmt.Errorf(`"topics": want [filter, qos], got %v`, one)
		}
		share, plain, err := topic.Split(filter)
		if err != nil {
			return nil, fmt.Errorf(`"topics": %w`, err)
		}
		list = append(list, hook.Topic{Filter: filter, Subscription: mqtt.Subscription{Filter: plain, ShareName: share, QoS: mqtt.QoS(qos)}})
	}
	if list == nil {
		list = []hook.Topic{{Filter: "test/#", Subscription: mqtt.Subscription{Filter: "test/#"}}}
	}
	return list, nil
}

func (e *Event) filters() (list []string) {
	all, _ := e.args["topics"].([]any)
	for _, one := range all {
		list = append(list, fmt.Sprint(one))
	}
	return list
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
		v, mods = h.AuthOnPublish(ctx, &hook.Publish{Client: e.client(), Message: e.message()})
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
		h.OnPublish(&hook.Publish{Client: c, Message: e.message()})
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
	default:
		var known []string
		for _, p := range hook.Points {
			known = append(known, p.Name)
		}
		slices.Sort(known)
		return fmt.Errorf("there is no hook %q for scripts; hooks are %s, some with _m5", e.Hook, strings.Join(known, ", "))
	}
	return nil
}
