package wiretest

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// scripted is the plugin of scripts with the directive "hooks": what it does is
// written in the topics, user names and data it is asked about. It is asked
// before the ACL and passes on what does not concern it.
//
//	publish to deny/CODE         refused with that reason code and a reason string
//	publish to throttle/...      the publisher is not read for 3 s
//	publish to rewrite/TOPIC     becomes TOPIC with QoS 1 and payload REWRITTEN
//	subscribe to deny/CODE       the whole SUBSCRIBE is refused, with a reason string
//	subscribe to entry/CODE      that entry is refused
//	subscribe to lower/...       granted with QoS 0
//	subscribe to told/...        the SUBACK carries a user property
//	connect as CODE              refused with that reason code, with a server reference
//	deliver of out/drop/...      dropped, with "hooks deliver"
//	deliver of out/mine/TOPIC    becomes TOPIC with the payload FOR CLIENT, for 5.0 with a user property too
//	authenticate with SCRIPTED   data "again" asks for more, "yes" ends it, all else is refused
type scripted struct{}

// AuthOnPublish implements hook.AuthOnPublish.
func (scripted) AuthOnPublish(_ context.Context, p *hook.Publish) (hook.Verdict, *hook.PublishResult) {
	switch word, rest, _ := strings.Cut(p.Message.Topic, "/"); word {
	case "deny":
		return refusal(rest), nil
	case "throttle":
		return hook.Accept, &hook.PublishResult{Throttle: 3 * time.Second}
	case "rewrite":
		topic, payload, qos := rest, []byte("REWRITTEN"), mqtt.AtLeastOnce
		return hook.Accept, &hook.PublishResult{Topic: &topic, Payload: &payload, QoS: &qos}
	}
	return hook.Verdict{}, nil
}

// AuthOnSubscribe implements hook.AuthOnSubscribe.
func (scripted) AuthOnSubscribe(_ context.Context, s *hook.Subscribe) (hook.Verdict, *hook.SubscribeResult) {
	mod := &hook.SubscribeResult{}
	for _, t := range s.Topics {
		switch word, rest, _ := strings.Cut(t.Filter, "/"); word {
		case "deny":
			return refusal(rest), nil
		case "entry":
			t.Code, _ = mqtt.ParseReasonCode(rest)
		case "lower":
			t.Subscription.QoS = mqtt.AtMostOnce
		case "told":
			mod.UserProperties = append(mod.UserProperties, mqtt.UserProperty{Key: "told", Value: rest})
		}
		mod.Topics = append(mod.Topics, t)
	}
	return hook.Accept, mod
}

// AuthOnRegister implements hook.AuthOnRegister.
func (scripted) AuthOnRegister(_ context.Context, r *hook.Register) (hook.Verdict, *hook.RegisterResult) {
	if v := refusal(r.Client.Username); v.Code != 0 {
		v.ServerReference = "other.example"
		v.InvalidCredentials = v.Code == mqtt.BadUserNameOrPassword
		return v, nil
	}
	return hook.Accept, &hook.RegisterResult{UserProperties: []mqtt.UserProperty{{Key: "from", Value: "hook"}}}
}

// OnAuth implements hook.OnAuth.
func (scripted) OnAuth(_ context.Context, a *hook.Auth) (hook.Verdict, *hook.AuthResult) {
	switch {
	case a.Method != "SCRIPTED":
		return hook.Verdict{}, nil
	case bytes.Equal(a.Data, []byte("again")):
		return hook.Accept, &hook.AuthResult{Continue: true, Data: []byte("more")}
	case bytes.Equal(a.Data, []byte("yes")):
		return hook.Accept, &hook.AuthResult{Data: []byte("done")}
	}
	return hook.Verdict{Decision: hook.Deny}, nil
}

// OnDeliver implements hook.OnDeliver.
func (scripted) OnDeliver(_ context.Context, d *hook.Deliver) (hook.Verdict, *hook.DeliverResult) {
	rest, ours := strings.CutPrefix(d.Message.Topic, "out/")
	switch word, topic, _ := strings.Cut(rest, "/"); {
	case ours && word == "drop":
		return hook.Verdict{Decision: hook.Deny}, nil
	case ours && word == "mine":
		payload := []byte("FOR " + d.Client.Key.ClientID)
		mod := &hook.DeliverResult{Topic: &topic, Payload: &payload}
		if d.Client.Version == mqtt.V5 {
			p := packet.MessageProperties{UserProperties: []mqtt.UserProperty{{Key: "to", Value: d.Client.Key.ClientID}}}
			enc := p.Append(nil)
			mod.Properties = &enc
		}
		return hook.Accept, mod
	}
	return hook.Verdict{}, nil
}

func refusal(name string) hook.Verdict {
	code, _ := mqtt.ParseReasonCode(name)
	return hook.Verdict{Decision: hook.Deny, Code: code, Reason: "scripted", ReasonString: "because " + name}
}
