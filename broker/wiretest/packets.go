package wiretest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// builders make the packet of a command from its arguments.
var builders = map[string]func(a *args) packet.Packet{
	"publish":     publishPacket,
	"puback":      func(a *args) packet.Packet { return &packet.Puback{Ack: ack(a)} },
	"pubrec":      func(a *args) packet.Packet { return &packet.Pubrec{Ack: ack(a)} },
	"pubrel":      func(a *args) packet.Packet { return &packet.Pubrel{Ack: ack(a)} },
	"pubcomp":     func(a *args) packet.Packet { return &packet.Pubcomp{Ack: ack(a)} },
	"subscribe":   subscribePacket,
	"unsubscribe": unsubscribePacket,
	"ping":        func(*args) packet.Packet { return &packet.Pingreq{} },
	"disconnect":  disconnectPacket,
	"auth":        authPacket,
}

func ack(a *args) packet.Ack {
	return packet.Ack{PacketID: a.small("id", 1), Code: a.code(), ReasonString: a.str("reason", ""), UserProperties: a.user()}
}

// connectPacket: id, clean (1 unless given), keepalive, expiry, receive_max,
// max_packet, alias_max, response_info, no_problem_info, method, data,
// username, password, user, bridge, will and will_*.
func connectPacket(name string, a *args) packet.Packet {
	p := &packet.Connect{ClientID: a.str("id", name), KeepAlive: a.small("keepalive", 0)}
	clean, _ := a.num("clean", 1)
	p.CleanStart = clean == 1
	p.SessionExpiry, p.HasSessionExpiry = a.num("expiry", 0)
	p.ReceiveMaximum = a.small("receive_max", 0)
	p.MaximumPacketSize, _ = a.num("max_packet", 0)
	p.TopicAliasMaximum = a.small("alias_max", 0)
	p.RequestResponseInfo = a.flag("response_info")
	p.NoProblemInfo = a.flag("no_problem_info")
	p.AuthMethod = a.str("method", "")
	if d, ok := a.take("data"); ok {
		p.AuthData = []byte(d)
	}
	p.Username, p.HasUsername = a.take("username")
	if w, ok := a.take("password"); ok {
		p.Password, p.HasPassword = []byte(w), true
	}
	p.UserProperties = a.user()
	p.Bridge = a.flag("bridge")
	if topic, ok := a.take("will"); ok {
		p.Will = will(topic, a)
	}
	return p
}

func will(topic string, a *args) *packet.Will {
	w := &packet.Will{Topic: topic, Payload: []byte(a.str("will_payload", "gone")), QoS: mqtt.QoS(a.small("will_qos", 0)), Retain: a.flag("will_retain")}
	w.Delay, _ = a.num("will_delay", 0)
	w.MessageExpiry, w.HasMessageExpiry = a.num("will_expiry", 0)
	var m packet.MessageProperties
	m.ContentType, m.HasContentType = a.take("will_content_type")
	for {
		v, ok := a.take("will_user")
		if !ok {
			break
		}
		k, val, _ := strings.Cut(v, ":")
		m.UserProperties = append(m.UserProperties, mqtt.UserProperty{Key: k, Value: val})
	}
	w.Properties = m.Append(nil)
	return w
}

// publishPacket: topic, payload, qos, id, dup, retain, alias, expiry, subid,
// format, content_type, response, correlation, user.
func publishPacket(a *args) packet.Packet {
	p := &packet.Publish{Topic: a.str("topic", ""), Payload: []byte(a.str("payload", "")), QoS: mqtt.QoS(a.small("qos", 0)),
		PacketID: a.small("id", 0), Dup: a.flag("dup"), Retain: a.flag("retain")}
	if n, has := a.num("alias", 0); has {
		p.TopicAlias, p.HasTopicAlias = uint16(n), true
	}
	p.MessageExpiry, p.HasMessageExpiry = a.num("expiry", 0)
	if n, has := a.num("subid", 0); has {
		p.SubscriptionIDs = []uint32{n}
	}
	var m packet.MessageProperties
	if n, has := a.num("format", 0); has {
		m.PayloadFormat, m.HasPayloadFormat = uint8(n), true
	}
	m.ContentType, m.HasContentType = a.take("content_type")
	m.ResponseTopic, m.HasResponseTopic = a.take("response")
	if d, ok := a.take("correlation"); ok {
		m.CorrelationData, m.HasCorrelationData = []byte(d), true
	}
	m.UserProperties = a.user()
	p.Properties = m.Append(nil)
	return p
}

// subscribePacket: id, subid, user, then FILTER:OPTIONS with options a QoS and,
// separated by commas, nl, rap, rh=0..2.
func subscribePacket(a *args) packet.Packet {
	p := &packet.Subscribe{PacketID: a.small("id", 1)}
	p.SubscriptionID, _ = a.num("subid", 0)
	p.UserProperties = a.user()
	for _, w := range a.rest() {
		i := strings.LastIndex(w, ":")
		if i < 0 {
			a.fail(fmt.Errorf("no QoS in %q", w))
			break
		}
		filter, err := value(w[:i])
		a.fail(err)
		f := packet.TopicFilter{Filter: filter}
		for _, o := range strings.Split(w[i+1:], ",") {
			a.fail(option(&f, o))
		}
		p.Topics = append(p.Topics, f)
	}
	return p
}

func option(f *packet.TopicFilter, o string) error {
	switch {
	case o == "nl":
		f.NoLocal = true
	case o == "rap":
		f.RetainAsPublished = true
	case strings.HasPrefix(o, "rh="):
		n, err := strconv.ParseUint(o[3:], 10, 8)
		f.RetainHandling = mqtt.RetainHandling(n)
		return err
	default:
		n, err := strconv.ParseUint(o, 10, 8)
		f.QoS = mqtt.QoS(n)
		return err
	}
	return nil
}

func unsubscribePacket(a *args) packet.Packet {
	p := &packet.Unsubscribe{PacketID: a.small("id", 1), UserProperties: a.user()}
	for _, w := range a.rest() {
		f, err := value(w)
		a.fail(err)
		p.Filters = append(p.Filters, f)
	}
	return p
}

func disconnectPacket(a *args) packet.Packet {
	p := &packet.Disconnect{Code: a.code(), ReasonString: a.str("reason", ""), ServerReference: a.str("server", ""), UserProperties: a.user()}
	p.SessionExpiry, p.HasSessionExpiry = a.num("expiry", 0)
	return p
}

func authPacket(a *args) packet.Packet {
	p := &packet.Auth{Code: a.code(), ReasonString: a.str("reason", ""), UserProperties: a.user()}
	p.Method, p.HasMethod = a.take("method")
	if d, ok := a.take("data"); ok {
		p.Data = []byte(d)
	}
	return p
}
