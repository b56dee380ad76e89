package conn

import (
	"context"
	"fmt"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/router"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/topic"
)

// applyRegister applies the modifiers of a registration; what CONNACK carries,
// max_message_rate and the policy for share groups follow later. The client's
// own receive maximum is never exceeded.
//
// Reference 1.6; MQTT 5.0 §3.1.2.11.3.
func applyRegister(mod *hook.RegisterResult, reg *registry.Connection, p *session.Params, asked *packet.Connect) {
	v5 := asked.Version == mqtt.V5
	reg.Info.Keep(nil) // what was derived from the names before
	set(&reg.Info.Key, mod.Key)
	if mod.Username != nil {
		reg.Info.Username, reg.Info.HasUser = *mod.Username, true
	}
	set(&reg.CleanStart, mod.CleanStart)
	set(&reg.Expiry, mod.SessionExpiry)
	if mod.CleanStart != nil && !v5 {
		reg.Expiry = 0
		if !*mod.CleanStart {
			reg.Expiry = store.Forever
		}
	}
	set(&p.MaxMessageSize, mod.MaxMessageSize)
	set(&p.MaxInflight, mod.MaxInflight)
	set(&p.Lifetime, mod.MaxConnectionLifetime)
	if !v5 { // 5.0 forbids repeats on a live connection [MQTT-4.4.0-1]
		set(&p.RetryInterval, mod.RetryInterval)
	}
	set(&p.UpgradeQoS, mod.UpgradeQoS)
	set(&p.Online.Messages, mod.MaxOnlineMessages)
	set(&reg.Offline.Messages, mod.MaxOfflineMessages)
	if mod.ReceiveMaximum != nil && *mod.ReceiveMaximum > 0 {
		p.ReceiveMaximum = int(*mod.ReceiveMaximum)
	}
	if mod.QueueType != nil {
		for _, l := range []*queue.Limits{&p.Online, &reg.Offline} {
			l.LIFO = *mod.QueueType == "lifo"
		}
	}
	if p.MaxInflight == 0 {
		p.MaxInflight = 65535
	}
	if v5 && asked.ReceiveMaximum > 0 { // [MQTT-4.9.0-1]
		p.MaxInflight = min(p.MaxInflight, int(asked.ReceiveMaximum))
	}
}

// choose sets the policy by which members of share groups get what this client
// publishes; nil and names there are none of change nothing. Its will is
// published by the broker's policy.
func (c *Conn) choose(name *string) {
	if name == nil {
		return
	}
	if p, known := router.ParsePolicy(*name); known {
		c.bounds().policy = &p
		c.batch.Choose(&p)
	}
}

// authorise asks whether a message may be published. A plugin that answers with
// what no client could publish counts as refusing.
func (c *Conn) authorise(q *hook.Publish) (hook.Verdict, *hook.PublishResult) {
	v, mod := c.chain.AuthOnPublish(context.Background(), q)
	if v.Decision != hook.OK || mod == nil {
		return v, mod
	}
	if err := c.validTopic(mod.Topic); err != nil {
		return hook.Verdict{Decision: hook.Deny, Reason: err.Error()}, nil
	}
	if mod.QoS != nil && *mod.QoS > mqtt.ExactlyOnce {
		c.srv.Metrics.HookErrors.Inc(1)
		return hook.Verdict{Decision: hook.Deny, Reason: fmt.Sprintf("a plugin answered with QoS %d", *mod.QoS)}, nil
	}
	return v, mod
}

// validTopic checks the topic name a plugin answered with, which may be nil.
func (c *Conn) validTopic(name *string) error {
	if name == nil {
		return nil
	}
	err := topic.ValidateName(*name, 0)
	if err != nil {
		c.srv.Metrics.HookErrors.Inc(1)
		return fmt.Errorf("a plugin answered with topic %q: %w", *name, err)
	}
	return nil
}

// modify applies what the hooks ask for. The message is not yet routed.
//
// Reference 1.7.
func (c *Conn) modify(now time.Time, m *mqtt.Message, mod *hook.PublishResult) {
	set(&m.Topic, mod.Topic)
	set(&m.Payload, mod.Payload)
	set(&m.QoS, mod.QoS)
	set(&m.Retain, mod.Retain)
	set(&m.Mountpoint, mod.Mountpoint)
	set(&m.Properties, mod.Properties)
	if mod.Expiry != nil {
		m.Expires = now.Add(*mod.Expiry)
	}
	if mod.Throttle > 0 {
		c.throttle(now, mod.Throttle)
	}
}

func set[T any](dst *T, src *T) {
	if src != nil {
		*dst = *src
	}
}
