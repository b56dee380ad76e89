package luaconv

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/topic"
)

// Subscribe reads the modifiers of auth_on_subscribe about q: the topics to
// subscribe to, by position. A QoS of 128 and above refuses an entry with that
// reason code; entries that are missing are refused, further ones are subscribed to
// without an entry in SUBACK.
//
// Reference 1.7.
func Subscribe(t *lua.LTable, q *hook.Subscribe) (*hook.SubscribeResult, error) {
	out := &hook.SubscribeResult{}
	r := &reader{t: t}
	v5 := q.Client.Version == mqtt.V5
	if !v5 {
		out.Topics = r.topics("topics", t, q, false)
	} else {
		r.each(func(key string, v lua.LValue) bool {
			switch key {
			case "topics":
				out.Topics = r.topics(key, v, q, true)
			case "properties":
				if p, ok := r.sub(key, v); ok {
					out.UserProperties = p.onlyUserProperties()
					r.take(p)
				}
			default:
				return false
			}
			return true
		})
	}
	if r.err != nil {
		return nil, r.err
	}
	for out.Topics != nil && len(out.Topics) < len(q.Topics) {
		left := q.Topics[len(out.Topics)]
		left.Code = mqtt.NotAuthorized
		out.Topics = append(out.Topics, left)
	}
	return out, nil
}

func (p *reader) onlyUserProperties() (list []mqtt.UserProperty) {
	p.t.ForEach(func(k, v lua.LValue) {
		if k != lua.LString("p_user_property") {
			p.fail(k.String(), "there is none of this name for this hook")
			return
		}
		list = p.userProperties("p_user_property", v)
	})
	return list
}

// topics reads { {filter, qos}, ... } or { {filter, {qos, {options}}}, ... }.
func (r *reader) topics(key string, v lua.LValue, q *hook.Subscribe, v5 bool) []hook.Topic {
	t, ok := v.(*lua.LTable)
	if !ok {
		r.fail(key, "want an array of topics, got %s", describe(v))
		return nil
	}
	list := []hook.Topic{}
	n := r.items(key, t)
	for i := 1; i <= n && r.err == nil; i++ {
		var was hook.Topic
		if i <= len(q.Topics) {
			was = q.Topics[i-1]
		}
		list = append(list, r.topic(key, t.RawGetInt(i), was, v5))
	}
	return list
}

// topic reads one entry; what it does not say stays as it was.
func (r *reader) topic(key string, v lua.LValue, was hook.Topic, v5 bool) hook.Topic {
	entry, ok := v.(*lua.LTable)
	if !ok {
		r.fail(key, "want {topic, qos}, got %s", describe(v))
		return was
	}
	filter, ok := entry.RawGetInt(1).(lua.LString)
	if !ok {
		r.fail(key, "want {topic, qos}, got %s in place of a topic", describe(entry.RawGetInt(1)))
		return was
	}
	if r.items(key, entry) > 2 {
		r.fail(key, "want {topic, qos}, got more")
	}
	given := entry.RawGetInt(2)
	var options *lua.LTable
	if pair, isPair := given.(*lua.LTable); isPair && v5 {
		given = pair.RawGetInt(1)
		if options, ok = pair.RawGetInt(2).(*lua.LTable); r.items(key, pair) > 2 || !ok && pair.RawGetInt(2) != lua.LNil {
			r.fail(key, "want {topic, {qos, {options}}}, got something else beside the qos")
		}
	}
	out := was
	out.Filter, out.Code = string(filter), mqtt.Success
	if qos := r.integer(key, given, 0, 255); qos >= 128 {
		out.Code = mqtt.ReasonCode(qos)
	} else if qos > 2 {
		r.fail(key, "want a QoS from 0 to 2, or a reason code from 128, got %d", qos)
	} else {
		out.Subscription.QoS = mqtt.QoS(qos)
	}
	share, plain, err := topic.Split(out.Filter)
	if err == nil {
		err = topic.ValidateFilter(plain, maxDepth)
	}
	if err != nil {
		r.fail(key, "%v", err)
	}
	out.Subscription.ShareName, out.Subscription.Filter = share, plain
	if options != nil {
		r.options(key, options, &out.Subscription)
	}
	return out
}

func (r *reader) options(key string, t *lua.LTable, sub *mqtt.Subscription) {
	t.ForEach(func(k, v lua.LValue) {
		var b *bool
		switch k {
		case lua.LString("no_local"):
			if r.boolean(key+".no_local", v, &b); b != nil {
				sub.NoLocal = *b
			}
		case lua.LString("rap"):
			if r.boolean(key+".rap", v, &b); b != nil {
				sub.RetainAsPublished = *b
			}
		case lua.LString("retain_handling"):
			found := false
			for h, name := range RetainHandling {
				if v == lua.LString(name) {
					sub.RetainHandling, found = mqtt.RetainHandling(h), true
				}
			}
			if !found {
				r.fail(key+".retain_handling", "want send_retain, send_if_new_sub or dont_send, got %s", describe(v))
			}
		case lua.LString("sub_id"):
			sub.ID = uint32(r.integer(key+".sub_id", v, 0, 268435455))
		default:
			r.fail(key+"."+k.String(), "there is no such option")
		}
	})
}

// Unsubscribe reads the modifiers of on_unsubscribe: the filters to
// unsubscribe, in place of those sent.
func Unsubscribe(t *lua.LTable, v5 bool) ([]string, error) {
	r := &reader{t: t}
	list := t
	if v5 {
		r.each(func(key string, v lua.LValue) bool {
			if key != "topics" {
				return false
			}
			var ok bool
			if list, ok = v.(*lua.LTable); !ok {
				r.fail(key, "want an array of strings, got %s", describe(v))
			}
			return true
		})
	}
	if r.err != nil {
		return nil, r.err
	}
	out := []string{}
	n := r.items("topics", list)
	for i := 1; i <= n; i++ {
		s, ok := list.RawGetInt(i).(lua.LString)
		if !ok {
			r.fail("topics", "want an array of strings, got %s at %d", describe(list.RawGetInt(i)), i)
			return nil, r.err
		}
		out = append(out, string(s))
	}
	return out, r.err
}

// Auth reads the answer of on_auth_m5 about q. Reason codes are given as
// numbers or names: success, continue_authentication, or one of failure, which
// is a refusal with that code.
func Auth(t *lua.LTable, q *hook.Auth) (hook.Verdict, *hook.AuthResult, error) {
	out := &hook.AuthResult{}
	v := hook.Verdict{Decision: hook.OK}
	r := &reader{t: t}
	r.each(func(key string, x lua.LValue) bool {
		switch key {
		case "reason_code":
			v.Code = r.reasonCode(key, x)
		case "properties":
			if p, ok := r.sub(key, x); ok {
				p.each(func(key string, x lua.LValue) bool { return p.authProperty(out, q, key, x) })
				r.take(p)
			}
		default:
			return false
		}
		return true
	})
	switch {
	case r.err != nil:
		return hook.Verdict{}, nil, r.err
	case v.Code == mqtt.ContinueAuthentication:
		out.Continue = true
	case v.Code.IsError():
		return hook.Verdict{Decision: hook.Deny, Code: v.Code, ReasonString: out.ReasonString, Reason: "on_auth_m5 refused"}, nil, nil
	case v.Code != mqtt.Success:
		r.fail("reason_code", "want success, continue_authentication or a failure, got %s", v.Code)
		return hook.Verdict{}, nil, r.err
	}
	return hook.Accept, out, nil
}

func (p *reader) authProperty(out *hook.AuthResult, q *hook.Auth, key string, v lua.LValue) bool {
	var s *string
	switch key {
	case "p_authentication_method":
		if p.str(key, v, &s); s != nil && *s != q.Method {
			p.fail(key, "want the method of the client, %q, got %s", q.Method, describe(v))
		}
	case "p_authentication_data":
		if p.property(key, v, &s); s != nil {
			out.Data = []byte(*s)
		}
	case "p_reason_string":
		if p.property(key, v, &s); s != nil {
			out.ReasonString = *s
		}
	case "p_user_property":
		out.UserProperties = p.userProperties(key, v)
	default:
		return false
	}
	return true
}

func (r *reader) reasonCode(key string, v lua.LValue) mqtt.ReasonCode {
	if s, ok := v.(lua.LString); ok {
		code, known := mqtt.ParseReasonCode(string(s))
		if !known {
			r.fail(key, "there is no reason code of this name: %s", describe(v))
		}
		return code
	}
	return mqtt.ReasonCode(r.integer(key, v, 0, 255))
}
