//go:build integration

package main

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	paho5 "github.com/eclipse/paho.golang/paho"
	paho "github.com/eclipse/paho.mqtt.golang"
)

// TestIntegration_Paho311 is the Eclipse Go client of MQTT 3.1.1.
func TestIntegration_Paho311(t *testing.T) {
	d := startDaemon(t, t.TempDir())
	connect := func(id string, clean bool) paho.Client {
		t.Helper()
		c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + d.ready["tcp.default"]).SetClientID(id).SetCleanSession(clean).
			SetProtocolVersion(4).SetAutoReconnect(false))
		wait(t, c.Connect())
		return c
	}
	got := make(chan paho.Message, 1000)
	sub := connect("sub", false)
	wait(t, sub.Subscribe("a/#", 2, func(_ paho.Client, m paho.Message) { got <- m }))
	pub := connect("pub", true)
	for i := range 300 {
		wait(t, pub.Publish("a/b", byte(i%3), false, fmt.Sprint(i)))
	}
	seen := map[byte]int{}
	for range 300 {
		m := receive(t, got)
		var i int
		_, _ = fmt.Sscan(string(m.Payload()), &i)
		if last, ok := seen[m.Qos()]; ok && i <= last || m.Qos() != byte(i%3) {
			t.Fatalf("%d after %d with QoS %d", i, last, m.Qos())
		}
		seen[m.Qos()] = i
	}
	sub.Disconnect(100)
	wait(t, pub.Publish("a/later", 1, false, "waits"))
	again := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + d.ready["tcp.default"]).SetClientID("sub").SetCleanSession(false).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { got <- m }))
	wait(t, again.Connect())
	if m := receive(t, got); string(m.Payload()) != "waits" {
		t.Errorf("got %s", m.Payload())
	}
	again.Disconnect(100)
	pub.Disconnect(100)
}

func wait(t *testing.T, tok paho.Token) {
	t.Helper()
	if !tok.WaitTimeout(10 * time.Second) {
		t.Fatal("no answer in 10 s")
	}
	if err := tok.Error(); err != nil {
		t.Fatal(err)
	}
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case x := <-c:
		return x
	case <-time.After(10 * time.Second):
		t.Fatal("nothing arrived in 10 s")
	}
	panic("unreachable")
}

// TestIntegration_Paho5 is the Eclipse Go client of MQTT 5.0.
func TestIntegration_Paho5(t *testing.T) {
	d := startDaemon(t, t.TempDir(), "topic_alias_max_client=10")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got := make(chan *paho5.Publish, 1000)
	connect := func(id string) (*paho5.Client, *paho5.Connack) {
		t.Helper()
		nc, err := net.Dial("tcp", d.ready["tcp.default"])
		if err != nil {
			t.Fatal(err)
		}
		c := paho5.NewClient(paho5.ClientConfig{Conn: nc, OnPublishReceived: []func(paho5.PublishReceived) (bool, error){
			func(p paho5.PublishReceived) (bool, error) {
				got <- p.Packet
				return true, nil
			}}})
		expiry := uint32(100)
		ack, err := c.Connect(ctx, &paho5.Connect{ClientID: id, KeepAlive: 30, Properties: &paho5.ConnectProperties{SessionExpiryInterval: &expiry}})
		if err != nil {
			t.Fatal(err)
		}
		return c, ack
	}
	sub, ack := connect("sub")
	if ack.Properties.TopicAliasMaximum == nil || *ack.Properties.TopicAliasMaximum != 10 {
		t.Error("no topic alias maximum in CONNACK")
	}
	id := 7
	if _, err := sub.Subscribe(ctx, &paho5.Subscribe{Subscriptions: []paho5.SubscribeOptions{{Topic: "a/#", QoS: 2}}, Properties: &paho5.SubscribeProperties{SubscriptionIdentifier: &id}}); err != nil {
		t.Fatal(err)
	}
	pub, _ := connect("pub")
	format, expiry := byte(1), uint32(60)
	for i := range 90 {
		props := &paho5.PublishProperties{ContentType: "text/plain", ResponseTopic: "answer", CorrelationData: []byte{1, 2}, PayloadFormat: &format, MessageExpiry: &expiry}
		props.User.Add("k", "1").Add("k", "2")
		if _, err := pub.Publish(ctx, &paho5.Publish{Topic: "a/b", QoS: byte(i % 3), Payload: fmt.Append(nil, i), Properties: props}); err != nil {
			t.Fatal(err)
		}
	}
	for range 90 {
		p := receive(t, got)
		u := p.Properties.User
		if p.Properties.ContentType != "text/plain" || p.Properties.ResponseTopic != "answer" || string(p.Properties.CorrelationData) != "\x01\x02" ||
			len(u) != 2 || u[0].Value != "1" || u[1].Value != "2" || p.Properties.SubscriptionIdentifier == nil || *p.Properties.SubscriptionIdentifier != 7 ||
			p.Properties.MessageExpiry == nil || *p.Properties.MessageExpiry > 60 {
			t.Fatalf("properties changed: %+v", p.Properties)
		}
	}
	d.stop() // 5.0 clients are told
	if !d.said("lunemq has stopped") {
		t.Error("no orderly stop in the log")
	}
}
