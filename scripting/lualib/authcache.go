package lualib

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/topic"
	"github.com/lunemq/lunemq/scripting/authcache"
	"github.com/lunemq/lunemq/scripting/luaconv"
)

var cacheClient = []Param{{"mountpoint", "string", "the client's mountpoint"}, {"client_id", "string", "its client identifier"}}

var authCacheModule = Module{
	Name: "auth_cache", Doc: "Remembers what a client may do, so that its messages and subscriptions are decided without Lua.",
	Functions: []Function{
		{Name: "insert", Params: append(slices.Clone(cacheClient), Param{"username", "string?", "its user name"},
			Param{"publish_acl", "table?", "array of rules; nil = nothing is allowed"}, Param{"subscribe_acl", "table?", "array of rules; nil = nothing is allowed"}),
			Returns: "boolean", Doc: "Sets the rules of a client that is about to connect; called by auth_on_register they are valid for that connection only. A rule has pattern, max_qos, max_payload_size, allowed_retain and modifiers."},
		{Name: "match_publish", Params: append(slices.Clone(cacheClient), Param{"topic", "string", ""}, Param{"qos", "integer", "0 to 2"}, Param{"payload", "string", ""}, Param{"retain", "boolean", ""}),
			Returns: "boolean|table", Doc: "Says what the rules make of a message: true, false or modifiers."},
		{Name: "match_subscribe", Params: append(slices.Clone(cacheClient), Param{"topic", "string", "a topic filter"}, Param{"qos", "integer", "0 to 2"}),
			Returns: "boolean|table", Doc: "Says what the rules make of a subscription: true, false or topics."},
	},
	open: func(b *binding) map[string]lua.LGFunction {
		return map[string]lua.LGFunction{"insert": b.cacheInsert, "match_publish": b.cachePublish, "match_subscribe": b.cacheSubscribe}
	},
}

// clientKey is the key of a call's context under which its client stands.
type clientKey struct{}

// WithClient tells the libraries which connection a call is about that asks to be
// let in: what it inserts into auth_cache is valid for that one.
func WithClient(ctx context.Context, c *hook.Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// client is the connection that the call in progress may let in, nil in calls of
// other hooks.
func (b *binding) client() *hook.Client {
	c, _ := b.state.Value(clientKey{}).(*hook.Client)
	return c
}

func cacheKey(L *lua.LState) mqtt.SessionKey {
	return mqtt.SessionKey{Mountpoint: strings.Clone(text(L, 1)), ClientID: strings.Clone(text(L, 2))}
}

func (b *binding) cacheInsert(L *lua.LState) int {
	rules := func(i int, what string, parse func(*rule, lua.LValue)) (list []authcache.Rule) {
		t, ok := L.Get(i).(*lua.LTable)
		if !ok {
			return nil
		}
		n := t.Len()
		b.state.Spend(L, n)
		b.state.Charge(L, n*costEntry)
		for k := 1; k <= n; k++ {
			list = append(list, b.rule(L, fmt.Sprintf("auth_cache.insert: %s: rule %d", what, k), t.RawGetInt(k), parse))
		}
		return list
	}
	publish := rules(4, "publish_acl", (*rule).publishModifiers)
	subscribe := rules(5, "subscribe_acl", (*rule).subscribeModifiers)
	b.Cache.Insert(b.client(), cacheKey(L), strings.Clone(text(L, 3)), publish, subscribe)
	L.Push(lua.LTrue)
	return 1
}

// rule is one rule being read; the first problem is kept.
type rule struct {
	authcache.Rule
	err error
}

// rule reads one rule. A bad pattern is logged and matches nothing, an unknown
// key is logged and ignored.
//
// Reference 2.6.
func (b *binding) rule(L *lua.LState, what string, v lua.LValue, modifiers func(*rule, lua.LValue)) authcache.Rule {
	t, ok := v.(*lua.LTable)
	if !ok {
		L.RaiseError("%s: want a table, got a %s", what, v.Type().String())
	}
	r := rule{Rule: authcache.Rule{MaxQoS: 2, MaxPayload: authcache.MaxPayload}}
	t.ForEach(func(k, v lua.LValue) {
		switch k {
		case lua.LString("pattern"):
			r.pattern(b, what, v)
		case lua.LString("max_qos"):
			r.MaxQoS = mqtt.QoS(r.integer("max_qos", v, 2))
		case lua.LString("max_payload_size"):
			r.MaxPayload = r.integer("max_payload_size", v, authcache.MaxPayload)
		case lua.LString("allowed_retain"):
			allowed, ok := v.(lua.LBool)
			if !ok {
				r.fail(fmt.Errorf("allowed_retain: want true or false, got a %s", v.Type().String()))
			}
			r.NoRetain = !bool(allowed)
		case lua.LString("modifiers"):
			modifiers(&r, v)
		default:
			b.Log.Warn("a rule has a key that does not exist, it is ignored", "script", b.script, "key", clip(k.String()), "rule", what)
		}
	})
	if r.err != nil {
		L.RaiseError("%s: %s", what, r.err.Error())
	}
	b.state.Charge(L, len(r.Pattern)+costString)
	return r.Rule
}

func (r *rule) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *rule) pattern(b *binding, what string, v lua.LValue) {
	s, ok := v.(lua.LString)
	err := errors.New("it is no string")
	if ok {
		err = topic.ValidateFilter(string(s), 1<<16)
	}
	if err != nil {
		b.Log.Error("a rule has a bad pattern, it permits nothing", "script", b.script, "rule", what, "pattern", clip(v.String()), "error", err)
		return
	}
	r.Pattern = strings.Clone(string(s))
}

func (r *rule) integer(name string, v lua.LValue, most int) int {
	n, ok := v.(lua.LNumber)
	if !ok || n != lua.LNumber(int(n)) || n < 0 || int(n) > most {
		r.fail(fmt.Errorf("%s: want a whole number from 0 to %d, got %s", name, most, clip(v.String())))
		return 0
	}
	return int(n)
}

// publishModifiers checks modifiers and keeps them. Properties are merged into
// each message anew.
func (r *rule) publishModifiers(v lua.LValue) {
	t, ok := v.(*lua.LTable)
	if !ok {
		r.fail(fmt.Errorf("modifiers: want a table, got a %s", v.Type().String()))
		return
	}
	out, err := luaconv.Publish(t, &mqtt.Message{}, true)
	if err != nil {
		r.fail(err)
		return
	}
	if out.Properties == nil {
		r.Modify = func(*mqtt.Message) *hook.PublishResult { return out }
		return
	}
	given, err := packet.DecodeProperties(*out.Properties)
	if err != nil {
		r.fail(err)
		return
	}
	r.Modify = func(m *mqtt.Message) *hook.PublishResult {
		mine := *out
		mine.Properties = mergeProperties(m.Properties, given)
		return &mine
	}
}

// mergeProperties puts given over those of a message: user properties replace
// those of equal names and keep the others.
func mergeProperties(old []byte, given packet.MessageProperties) *[]byte {
	all, err := packet.DecodeProperties(old)
	if err != nil {
		all = packet.MessageProperties{} // cannot be: the message was decoded
	}
	if given.HasPayloadFormat {
		all.PayloadFormat, all.HasPayloadFormat = given.PayloadFormat, true
	}
	if given.HasContentType {
		all.ContentType, all.HasContentType = given.ContentType, true
	}
	if given.HasResponseTopic {
		all.ResponseTopic, all.HasResponseTopic = given.ResponseTopic, true
	}
	if given.HasCorrelationData {
		all.CorrelationData, all.HasCorrelationData = given.CorrelationData, true
	}
	kept := slices.DeleteFunc(all.UserProperties, func(u mqtt.UserProperty) bool {
		return slices.ContainsFunc(given.UserProperties, func(g mqtt.UserProperty) bool { return g.Key == u.Key })
	})
	all.UserProperties = append(kept, given.UserProperties...)
	out := all.Append(nil)
	return &out
}

func (r *rule) subscribeModifiers(v lua.LValue) {
	t, ok := v.(*lua.LTable)
	if !ok || t.Len() == 0 {
		r.fail(errors.New("modifiers: want an array of {topic, qos}"))
		return
	}
	out, err := luaconv.Subscribe(t, &hook.Subscribe{Client: &hook.Client{Version: mqtt.V311}})
	if err != nil {
		r.fail(err)
		return
	}
	r.Topics = out.Topics
}

func (b *binding) cachePublish(L *lua.LState) int {
	b.state.Charge(L, len(text(L, 5)))
	m := &mqtt.Message{Topic: text(L, 3), QoS: mqtt.QoS(L.Get(4).(lua.LNumber)), Payload: []byte(text(L, 5)), Retain: lua.LVAsBool(L.Get(6))}
	r, _ := b.Cache.Publish(cacheKey(L), nil, m)
	switch {
	case r == nil || r.Modify == nil:
		L.Push(lua.LBool(r != nil))
	default:
		L.Push(b.publishResult(L, r.Modify(m)))
	}
	return 1
}

// publishResult is the table that the modifiers were read from.
func (b *binding) publishResult(L *lua.LState, p *hook.PublishResult) lua.LValue {
	out := map[string]any{}
	if p.Topic != nil {
		out["topic"] = *p.Topic
	}
	if p.Payload != nil {
		out["payload"] = *p.Payload
	}
	if p.QoS != nil {
		out["qos"] = int(*p.QoS)
	}
	if p.Retain != nil {
		out["retain"] = *p.Retain
	}
	if p.Mountpoint != nil {
		out["mountpoint"] = *p.Mountpoint
	}
	if p.Throttle > 0 {
		out["throttle"] = p.Throttle.Milliseconds()
	}
	properties := map[string]any{}
	if p.Expiry != nil {
		properties["p_message_expiry_interval"] = int64(*p.Expiry / time.Second)
	}
	if p.Properties != nil {
		propertyFields(properties, *p.Properties)
	}
	if len(properties) > 0 {
		out["properties"] = properties
	}
	return ToLua(L, b.state, out)
}

func propertyFields(into map[string]any, wire []byte) {
	p, err := packet.DecodeProperties(wire)
	if err != nil {
		return
	}
	if p.HasPayloadFormat {
		into["p_payload_format_indicator"] = [...]string{"unspecified", "utf8"}[p.PayloadFormat&1]
	}
	if p.HasContentType {
		into["p_content_type"] = p.ContentType
	}
	if p.HasResponseTopic {
		into["p_response_topic"] = p.ResponseTopic
	}
	if p.HasCorrelationData {
		into["p_correlation_data"] = p.CorrelationData
	}
	var user []any
	for _, u := range p.UserProperties {
		user = append(user, map[string]any{u.Key: u.Value})
	}
	if user != nil {
		into["p_user_property"] = user
	}
}

func (b *binding) cacheSubscribe(L *lua.LState) int {
	r, _ := b.Cache.Subscribe(cacheKey(L), nil, text(L, 3), mqtt.QoS(L.Get(4).(lua.LNumber)))
	if r == nil || r.Topics == nil {
		L.Push(lua.LBool(r != nil))
		return 1
	}
	var topics []any
	for _, t := range r.Topics {
		qos := int(t.Subscription.QoS)
		if t.Code.IsError() {
			qos = int(t.Code)
		}
		topics = append(topics, []any{t.Filter, qos})
	}
	L.Push(ToLua(L, b.state, topics))
	return 1
}
