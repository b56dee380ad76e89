package lualib

import (
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/topic"
	"github.com/lunemq/lunemq/scripting/luaconv"
)

var apiClient = Param{"subscriber_id", "table", "mountpoint and client_id"}

var apiModule = Module{
	Name: "vmq_api", Doc: "Acts on the broker. Also known as lunemq.",
	Functions: []Function{
		{Name: "disconnect_by_subscriber_id", Params: []Param{apiClient, {"options", "table?", "do_cleanup = true ends the session too"}}, Returns: "string",
			Doc: `Ends a client's connection and returns "ok", or "not_found".`},
		{Name: "reauthorize_subscriptions", Params: []Param{{"username", "string?", "what auth_on_subscribe is asked with"}, apiClient, {"options", "table?", "nothing so far"}}, Returns: "string",
			Doc: `Asks auth_on_subscribe again about each subscription of a client, removes those that are refused, and returns "ok".`},
		{Name: "publish", Params: []Param{{"message", "table", "topic and payload; qos, retain, mountpoint and properties as in modifiers"}}, Returns: "boolean",
			Doc: "Publishes a message without asking hooks."},
		{Name: "subscriptions", Params: []Param{apiClient}, Returns: "table|boolean",
			Doc: "Returns what a client is subscribed to as an array of {topic, qos}, or false if there is no such client."},
	},
	open: func(b *binding) map[string]lua.LGFunction {
		guarded := func(f lua.LGFunction) lua.LGFunction {
			return func(L *lua.LState) int {
				if b.Broker == nil {
					L.RaiseError("vmq_api: there is no broker here")
				}
				return f(L)
			}
		}
		return map[string]lua.LGFunction{
			"disconnect_by_subscriber_id": guarded(b.apiDisconnect), "reauthorize_subscriptions": guarded(b.apiReauthorize),
			"publish": guarded(b.apiPublish), "subscriptions": guarded(b.apiSubscriptions),
		}
	},
}

// apiKey reads a subscriber_id.
func (b *binding) apiKey(L *lua.LState, i int, what string) mqtt.SessionKey {
	t := L.Get(i).(*lua.LTable)
	b.state.Complete(L, t)
	id, ok := t.RawGetString("client_id").(lua.LString)
	if !ok || id == "" {
		L.RaiseError("%s: client_id is missing or no string", what)
	}
	mountpoint := t.RawGetString("mountpoint")
	if mountpoint != lua.LNil && mountpoint.Type() != lua.LTString {
		L.RaiseError("%s: mountpoint is no string", what)
	}
	b.state.Charge(L, len(lua.LVAsString(mountpoint))+len(id))
	return mqtt.SessionKey{Mountpoint: strings.Clone(lua.LVAsString(mountpoint)), ClientID: strings.Clone(string(id))}
}

func (b *binding) apiDisconnect(L *lua.LState) int {
	key := b.apiKey(L, 1, "vmq_api.disconnect_by_subscriber_id")
	cleanup := false
	if t, ok := L.Get(2).(*lua.LTable); ok {
		cleanup = lua.LVAsBool(t.RawGetString("do_cleanup"))
	}
	b.state.Spend(L, 100)
	answer := "not_found"
	if b.Broker.Disconnect(key, cleanup) {
		answer = "ok"
	}
	L.Push(lua.LString(answer))
	return 1
}

func (b *binding) apiReauthorize(L *lua.LState) int {
	key := b.apiKey(L, 2, "vmq_api.reauthorize_subscriptions")
	b.state.Spend(L, 100)
	b.state.Charge(L, len(text(L, 1)))
	b.Broker.Reauthorize(strings.Clone(text(L, 1)), key)
	L.Push(lua.LString("ok"))
	return 1
}

// apiPublish reads a message as the modifiers of a message without content.
func (b *binding) apiPublish(L *lua.LState) int {
	t := L.Get(1).(*lua.LTable)
	b.state.Complete(L, t)
	b.weigh(L, t, 0)
	r, err := luaconv.Publish(t, &mqtt.Message{}, true)
	if err == nil && (r.Topic == nil || r.Payload == nil) {
		L.RaiseError("vmq_api.publish: topic or payload is missing")
	}
	if err != nil {
		L.RaiseError("vmq_api.publish: %s", strings.TrimPrefix(strings.TrimPrefix(err.Error(), "luaconv: "), "modifier "))
	}
	now := time.Now()
	m := &mqtt.Message{Topic: strings.Clone(*r.Topic), Payload: *r.Payload}
	if r.QoS != nil {
		m.QoS = *r.QoS
	}
	if r.Retain != nil {
		m.Retain = *r.Retain
	}
	if r.Mountpoint != nil {
		m.Mountpoint = strings.Clone(*r.Mountpoint)
	}
	if r.Properties != nil {
		m.Properties = slices.Clone(*r.Properties)
	}
	if r.Expiry != nil {
		m.Expires = now.Add(*r.Expiry)
	}
	b.state.Spend(L, 100)
	b.Broker.Publish(now, m)
	L.Push(lua.LTrue)
	return 1
}

// weigh charges what the strings of a message take on their way into one: read,
// encoded and copied.
func (b *binding) weigh(L *lua.LState, v lua.LValue, depth int) {
	switch x := v.(type) {
	case lua.LString:
		b.state.Charge(L, 4*len(x)+costItem)
	case *lua.LTable:
		if depth > maxDepth {
			L.RaiseError("vmq_api.publish: tables lie more than %d deep, or inside themselves", maxDepth)
		}
		x.ForEach(func(k, v lua.LValue) {
			b.state.Spend(L, 1)
			b.weigh(L, k, depth+1)
			b.weigh(L, v, depth+1)
		})
	}
}

func (b *binding) apiSubscriptions(L *lua.LState) int {
	list, found := b.Broker.Subscriptions(b.apiKey(L, 1, "vmq_api.subscriptions"))
	if !found {
		L.Push(lua.LFalse)
		return 1
	}
	topics := make([]any, len(list))
	for i, s := range list {
		filter := s.Filter
		if s.ShareName != "" {
			filter = topic.Join(s.ShareName, s.Filter)
		}
		topics[i] = []any{filter, int(s.QoS)}
	}
	L.Push(ToLua(L, b.state, topics))
	return 1
}
