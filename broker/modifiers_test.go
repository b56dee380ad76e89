package broker_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// modifier is a plugin compiled in, under the name lua, that lets everything
// through, with modifiers by client identifier, and for messages by topic.
type modifier struct {
	register map[string]*hook.RegisterResult
	publish  map[string]*hook.PublishResult
}

func (modifier) Name() string            { return "lua" }
func (modifier) Start(*broker.API) error { return nil }
func (modifier) Configure() error        { return nil }
func (modifier) Close()                  {}
func (m modifier) Plugin() hook.Plugin   { return hook.Plugin{Name: "lua", Hooks: m} }

func (m modifier) AuthOnRegister(_ context.Context, r *hook.Register) (hook.Verdict, *hook.RegisterResult) {
	return hook.Accept, m.register[r.Client.Key.ClientID]
}

func (m modifier) AuthOnPublish(_ context.Context, p *hook.Publish) (hook.Verdict, *hook.PublishResult) {
	return hook.Accept, m.publish[p.Message.Topic]
}

func startModifier(t *testing.T, m modifier) *brokertest.Broker {
	return brokertest.Start(t, brokertest.Options{Set: []string{"allow_anonymous=off", "plugins.lua=on", "plugins.lua.priority=1"}, Extensions: []broker.Extension{m}})
}

// fields returns the names of a structure's fields.
func fields[T any]() (names []string) {
	for i := range reflect.TypeFor[T]().NumField() {
		names = append(names, reflect.TypeFor[T]().Field(i).Name)
	}
	return names
}

func ptr[T any](v T) *T { return &v }

// world is a broker with a client that was modified, and one that was not.
type world struct {
	*testing.T
	b   *brokertest.Broker
	c   *brokertest.Client
	ack *packet.Connack
	pub *brokertest.Client
	id  string
}

func (w *world) info() (connected bool, queued int, durable bool, user string) {
	c := w.b.Registry.Get(mqtt.SessionKey{ClientID: w.id})
	if c == nil {
		return false, 0, false, ""
	}
	i, _ := c.Info(false)
	return i.Online, i.Queued, i.Durable, i.Username
}

// publish sends n messages of QoS 1 on the client's own topic.
func (w *world) publish(n int) {
	for i := range n {
		w.pub.Publish(packet.Publish{Topic: w.id, Payload: []byte{'0' + byte(i)}, QoS: 1})
	}
}

// away ends the client's connection and waits until the broker knows.
func (w *world) away() {
	w.c.Send(&packet.Disconnect{})
	w.c.Ended()
	for online := true; online; online, _, _, _ = w.info() {
		<-time.After(time.Millisecond)
	}
}

// registerCases are the modifiers of a registration and how each is seen.
var registerCases = map[string]struct {
	mod     hook.RegisterResult
	connect packet.Connect
	check   func(w *world)
}{
	"Key": {hook.RegisterResult{Key: &mqtt.SessionKey{Mountpoint: "m", ClientID: "renamed"}}, packet.Connect{Version: 5}, func(w *world) {
		w.c.Subscribe(0, "t")
		w.pub.Publish(packet.Publish{Topic: "t"})
		w.c.Publish(packet.Publish{Topic: "t", Payload: []byte("own"), QoS: 1})
		if w.b.Registry.Get(mqtt.SessionKey{Mountpoint: "m", ClientID: "renamed"}) == nil || string(w.c.Take().Payload) != "own" {
			w.Error("not moved")
		}
	}},
	"Username": {hook.RegisterResult{Username: ptr("other")}, packet.Connect{Version: 4, CleanStart: true}, func(w *world) {
		if _, _, _, user := w.info(); user != "other" {
			w.Errorf("user name %q", user)
		}
	}},
	"CleanStart": {hook.RegisterResult{CleanStart: ptr(false)}, packet.Connect{Version: 4, CleanStart: true}, func(w *world) {
		if _, _, durable, _ := w.info(); !durable {
			w.Error("the session is not kept")
		}
	}},
	"SessionExpiry": {hook.RegisterResult{SessionExpiry: ptr(7 * time.Second)}, packet.Connect{Version: 5}, func(w *world) {
		if _, _, durable, _ := w.info(); !durable || w.ack.SessionExpiry != 7 {
			w.Errorf("announced %d s, kept %v", w.ack.SessionExpiry, durable)
		}
	}},
	"MaxMessageSize": {hook.RegisterResult{MaxMessageSize: ptr(50)}, packet.Connect{Version: 5}, func(w *world) {
		w.c.Send(&packet.Publish{Topic: "t", Payload: make([]byte, 60)})
		if d := w.c.Ended(); d == nil || d.Code != mqtt.PacketTooLarge || w.ack.MaximumPacketSize != 50 {
			w.Errorf("got %+v, announced %d", d, w.ack.MaximumPacketSize)
		}
	}},
	"MaxMessageRate": {hook.RegisterResult{MaxMessageRate: ptr(1)}, packet.Connect{Version: 5}, func(w *world) {
		w.c.Send(&packet.Publish{Topic: "t"}, &packet.Pingreq{})
		w.c.Silent(30 * time.Millisecond)
	}},
	"MaxInflight": {hook.RegisterResult{MaxInflight: ptr(2)}, packet.Connect{Version: 4, CleanStart: true}, func(w *world) {
		w.c.Subscribe(1, w.id)
		w.publish(4)
		brokertest.Next[*packet.Publish](w.c)
		brokertest.Next[*packet.Publish](w.c)
		w.c.Quiet()
	}},
	"ReceiveMaximum": {hook.RegisterResult{ReceiveMaximum: ptr(uint16(9)), MaxInflight: ptr(100)}, packet.Connect{Version: 5, ReceiveMaximum: 1}, func(w *world) {
		if w.ack.ReceiveMaximum != 9 {
			w.Errorf("announced %d", w.ack.ReceiveMaximum)
		}
		w.c.Subscribe(1, w.id) // MaxInflight does not exceed what the client takes
		w.publish(2)
		brokertest.Next[*packet.Publish](w.c)
		w.c.Quiet()
	}},
	"MaxConnectionLifetime": {hook.RegisterResult{MaxConnectionLifetime: ptr(30 * time.Millisecond)}, packet.Connect{Version: 5}, func(w *world) {
		if d := w.c.Ended(); d == nil || d.Code != mqtt.AdministrativeAction {
			w.Errorf("got %+v", d)
		}
	}},
	"RetryInterval": {hook.RegisterResult{RetryInterval: ptr(20 * time.Millisecond)}, packet.Connect{Version: 4, CleanStart: true}, func(w *world) {
		w.c.Subscribe(1, w.id)
		w.publish(1)
		brokertest.Next[*packet.Publish](w.c)
		if !brokertest.Next[*packet.Publish](w.c).Dup {
			w.Error("no repeat")
		}
	}},
	"UpgradeQoS": {hook.RegisterResult{UpgradeQoS: ptr(true)}, packet.Connect{Version: 4, CleanStart: true}, func(w *world) {
		w.c.Subscribe(1, w.id)
		w.pub.Publish(packet.Publish{Topic: w.id})
		if w.c.Take().QoS != 1 {
			w.Error("QoS not raised")
		}
	}},
	"MaxOnlineMessages": {hook.RegisterResult{MaxOnlineMessages: ptr(2), MaxInflight: ptr(1)}, packet.Connect{Version: 4, CleanStart: true}, func(w *world) {
		w.c.Subscribe(1, w.id)
		w.publish(6)
		if _, queued, _, _ := w.info(); queued != 2 {
			w.Errorf("%d wait", queued)
		}
	}},
	"MaxOfflineMessages": {hook.RegisterResult{MaxOfflineMessages: ptr(2)}, packet.Connect{Version: 4}, func(w *world) {
		w.c.Subscribe(1, w.id)
		w.away()
		w.publish(6)
		if _, queued, _, _ := w.info(); queued != 2 {
			w.Errorf("%d wait", queued)
		}
	}},
	"QueueType": {hook.RegisterResult{QueueType: ptr("lifo")}, packet.Connect{Version: 4}, func(w *world) {
		w.c.Subscribe(1, w.id)
		w.away()
		w.publish(2)
		w.c, _ = w.b.Connect(packet.Connect{Version: 4, ClientID: w.id})
		payloads(w.T, w.c, "1", "0")
	}},
	"SharedSubscriptionPolicy": {hook.RegisterResult{SharedSubscriptionPolicy: ptr("random")}, packet.Connect{Version: 5}, func(w *world) {
		if turns(w, w.c) || !turns(w, w.pub) {
			w.Error("messages of the one client are to be shared at random, those of the other turn by turn")
		}
	}},
	"UserProperties": {hook.RegisterResult{UserProperties: []mqtt.UserProperty{{Key: "k", Value: "v"}}}, packet.Connect{Version: 5}, func(w *world) {
		if len(w.ack.UserProperties) != 1 || w.ack.UserProperties[0].Key != "k" {
			w.Errorf("got %v", w.ack.UserProperties)
		}
	}},
}

// TestRegisterResult: each modifier of a registration has its effect.
//
// Reference 1.6.
func TestRegisterResult(t *testing.T) {
	m := modifier{register: map[string]*hook.RegisterResult{}}
	for name, c := range registerCases {
		m.register[name] = &c.mod
	}
	b := startModifier(t, m)
	for _, name := range fields[hook.RegisterResult]() {
		t.Run(name, func(t *testing.T) {
			c, tested := registerCases[name]
			if !tested {
				t.Fatal("this modifier is not tested")
			}
			w := &world{T: t, b: b, id: name}
			w.pub, _ = b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
			c.connect.ClientID = name
			w.c, w.ack = b.Connect(c.connect)
			c.check(w)
			w.c.Close()
			w.pub.Close()
		})
	}
	b.Balanced()
}

// turns reports whether 40 messages of a client go to two members of a share
// group in turns.
func turns(w *world, from *brokertest.Client) bool {
	var members [2]*brokertest.Client
	for i := range members {
		members[i], _ = w.b.Connect(packet.Connect{ClientID: "member" + string('0'+rune(i)), CleanStart: true})
		members[i].Subscribe(0, "$share/g/shared")
	}
	order := ""
	for range 40 {
		from.Publish(packet.Publish{Topic: "shared", QoS: 1}) // acknowledged when it is routed
		for i, m := range members {
			m.Send(&packet.Pingreq{})
			if p, _ := m.Receive(); p.Type() == packet.TypePublish {
				order += string('0' + rune(i))
				_, _ = m.Receive()
			}
		}
	}
	for _, m := range members {
		m.Close()
	}
	return strings.Contains("0"+strings.Repeat("10", 20), order) && len(order) == 40
}

// TestPublishResult: each modifier of a message has its effect, on wills too.
//
// Reference 1.7.
func TestPublishResult(t *testing.T) {
	properties := (&packet.MessageProperties{ContentType: "text", HasContentType: true}).Append(nil)
	cases := map[string]struct {
		mod  hook.PublishResult
		want packet.Publish // of what a subscriber of everything gets
	}{
		"Topic":      {hook.PublishResult{Topic: ptr("other")}, packet.Publish{Topic: "other", QoS: 1, Payload: []byte("x")}},
		"Payload":    {hook.PublishResult{Payload: ptr([]byte("new"))}, packet.Publish{Topic: "Payload", QoS: 1, Payload: []byte("new")}},
		"QoS":        {hook.PublishResult{QoS: ptr(mqtt.ExactlyOnce)}, packet.Publish{Topic: "QoS", QoS: 2, Payload: []byte("x")}},
		"Retain":     {hook.PublishResult{Retain: ptr(true)}, packet.Publish{Topic: "Retain", QoS: 1, Payload: []byte("x"), Retain: true}},
		"Mountpoint": {hook.PublishResult{Mountpoint: ptr("m")}, packet.Publish{Topic: "Mountpoint", QoS: 1, Payload: []byte("x")}},
		"Throttle":   {hook.PublishResult{Throttle: 40 * time.Millisecond}, packet.Publish{Topic: "Throttle", QoS: 1, Payload: []byte("x")}},
		"Properties": {hook.PublishResult{Properties: &properties}, packet.Publish{Topic: "Properties", QoS: 1, Payload: []byte("x"), Properties: properties}},
		"Expiry":     {hook.PublishResult{Expiry: ptr(100 * time.Second)}, packet.Publish{Topic: "Expiry", QoS: 1, Payload: []byte("x"), HasMessageExpiry: true, MessageExpiry: 100}},
		"WillDelay":  {hook.PublishResult{WillDelay: ptr(time.Duration(0))}, packet.Publish{Topic: "WillDelay", QoS: 1, Payload: []byte("x")}},
	}
	m := modifier{register: map[string]*hook.RegisterResult{"elsewhere": {Key: &mqtt.SessionKey{Mountpoint: "m", ClientID: "elsewhere"}}}, publish: map[string]*hook.PublishResult{}}
	for name, c := range cases {
		m.publish[name] = &c.mod
	}
	b := startModifier(t, m)
	for _, name := range fields[hook.PublishResult]() {
		for _, will := range []bool{false, true} {
			c, tested := cases[name]
			if !tested {
				t.Fatalf("modifier %s is not tested", name)
			}
			sub, other := packet.Connect{ClientID: "here", CleanStart: true}, packet.Connect{ClientID: "elsewhere", CleanStart: true}
			if name == "Mountpoint" {
				sub, other = other, sub
			}
			to, _ := b.Connect(sub)
			to.Send(&packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: "#", QoS: 2, RetainAsPublished: true, RetainHandling: mqtt.DoNotSendRetained}}})
			brokertest.Next[*packet.Suback](to)
			none, _ := b.Connect(other)
			none.Send(&packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: "#", QoS: 2, RetainHandling: mqtt.DoNotSendRetained}}})
			brokertest.Next[*packet.Suback](none)
			publishModified(b, name, will)
			got := to.Take()
			got.PacketID, got.Payload, got.Properties = 0, append([]byte{}, got.Payload...), append([]byte(nil), got.Properties...)
			if got.MessageExpiry == 99 { // a second has passed
				got.MessageExpiry++
			}
			if !reflect.DeepEqual(*got, c.want) {
				t.Errorf("%s, will %v: got %+v, want %+v", name, will, *got, c.want)
			}
			none.Quiet()
			to.Close()
			none.Close()
		}
	}
	if b.Router.Retained().Get("", "Retain") == nil {
		t.Error("Retain: nothing was retained")
	}
	b.Balanced()
}

// TestPublishResult_Invalid: what a plugin makes of a message that no client
// could publish is refused.
func TestPublishResult_Invalid(t *testing.T) {
	b := startModifier(t, modifier{publish: map[string]*hook.PublishResult{"wildcard": {Topic: ptr("a/#")}, "empty": {Topic: ptr("")}, "qos": {QoS: ptr(mqtt.QoS(3))}}})
	sub, _ := b.Connect(packet.Connect{ClientID: "sub", CleanStart: true})
	sub.Subscribe(2, "#")
	for _, name := range []string{"wildcard", "empty", "qos"} {
		pub, _ := b.Connect(packet.Connect{ClientID: "pub", CleanStart: true})
		if code := pub.Publish(packet.Publish{Topic: name, QoS: 1}); code != mqtt.NotAuthorized {
			t.Errorf("%s: %s", name, code)
		}
		pub.Close()
		x := brokertest.NewClient(t, b.Dial(), mqtt.V5)
		x.Send(&packet.Connect{Version: 5, ClientID: "will", Will: &packet.Will{Topic: name}})
		if ack := brokertest.Next[*packet.Connack](x); ack.Code != mqtt.NotAuthorized {
			t.Errorf("will %s: %s", name, ack.Code)
		}
	}
	sub.Quiet()
	if n := b.Metrics.HookErrors.Count(); n != 6 {
		t.Errorf("%d errors of plugins were counted, want 6", n)
	}
	b.Balanced()
}

// publishModified publishes, or leaves a will, of QoS 1. A publisher that is
// throttled is not heard for a while.
func publishModified(b *brokertest.Broker, topic string, will bool) {
	connect := packet.Connect{ClientID: "publisher", CleanStart: true}
	if will {
		connect.Will = &packet.Will{Topic: topic, Payload: []byte("x"), QoS: 1}
	}
	if will && topic == "WillDelay" { // which the plugin makes none
		connect.HasSessionExpiry, connect.SessionExpiry, connect.Will.Delay = true, 1000, 1000
	}
	pub, _ := b.Connect(connect)
	defer pub.Close()
	switch {
	case will:
	case topic == "Throttle":
		pub.Send(&packet.Publish{Topic: topic, Payload: []byte("x"), QoS: 1, PacketID: 1}, &packet.Pingreq{})
		brokertest.Next[*packet.Puback](pub)
		pub.Silent(20 * time.Millisecond)
	default:
		pub.Publish(packet.Publish{Topic: topic, Payload: []byte("x"), QoS: 1})
	}
}
