package wiretest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// line puts a printed packet together: its name, then what is not at its
// default.
type line struct{ strings.Builder }

func (l *line) add(is bool, format string, args ...any) {
	if is {
		l.WriteString(" ")
		fmt.Fprintf(l, format, args...)
	}
}

func (l *line) flag(is bool, name string) { l.add(is, "%s", name) }

func (l *line) text(name, s string) { l.add(s != "", "%s=%s", name, quote(s)) }

func (l *line) user(list []mqtt.UserProperty) {
	for _, u := range list {
		l.add(true, "user=%s:%s", quote(u.Key), quote(u.Value))
	}
}

// quote leaves plain words as they are, shortens long runs and quotes the rest.
func quote(s string) string {
	if len(s) > 20 && strings.Count(s, s[:1]) == len(s) {
		return fmt.Sprintf("%s*%d", s[:1], len(s))
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '"' {
			return strconv.Quote(s)
		}
	}
	return s
}

// show prints a packet in one line.
func show(p packet.Packet, v mqtt.Version) string {
	l := &line{}
	l.WriteString(p.Type().String())
	switch p := p.(type) {
	case *packet.Connack:
		l.connack(p, v)
	case *packet.Publish:
		l.publish(p)
	case *packet.Puback:
		l.ack(&p.Ack)
	case *packet.Pubrec:
		l.ack(&p.Ack)
	case *packet.Pubrel:
		l.ack(&p.Ack)
	case *packet.Pubcomp:
		l.ack(&p.Ack)
	case *packet.Suback:
		l.add(true, "id=%d codes=%s", p.PacketID, codes(p.Codes))
		l.text("reason", p.ReasonString)
		l.user(p.UserProperties)
	case *packet.Unsuback:
		l.add(true, "id=%d", p.PacketID)
		l.add(v == mqtt.V5, "codes=%s", codes(p.Codes))
		l.text("reason", p.ReasonString)
		l.user(p.UserProperties)
	case *packet.Disconnect:
		l.add(true, "code=%s", p.Code)
		l.add(p.HasSessionExpiry, "expiry=%d", p.SessionExpiry)
		l.text("server", p.ServerReference)
		l.text("reason", p.ReasonString)
		l.user(p.UserProperties)
	case *packet.Auth:
		l.add(true, "code=%s", p.Code)
		l.text("method", p.Method)
		l.text("data", string(p.Data))
		l.text("reason", p.ReasonString)
		l.user(p.UserProperties)
	}
	return l.String()
}

// codes prints granted QoS as numbers and the rest by name.
func codes(list []mqtt.ReasonCode) string {
	var out []string
	for _, c := range list {
		s := c.String()
		if c <= mqtt.GrantedQoS2 {
			s = strconv.Itoa(int(c))
		}
		out = append(out, s)
	}
	return strings.Join(out, ",")
}

func (l *line) ack(a *packet.Ack) {
	l.add(true, "id=%d", a.PacketID)
	l.add(a.Code != mqtt.Success, "code=%s", a.Code)
	l.text("reason", a.ReasonString)
	l.user(a.UserProperties)
}

func (l *line) publish(p *packet.Publish) {
	l.add(true, "topic=%s qos=%d", quoteEmpty(p.Topic), p.QoS)
	l.add(p.QoS > 0, "id=%d", p.PacketID)
	l.flag(p.Dup, "dup")
	l.flag(p.Retain, "retain")
	l.add(p.HasTopicAlias, "alias=%d", p.TopicAlias)
	l.add(p.HasMessageExpiry, "expiry=%d", p.MessageExpiry)
	for _, id := range p.SubscriptionIDs {
		l.add(true, "subid=%d", id)
	}
	m, err := packet.DecodeProperties(p.Properties)
	l.add(err != nil, "bad properties: %v", err)
	l.add(m.HasPayloadFormat, "format=%d", m.PayloadFormat)
	l.add(m.HasContentType, "content_type=%s", quoteEmpty(m.ContentType))
	l.add(m.HasResponseTopic, "response=%s", quoteEmpty(m.ResponseTopic))
	l.add(m.HasCorrelationData, "correlation=%s", quoteEmpty(string(m.CorrelationData)))
	l.user(m.UserProperties)
	l.add(true, "payload=%s", quoteEmpty(string(p.Payload)))
}

func quoteEmpty(s string) string {
	if s == "" {
		return `""`
	}
	return quote(s)
}

func (l *line) connack(p *packet.Connack, v mqtt.Version) {
	switch {
	case p.Code == mqtt.Success:
		session := 0
		if p.SessionPresent {
			session = 1
		}
		l.add(true, "session=%d", session)
	case v == mqtt.V5:
		l.add(true, "code=%s", p.Code)
	default:
		l.add(true, "return=%d", packet.ReturnCode(p.Code))
	}
	if strings.HasPrefix(p.AssignedClientID, "anon-") {
		p.AssignedClientID = "<assigned>"
	}
	l.text("id", p.AssignedClientID)
	l.add(p.HasSessionExpiry, "expiry=%d", p.SessionExpiry)
	l.add(p.HasServerKeepAlive, "keepalive=%d", p.ServerKeepAlive)
	l.add(p.ReceiveMaximum != 0, "receive_max=%d", p.ReceiveMaximum)
	l.add(p.HasMaximumQoS, "max_qos=%d", p.MaximumQoS)
	l.add(p.MaximumPacketSize != 0, "max_packet=%d", p.MaximumPacketSize)
	l.add(p.TopicAliasMaximum != 0, "alias_max=%d", p.TopicAliasMaximum)
	l.flag(p.RetainUnavailable, "no_retain")
	l.flag(p.WildcardUnavailable, "no_wildcard")
	l.flag(p.SubIDsUnavailable, "no_subid")
	l.flag(p.SharedUnavailable, "no_shared")
	l.text("response_info", p.ResponseInfo)
	l.text("server", p.ServerReference)
	l.text("method", p.AuthMethod)
	l.text("data", string(p.AuthData))
	l.text("reason", p.ReasonString)
	l.user(p.UserProperties)
}
