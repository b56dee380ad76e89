package luaconv

import (
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// Publish reads the modifiers of auth_on_publish about m, published by a
// client of 5.0 or not.
//
// Reference 1.7, 1.8.
func Publish(t *lua.LTable, m *mqtt.Message, v5 bool) (*hook.PublishResult, error) {
	out := &hook.PublishResult{}
	r := &reader{t: t}
	r.each(func(key string, v lua.LValue) bool {
		switch key {
		case "topic":
			r.topicName(key, v, &out.Topic)
		case "payload":
			r.bytes(key, v, &out.Payload)
		case "qos":
			q := mqtt.QoS(r.integer(key, v, 0, 2))
			out.QoS = &q
		case "retain":
			r.boolean(key, v, &out.Retain)
		case "mountpoint":
			r.str(key, v, &out.Mountpoint)
		case "throttle":
			out.Throttle = time.Duration(r.integer(key, v, 0, 1<<31-1)) * time.Millisecond
		case "properties":
			if !v5 {
				return false
			}
			out.Properties = r.messageProperties(key, v, m, &out.Expiry, &out.WillDelay)
		default:
			return false
		}
		return true
	})
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

// Deliver reads the modifiers of on_deliver about m.
func Deliver(t *lua.LTable, m *mqtt.Message, v5 bool) (*hook.DeliverResult, error) {
	out := &hook.DeliverResult{}
	r := &reader{t: t}
	r.each(func(key string, v lua.LValue) bool {
		switch key {
		case "topic":
			r.topicName(key, v, &out.Topic)
		case "payload":
			r.bytes(key, v, &out.Payload)
		case "properties":
			if !v5 {
				return false
			}
			out.Properties = r.messageProperties(key, v, m, nil, nil)
		default:
			return false
		}
		return true
	})
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

// messageProperties merges properties over those of m: user properties replace
// those with equal names and keep the others. expiry and delay are nil where none
// may be given.
func (r *reader) messageProperties(key string, v lua.LValue, m *mqtt.Message, expiry, delay **time.Duration) *[]byte {
	p, ok := r.sub(key, v)
	if !ok {
		return nil
	}
	all, err := packet.DecodeProperties(m.Properties)
	if err != nil {
		r.fail(key, "%v", err)
		return nil
	}
	p.each(func(key string, v lua.LValue) bool { return p.messageProperty(&all, key, v, expiry, delay) })
	r.take(p)
	if r.err != nil {
		return nil
	}
	out := all.Append(nil)
	return &out
}

func (p *reader) messageProperty(all *packet.MessageProperties, key string, v lua.LValue, expiry, delay **time.Duration) bool {
	var s *string
	switch key {
	case "p_user_property":
		all.UserProperties = merge(all.UserProperties, p.userProperties(key, v))
	case "p_content_type":
		if p.property(key, v, &s); s != nil {
			all.ContentType, all.HasContentType = *s, true
		}
	case "p_response_topic":
		if p.topicName(key, v, &s); s != nil {
			all.ResponseTopic, all.HasResponseTopic = *s, true
		}
	case "p_correlation_data":
		if p.property(key, v, &s); s != nil {
			all.CorrelationData, all.HasCorrelationData = []byte(*s), true
		}
	case "p_payload_format_indicator":
		p.payloadFormat(all, key, v)
	case "p_message_expiry_interval":
		return p.seconds(key, v, expiry)
	case "p_will_delay_interval": // without effect on what is no will
		return p.seconds(key, v, delay)
	default:
		return false
	}
	return true
}

// seconds reads an interval; false = there is no place for it.
func (p *reader) seconds(key string, v lua.LValue, place **time.Duration) bool {
	if place != nil {
		d := time.Duration(p.integer(key, v, 0, 1<<32-1)) * time.Second
		*place = &d
	}
	return place != nil
}

func (p *reader) payloadFormat(all *packet.MessageProperties, key string, v lua.LValue) {
	switch v {
	case lua.LString("utf8"), lua.LNumber(1):
		all.PayloadFormat = 1
	case lua.LString("unspecified"), lua.LNumber(0):
		all.PayloadFormat = 0
	default:
		p.fail(key, "want utf8 or unspecified, got %s", describe(v))
	}
	all.HasPayloadFormat = true
}

// merge replaces properties whose names occur in given and keeps the others,
// which come first.
func merge(old, given []mqtt.UserProperty) []mqtt.UserProperty {
	replaced := map[string]bool{}
	for _, u := range given {
		replaced[u.Key] = true
	}
	var out []mqtt.UserProperty
	for _, u := range old {
		if !replaced[u.Key] {
			out = append(out, u)
		}
	}
	return append(out, given...)
}
