package hook

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Chain is an ordered list of plugins, compiled into one list per hook.
// Immutable and safe for concurrent use; a nil Chain has no plugin. A change
// makes a new one.
type Chain struct {
	plugins []Plugin
	onPanic func(plugin, point string, v any)

	onAuth          []entry[OnAuth]
	authOnRegister  []entry[AuthOnRegister]
	authOnPublish   []entry[AuthOnPublish]
	authOnSubscribe []entry[AuthOnSubscribe]
	onDeliver       []entry[OnDeliver]
	onUnsubscribe   []entry[OnUnsubscribe]
	register        []entry[OnRegister]
	publish         []entry[OnPublish]
	subscribe       []entry[OnSubscribe]
	unsubscribed    []entry[OnTopicUnsubscribed]
	offlineMessage  []entry[OnOfflineMessage]
	wakeup          []entry[OnClientWakeup]
	offline         []entry[OnClientOffline]
	gone            []entry[OnClientGone]
	expired         []entry[OnSessionExpired]
	drop            []entry[OnMessageDrop]
	config          []entry[OnConfigChange]

	blocks                  map[string]bool // points whose chain may wait
	largePublish            int             // payload from which auth_on_publish may wait or take long, 0 = any
	largeDeliver            int             // and on_deliver
	authListed, authzListed bool            // by the listener
}

// entry is one hook of one plugin.
type entry[T any] struct {
	hook   T
	plugin string
}

// NewChain compiles plugins in their order. onPanic, which may be nil, is told
// when a plugin panics; the panic counts as a refusal.
func NewChain(plugins []Plugin, onPanic func(plugin, point string, v any)) *Chain {
	return build(plugins, plugins, plugins, onPanic)
}

// Restrict returns the chain of a listener: auth names the plugins asked by
// AuthOnRegister and OnAuth, authz those asked by AuthOnPublish and
// AuthOnSubscribe, both in that order; nil leaves the chain's own. A name that
// is unknown or occurs twice is an error.
//
// Reference 1.4.
func (c *Chain) Restrict(auth, authz []string) (*Chain, error) {
	a, err := c.pick("auth_plugins", auth)
	if err != nil {
		return nil, err
	}
	z, err := c.pick("authz_plugins", authz)
	if err != nil {
		return nil, err
	}
	var onPanic func(plugin, point string, v any)
	if c != nil {
		onPanic = c.onPanic
	}
	r := build(c.Plugins(), a, z, onPanic)
	r.authListed, r.authzListed = auth != nil, authz != nil
	return r, nil
}

func (c *Chain) pick(key string, names []string) ([]Plugin, error) {
	if names == nil {
		return c.Plugins(), nil
	}
	out := []Plugin{}
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			return nil, fmt.Errorf("hook: %s names %q twice", key, n)
		}
		at := slices.IndexFunc(c.Plugins(), func(p Plugin) bool { return p.Name == n })
		if at < 0 {
			return nil, fmt.Errorf("hook: %s names %q, which is not an enabled plugin", key, n)
		}
		out = append(out, c.plugins[at])
	}
	return out, nil
}

// Plugins returns the plugins in order; not to be changed.
func (c *Chain) Plugins() []Plugin {
	if c == nil {
		return nil
	}
	return c.plugins
}

func build(all, auth, authz []Plugin, onPanic func(plugin, point string, v any)) *Chain {
	c := &Chain{plugins: slices.Clone(all), onPanic: onPanic, blocks: map[string]bool{}}
	for _, p := range auth {
		add(c, &c.authOnRegister, "auth_on_register", p)
		add(c, &c.onAuth, "on_auth", p)
	}
	for _, p := range authz {
		add(c, &c.authOnPublish, "auth_on_publish", p)
		add(c, &c.authOnSubscribe, "auth_on_subscribe", p)
	}
	for _, p := range all {
		add(c, &c.onDeliver, "on_deliver", p)
		add(c, &c.onUnsubscribe, "on_unsubscribe", p)
		add(c, &c.register, "on_register", p)
		add(c, &c.publish, "on_publish", p)
		add(c, &c.subscribe, "on_subscribe", p)
		add(c, &c.unsubscribed, "on_topic_unsubscribed", p)
		add(c, &c.offlineMessage, "on_offline_message", p)
		add(c, &c.wakeup, "on_client_wakeup", p)
		add(c, &c.offline, "on_client_offline", p)
		add(c, &c.gone, "on_client_gone", p)
		add(c, &c.expired, "on_session_expired", p)
		add(c, &c.drop, "on_message_drop", p)
		add(c, &c.config, "change_config", p)
	}
	// The observing hooks of a message are called where it is routed.
	c.largePublish = min(large("auth_on_publish", authz), large("on_publish", all), large("on_offline_message", all))
	if c.blocks["auth_on_publish"] {
		c.largePublish = 0
	}
	if c.largeDeliver = large("on_deliver", all); c.blocks["on_deliver"] {
		c.largeDeliver = 0
	}
	return c
}

// large is the payload from which a point of the plugins may take long.
func large(point string, plugins []Plugin) int {
	least := math.MaxInt
	for _, p := range plugins {
		if p.Large > 0 && slices.Contains(p.Points(), point) {
			least = min(least, p.Large)
		}
	}
	return least
}

// add appends p to list if it has the hook T.
func add[T any](c *Chain, list *[]entry[T], point string, p Plugin) {
	h, has := p.Hooks.(T)
	if !has || !p.has(point) {
		return
	}
	*list = append(*list, entry[T]{h, p.Name})
	if p.Blocks != nil && p.Blocks(point) {
		c.blocks[point] = true
	}
}

// BlocksRegister reports whether AuthOnRegister or OnAuth may wait.
func (c *Chain) BlocksRegister() bool {
	return c != nil && (c.blocks["auth_on_register"] || c.blocks["on_auth"])
}

// BlocksPublish reports whether AuthOnPublish may wait for a payload of so many
// bytes.
func (c *Chain) BlocksPublish(payload int) bool { return c != nil && payload >= c.largePublish }

// BlocksSubscribe reports whether AuthOnSubscribe may wait.
func (c *Chain) BlocksSubscribe() bool { return c != nil && c.blocks["auth_on_subscribe"] }

// BlocksUnsubscribe reports whether OnUnsubscribe may wait.
func (c *Chain) BlocksUnsubscribe() bool { return c != nil && c.blocks["on_unsubscribe"] }

// BlocksDeliver reports whether OnDeliver may wait for a payload of so many
// bytes.
func (c *Chain) BlocksDeliver(payload int) bool { return c != nil && payload >= c.largeDeliver }

// The verdicts when no plugin decides; their Reason says why.
var (
	nobody    = Verdict{Decision: Deny, Nobody: true, Reason: "no enabled plugin has this hook (no_matching_hook_found)"}
	unlisted  = Verdict{Decision: Deny, Nobody: true, Reason: "no plugin in the list of the listener has this hook (plugin_chain_exhausted)"}
	exhausted = Verdict{Decision: Deny, Nobody: true, Reason: "no plugin said yes (plugin_chain_exhausted)"}
)

// undecided is the verdict of a chain in which every plugin said next; listed
// says that a listener chose the plugins.
func undecided(asked int, listed bool) Verdict {
	switch {
	case asked > 0:
		return exhausted
	case listed:
		return unlisted
	}
	return nobody
}

// guard turns a panic of a deciding hook, and an answer that is no Decision,
// into a refusal.
func (c *Chain) guard(plugin, point string, v *Verdict) {
	if r := recover(); r != nil {
		*v = Verdict{Decision: Deny, Reason: fmt.Sprintf("plugin %s panicked in %s: %v", plugin, point, r)}
		if c.onPanic != nil {
			c.onPanic(plugin, point, r)
		}
		return
	}
	if v.Decision > Deny {
		*v = Verdict{Decision: Deny, Reason: fmt.Sprintf("plugin %s answered %d to %s", plugin, v.Decision, point)}
	}
}

// AuthOnRegister asks whether a client may connect. Default deny.
func (c *Chain) AuthOnRegister(ctx context.Context, r *Register) (Verdict, *RegisterResult) {
	if c == nil {
		return nobody, nil
	}
	for i := range c.authOnRegister {
		if v, res := c.callRegister(ctx, &c.authOnRegister[i], r); v.Decision != Next {
			return v, res
		}
	}
	return undecided(len(c.authOnRegister), c.authListed), nil
}

func (c *Chain) callRegister(ctx context.Context, e *entry[AuthOnRegister], r *Register) (v Verdict, res *RegisterResult) {
	defer c.guard(e.plugin, "auth_on_register", &v)
	return e.hook.AuthOnRegister(ctx, r)
}

// AuthOnPublish asks whether a message may be published. Default deny.
func (c *Chain) AuthOnPublish(ctx context.Context, q *Publish) (Verdict, *PublishResult) {
	if c == nil {
		return nobody, nil
	}
	for i := range c.authOnPublish {
		if v, res := c.callPublish(ctx, &c.authOnPublish[i], q); v.Decision != Next {
			return v, res
		}
	}
	return undecided(len(c.authOnPublish), c.authzListed), nil
}

func (c *Chain) callPublish(ctx context.Context, e *entry[AuthOnPublish], q *Publish) (v Verdict, res *PublishResult) {
	defer c.guard(e.plugin, "auth_on_publish", &v)
	return e.hook.AuthOnPublish(ctx, q)
}

// AuthOnSubscribe asks whether filters may be subscribed to. Default deny.
func (c *Chain) AuthOnSubscribe(ctx context.Context, q *Subscribe) (Verdict, *SubscribeResult) {
	if c == nil {
		return nobody, nil
	}
	for i := range c.authOnSubscribe {
		if v, res := c.callSubscribe(ctx, &c.authOnSubscribe[i], q); v.Decision != Next {
			return v, res
		}
	}
	return undecided(len(c.authOnSubscribe), c.authzListed), nil
}

func (c *Chain) callSubscribe(ctx context.Context, e *entry[AuthOnSubscribe], q *Subscribe) (v Verdict, res *SubscribeResult) {
	defer c.guard(e.plugin, "auth_on_subscribe", &v)
	return e.hook.AuthOnSubscribe(ctx, q)
}

// OnAuth asks for one step of enhanced authentication. A method that no plugin
// knows is refused with BadAuthenticationMethod.
//
// Spec: MQTT 5.0 §4.12 [MQTT-4.12.0-1].
func (c *Chain) OnAuth(ctx context.Context, a *Auth) (Verdict, *AuthResult) {
	var asked []entry[OnAuth]
	if c != nil {
		asked = c.onAuth
	}
	for i := range asked {
		if v, res := c.callAuth(ctx, &asked[i], a); v.Decision != Next {
			return v, res
		}
	}
	v := undecided(len(asked), c != nil && c.authListed)
	v.Code = mqtt.BadAuthenticationMethod
	return v, nil
}

func (c *Chain) callAuth(ctx context.Context, e *entry[OnAuth], a *Auth) (v Verdict, res *AuthResult) {
	defer c.guard(e.plugin, "on_auth", &v)
	return e.hook.OnAuth(ctx, a)
}

// OnDeliver asks what becomes of a delivery. Nobody's opinion lets it through.
func (c *Chain) OnDeliver(ctx context.Context, d *Deliver) (Verdict, *DeliverResult) {
	if c != nil {
		for i := range c.onDeliver {
			if v, res := c.callDeliver(ctx, &c.onDeliver[i], d); v.Decision != Next {
				return v, res
			}
		}
	}
	return Accept, nil
}

func (c *Chain) callDeliver(ctx context.Context, e *entry[OnDeliver], d *Deliver) (v Verdict, res *DeliverResult) {
	defer c.guard(e.plugin, "on_deliver", &v)
	return e.hook.OnDeliver(ctx, d)
}

// OnUnsubscribe returns the filters to unsubscribe: those of the first plugin
// that replaces them, else u's own. It cannot be vetoed.
func (c *Chain) OnUnsubscribe(ctx context.Context, u *Unsubscribe) []string {
	if c != nil {
		for i := range c.onUnsubscribe {
			if v, filters := c.callUnsubscribe(ctx, &c.onUnsubscribe[i], u); v.Decision == OK {
				if filters != nil {
					return filters
				}
				break
			}
		}
	}
	return u.Filters
}

func (c *Chain) callUnsubscribe(ctx context.Context, e *entry[OnUnsubscribe], u *Unsubscribe) (v Verdict, filters []string) {
	defer c.guard(e.plugin, "on_unsubscribe", &v)
	return e.hook.OnUnsubscribe(ctx, u)
}
