package hook

import "github.com/lunemq/lunemq/broker/mqtt"

// HasOnDeliver reports whether any plugin has OnDeliver.
func (c *Chain) HasOnDeliver() bool { return c != nil && len(c.onDeliver) > 0 }

// HasOnPublish reports whether any plugin has OnPublish.
func (c *Chain) HasOnPublish() bool { return c != nil && len(c.publish) > 0 }

// HasOnMessageDrop reports whether any plugin has OnMessageDrop.
func (c *Chain) HasOnMessageDrop() bool { return c != nil && len(c.drop) > 0 }

// each calls f for every observer; a panic of one does not keep the news from
// the others.
func each[T any](c *Chain, point string, list []entry[T], f func(T)) {
	for _, o := range list {
		func() {
			defer func() {
				if r := recover(); r != nil && c.onPanic != nil {
					c.onPanic(o.plugin, point, r)
				}
			}()
			f(o.hook)
		}()
	}
}

// OnRegister tells that a client has connected.
func (c *Chain) OnRegister(cl *Client, props *Properties) {
	if c != nil {
		each(c, "on_register", c.register, func(h OnRegister) { h.OnRegister(cl, props) })
	}
}

// OnPublish tells that a message was routed.
func (c *Chain) OnPublish(p *Publish) {
	if c != nil {
		each(c, "on_publish", c.publish, func(h OnPublish) { h.OnPublish(p) })
	}
}

// OnSubscribe tells that subscriptions were made.
func (c *Chain) OnSubscribe(s *Subscribe) {
	if c != nil {
		each(c, "on_subscribe", c.subscribe, func(h OnSubscribe) { h.OnSubscribe(s) })
	}
}

// OnTopicUnsubscribed tells that subscriptions are gone; nil = all.
func (c *Chain) OnTopicUnsubscribed(key mqtt.SessionKey, filters []string) {
	if c != nil {
		each(c, "on_topic_unsubscribed", c.unsubscribed, func(h OnTopicUnsubscribed) { h.OnTopicUnsubscribed(key, filters) })
	}
}

// OnOfflineMessage tells that a message was put into an offline queue.
func (c *Chain) OnOfflineMessage(key mqtt.SessionKey, d mqtt.Delivery, m *mqtt.Message) {
	if c != nil && len(c.offlineMessage) > 0 {
		each(c, "on_offline_message", c.offlineMessage, func(h OnOfflineMessage) { h.OnOfflineMessage(key, d, m) })
	}
}

// OnClientWakeup tells that a connection was attached to a session.
func (c *Chain) OnClientWakeup(key mqtt.SessionKey) {
	if c != nil {
		each(c, "on_client_wakeup", c.wakeup, func(h OnClientWakeup) { h.OnClientWakeup(key) })
	}
}

// OnClientOffline tells that a session lost its connection and stays.
func (c *Chain) OnClientOffline(key mqtt.SessionKey) {
	if c != nil {
		each(c, "on_client_offline", c.offline, func(h OnClientOffline) { h.OnClientOffline(key) })
	}
}

// OnClientGone tells that a session ended with its connection.
func (c *Chain) OnClientGone(key mqtt.SessionKey) {
	if c != nil {
		each(c, "on_client_gone", c.gone, func(h OnClientGone) { h.OnClientGone(key) })
	}
}

// OnSessionExpired tells that an offline session was removed.
func (c *Chain) OnSessionExpired(key mqtt.SessionKey) {
	if c != nil {
		each(c, "on_session_expired", c.expired, func(h OnSessionExpired) { h.OnSessionExpired(key) })
	}
}

// OnMessageDrop tells of a drop.
func (c *Chain) OnMessageDrop(d *Drop) {
	if c != nil {
		each(c, "on_message_drop", c.drop, func(h OnMessageDrop) { h.OnMessageDrop(d) })
	}
}

// OnConfigChange tells of keys changed at run time.
func (c *Chain) OnConfigChange(changed map[string]string) {
	if c != nil {
		each(c, "change_config", c.config, func(h OnConfigChange) { h.OnConfigChange(changed) })
	}
}
