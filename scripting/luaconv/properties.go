package luaconv

import (
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// table makes a table that is charged with its entries.
func table(s *sandbox.State, items, keys int) *lua.LTable {
	s.Take(sandbox.TableCost(items, keys))
	return s.L.CreateTable(items, keys)
}

func str(s *sandbox.State, v string) lua.LValue {
	s.Take(len(v))
	return lua.LString(v)
}

// userProperties is { {k = v}, ... } in the order of the packet.
func userProperties(s *sandbox.State, list []mqtt.UserProperty) *lua.LTable {
	t := table(s, len(list), 0)
	for i, u := range list {
		one := table(s, 0, 1)
		one.RawSetString(u.Key, str(s, u.Value))
		t.RawSetInt(i+1, one)
	}
	return t
}

// properties are those of CONNECT, SUBSCRIBE and UNSUBSCRIBE.
func properties(s *sandbox.State, p *hook.Properties) lua.LValue {
	t := table(s, 0, 4)
	if p == nil {
		return t
	}
	set := func(name string, present bool, v lua.LValue) {
		if present {
			t.RawSetString(name, v)
		}
	}
	if len(p.User) > 0 {
		t.RawSetString("p_user_property", userProperties(s, p.User))
	}
	if p.SessionExpiry != nil {
		t.RawSetString("p_session_expiry_interval", lua.LNumber(*p.SessionExpiry))
	}
	set("p_authentication_method", p.AuthMethod != "", str(s, p.AuthMethod))
	set("p_authentication_data", p.AuthData != nil, str(s, string(p.AuthData)))
	set("p_receive_max", p.ReceiveMaximum > 0, lua.LNumber(p.ReceiveMaximum))
	set("p_max_packet_size", p.MaxPacketSize > 0, lua.LNumber(p.MaxPacketSize))
	if p.TopicAliasMax != nil {
		t.RawSetString("p_topic_alias_max", lua.LNumber(*p.TopicAliasMax))
	}
	if p.RequestResponse != nil {
		t.RawSetString("p_request_response_info", boolean(*p.RequestResponse))
	}
	if p.RequestProblem != nil {
		t.RawSetString("p_request_problem_info", boolean(*p.RequestProblem))
	}
	if p.SubscriptionID > 0 {
		ids := table(s, 1, 0)
		ids.RawSetInt(1, lua.LNumber(p.SubscriptionID))
		t.RawSetString("p_subscription_id", ids)
	}
	return t
}

// messageProperties are those that travel with a message.
func messageProperties(s *sandbox.State, m *mqtt.Message) lua.LValue {
	t := table(s, 0, 4)
	p, err := packet.DecodeProperties(m.Properties)
	if err == nil {
		if p.HasPayloadFormat {
			name := "unspecified"
			if p.PayloadFormat == 1 {
				name = "utf8"
			}
			t.RawSetString("p_payload_format_indicator", lua.LString(name))
		}
		if p.HasContentType {
			t.RawSetString("p_content_type", str(s, p.ContentType))
		}
		if p.HasResponseTopic {
			t.RawSetString("p_response_topic", str(s, p.ResponseTopic))
		}
		if p.HasCorrelationData {
			t.RawSetString("p_correlation_data", str(s, string(p.CorrelationData)))
		}
		if len(p.UserProperties) > 0 {
			t.RawSetString("p_user_property", userProperties(s, p.UserProperties))
		}
	}
	if !m.Expires.IsZero() {
		left := max(0, time.Until(m.Expires)+time.Second-1)
		t.RawSetString("p_message_expiry_interval", lua.LNumber(left/time.Second))
	}
	return t
}

// Properties are the names of all properties that arguments may have.
var Properties = []string{
	"p_user_property", "p_session_expiry_interval", "p_authentication_method", "p_authentication_data", "p_receive_max", "p_max_packet_size",
	"p_topic_alias_max", "p_request_response_info", "p_request_problem_info", "p_subscription_id", "p_payload_format_indicator", "p_content_type",
	"p_response_topic", "p_correlation_data", "p_message_expiry_interval",
	"p_will_delay_interval",
}

// RetainHandling are the names of retain handling by value.
var RetainHandling = [...]string{mqtt.SendRetained: "send_retain", mqtt.SendRetainedIfNew: "send_if_new_sub", mqtt.DoNotSendRetained: "dont_send"}

// topics is { {topic, qos}, ... }, for 5.0 { {topic, {qos, {options}}}, ... }.
// A refused entry carries its reason code in place of the QoS.
func topics(s *sandbox.State, q *hook.Subscribe) lua.LValue {
	list := table(s, len(q.Topics), 0)
	for i, t := range q.Topics {
		entry := table(s, 2, 0)
		entry.RawSetInt(1, str(s, t.Filter))
		qos := int(t.Subscription.QoS)
		if t.Code.IsError() {
			qos = int(t.Code)
		}
		if q.Client.Version != mqtt.V5 {
			entry.RawSetInt(2, number(qos))
		} else {
			o := table(s, 0, 3)
			o.RawSetString("no_local", boolean(t.Subscription.NoLocal))
			o.RawSetString("rap", boolean(t.Subscription.RetainAsPublished))
			o.RawSetString("retain_handling", lua.LString(RetainHandling[t.Subscription.RetainHandling]))
			if id := t.Subscription.ID; id > 0 {
				o.RawSetString("sub_id", lua.LNumber(id))
			}
			pair := table(s, 2, 0)
			pair.RawSetInt(1, number(qos))
			pair.RawSetInt(2, o)
			entry.RawSetInt(2, pair)
		}
		list.RawSetInt(i+1, entry)
	}
	return list
}
