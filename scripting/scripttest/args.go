package scripttest

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/topic"
	"github.com/lunemq/lunemq/scripting/luaconv"
)

func (e *Event) v5() bool { return strings.HasSuffix(e.Hook, "_m5") }

// connections are the clients by their keys, as their last registrations left
// them: rules in auth_cache are valid for one connection.
type connections map[mqtt.SessionKey]*hook.Client

// client is the client that the event is about: a new connection if it asks to be
// registered, else the one there is.
func (e *Event) client() *hook.Client {
	c := e.described()
	old := e.connections[c.Key]
	if point := strings.TrimSuffix(e.Hook, "_m5"); point == "auth_on_register" || old == nil {
		if e.connections != nil {
			e.connections[c.Key] = c
		}
		return c
	}
	old.Username, old.HasUser, old.Version, old.Peer, old.Listener = c.Username, c.HasUser, c.Version, c.Peer, c.Listener
	old.Keep(nil)
	return old
}

func (e *Event) described() *hook.Client {
	c := &hook.Client{Key: mqtt.SessionKey{Mountpoint: e.text("mountpoint", ""), ClientID: e.text("client_id", "test-client")}, Version: mqtt.V311}
	if e.v5() {
		c.Version = mqtt.V5
	}
	c.Username, c.HasUser = e.text("username", ""), e.args["username"] != nil
	c.Peer = address(e.text("addr", "127.0.0.1"), e.number("port"))
	if kind := e.text("listener_type", ""); kind != "" {
		c.Listener.Forward, c.Listener.Type = true, kind
		c.Listener.Addr = address(e.text("listener_addr", "127.0.0.1"), e.number("listener_port"))
		if der := e.text("client_cert", ""); der != "" {
			c.Listener.Cert = &x509.Certificate{Raw: []byte(der)}
		}
	}
	return c
}

// address is an address and a port, the zero value if the address is none.
func address(text string, port int) netip.AddrPort {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(addr, uint16(port))
	}
	return netip.AddrPort{}
}

func (e *Event) message() *mqtt.Message {
	m := &mqtt.Message{Topic: e.text("topic", "test/topic"), Payload: []byte(e.text("payload", "")), QoS: mqtt.QoS(e.number("qos")), Retain: e.truth("retain", false)}
	props, _ := e.args["properties"].(map[string]any)
	var p packet.MessageProperties
	p.ContentType, p.HasContentType = stringOf(props["p_content_type"])
	p.ResponseTopic, p.HasResponseTopic = stringOf(props["p_response_topic"])
	data, has := stringOf(props["p_correlation_data"])
	p.CorrelationData, p.HasCorrelationData = []byte(data), has
	if f, ok := stringOf(props["p_payload_format_indicator"]); ok {
		p.HasPayloadFormat = true
		if f == "utf8" {
			p.PayloadFormat = 1
		}
	}
	if n, ok := props["p_message_expiry_interval"].(float64); ok {
		m.Expires = time.Now().Add(time.Duration(n) * time.Second)
	}
	p.UserProperties = userProperties(props)
	m.Properties = p.Append(nil)
	return m
}

// publish is a message of the client, or its will if it has a will delay
// interval.
func (e *Event) publish() *hook.Publish {
	p := &hook.Publish{Client: e.client(), Message: e.message()}
	props, _ := e.args["properties"].(map[string]any)
	if n, ok := props["p_will_delay_interval"].(float64); ok {
		p.Will, p.WillDelay = true, time.Duration(n)*time.Second
	}
	return p
}

// userProperties reads [{"k": "v"}, ...].
func userProperties(props map[string]any) (list []mqtt.UserProperty) {
	all, _ := props["p_user_property"].([]any)
	for _, one := range all {
		pair, _ := one.(map[string]any)
		for k, v := range pair {
			text, ok := stringOf(v)
			if !ok {
				text = fmt.Sprint(v)
			}
			list = append(list, mqtt.UserProperty{Key: k, Value: text})
		}
	}
	return list
}

// properties are those of CONNECT, SUBSCRIBE and UNSUBSCRIBE.
func (e *Event) properties() hook.Properties {
	props, _ := e.args["properties"].(map[string]any)
	p := hook.Properties{User: userProperties(props)}
	p.AuthMethod, _ = stringOf(props["p_authentication_method"])
	if data, ok := stringOf(props["p_authentication_data"]); ok {
		p.AuthData = []byte(data)
	}
	if n, ok := props["p_session_expiry_interval"].(float64); ok {
		seconds := uint32(n)
		p.SessionExpiry = &seconds
	}
	number := func(name string) float64 { n, _ := props[name].(float64); return n }
	p.ReceiveMaximum, p.MaxPacketSize = uint16(number("p_receive_max")), uint32(number("p_max_packet_size"))
	if n, ok := props["p_topic_alias_max"].(float64); ok {
		most := uint16(n)
		p.TopicAliasMax = &most
	}
	if ids, ok := props["p_subscription_id"].([]any); ok && len(ids) > 0 {
		id, _ := ids[0].(float64)
		p.SubscriptionID = uint32(id)
	}
	truth := func(name string) *bool {
		if b, ok := props[name].(bool); ok {
			return &b
		}
		return nil
	}
	p.RequestResponse, p.RequestProblem = truth("p_request_response_info"), truth("p_request_problem_info")
	return p
}

// topics reads [["a/b", 1], ...] or [["a/b", [1, {...}]], ...].
func (e *Event) topics() (list []hook.Topic, err error) {
	all, _ := e.args["topics"].([]any)
	for _, one := range all {
		t, err := topicOf(one)
		if err != nil {
			return nil, fmt.Errorf(`"topics": %w`, err)
		}
		list = append(list, t)
	}
	if list == nil {
		list = []hook.Topic{{Filter: "test/#", Subscription: mqtt.Subscription{Filter: "test/#"}}}
	}
	return list, nil
}

func topicOf(one any) (t hook.Topic, err error) {
	entry, _ := one.([]any)
	if len(entry) != 2 {
		return t, fmt.Errorf(`want [filter, qos], got %s`, show(one))
	}
	filter, isText := stringOf(entry[0])
	qos, isNumber := entry[1].(float64)
	var options map[string]any
	if pair, ok := entry[1].([]any); ok && len(pair) > 0 {
		qos, isNumber = pair[0].(float64)
		if len(pair) > 1 {
			options, _ = pair[1].(map[string]any)
		}
	}
	if !isNumber || !isText {
		return t, fmt.Errorf(`want [filter, qos], got %s`, show(one))
	}
	share, plain, err := topic.Split(filter)
	if err != nil {
		return t, err
	}
	t = hook.Topic{Filter: filter, Subscription: mqtt.Subscription{Filter: plain, ShareName: share, QoS: mqtt.QoS(qos)}}
	if code := mqtt.ReasonCode(qos); code.IsError() { // refused before
		t.Code, t.Subscription.QoS = code, 0
	}
	t.Subscription.NoLocal, _ = options["no_local"].(bool)
	t.Subscription.RetainAsPublished, _ = options["rap"].(bool)
	if name, ok := options["retain_handling"].(string); ok {
		i := slices.Index(luaconv.RetainHandling[:], name)
		if i < 0 {
			return t, fmt.Errorf("retain_handling: want one of %s, got %q", strings.Join(luaconv.RetainHandling[:], ", "), name)
		}
		t.Subscription.RetainHandling = mqtt.RetainHandling(i)
	}
	if id, ok := options["sub_id"].(float64); ok {
		t.Subscription.ID = uint32(id)
	}
	return t, nil
}

func (e *Event) filters() (list []string) {
	all, _ := e.args["topics"].([]any)
	for _, one := range all {
		if s, ok := stringOf(one); ok {
			list = append(list, s)
		}
	}
	return list
}
