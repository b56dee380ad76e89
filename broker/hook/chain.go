package hook

import (
	"context"
	"fmt"
	"slices"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Chain is an ordered list of plugins, compiled into one list per hook.
// Immutable and safe for concurrent use; a nil Chain has no plugin. A change
// makes a new one.
type Chain struct {
	plugins []Plugin
	onPanic func(plugin, point string, v any)

	onAuth, authOnRegister, authOnPublish, authOnSubscribe, onDeliver, onUnsubscribe []Plugin
	register                                                                         []observer[OnRegister]
	publish                                                                          []observer[OnPublish]
	subscribe                                                                        []observer[OnSubscribe]
	unsubscribed                                                                     []observer[OnTopicUnsubscribed]
	offlineMessage                                                                   []observer[OnOfflineMessage]
	wakeup                                                                           []observer[OnClientWakeup]
	offline                                                                          []observer[OnClientOffline]
	gone                                                                             []observer[OnClientGone]
	expired                                                                          []observer[OnSessionExpired]
	drop                                                                             []observer[OnMessageDrop]
	config                                                                           []observer[OnConfigChange]
	blocksRegister, blocksPublish, blocksSubscribe                                   bool
	authListed, authzListed                                                          bool // by the listener
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
	c := &Chain{plugins: slices.Clone(all), onPanic: onPanic}
	for _, p := range auth {
		c.blocksRegister = with[AuthOnRegister](&c.authOnRegister, p) || c.blocksRegister
		c.blocksRegister = with[OnAuth](&c.onAuth, p) || c.blocksRegister
	}
	for _, p := range authz {
		c.blocksPublish = with[AuthOnPublish](&c.authOnPublish, p) || c.blocksPublish
		c.blocksSubscribe = with[AuthOnSubscribe](&c.authOnSubscribe, p) || c.blocksSubscribe
	}
	for _, p := range all {
		with[OnDeliver](&c.onDeliver, p)
		with[OnUnsubscribe](&c.onUnsubscribe, p)
		observe(&c.register, p)
		observe(&c.publish, p)
		observe(&c.subscribe, p)
		observe(&c.unsubscribed, p)
		observe(&c.offlineMessage, p)
		observe(&c.wakeup, p)
		observe(&c.offline, p)
		observe(&c.gone, p)
		observe(&c.expired, p)
		observe(&c.drop, p)
		observe(&c.config, p)
	}
	return c
}

// with appends p to list if it has the hook T, and reports whether it may
// block.
func with[T any](list *[]Plugin, p Plugin) bool {
	if _, has := p.Hooks.(T); !has {
		return false
	}
	*list = append(*list, p)
	return p.Blocking
}

// BlocksRegister reports whether AuthOnRegister or OnAuth may wait.
func (c *Chain) BlocksRegister() bool { return c != nil && c.blocksRegister }

// BlocksPublish reports whether AuthOnPublish may wait.
func (c *Chain) BlocksPublish() bool { return c != nil && c.blocksPublish }

// BlocksSubscribe reports whether AuthOnSubscribe may wait.
func (c *Chain) BlocksSubscribe() bool { return c != nil && c.blocksSubscribe }

// The verdicts when no plugin decides; their Reason says why.
var (
	nobody    = Verdict{Decision: Deny, Reason: "no enabled plugin has this hook (no_matching_hook_found)"}
	unlisted  = Verdict{Decision: Deny, Reason: "no plugin in the list of the listener has this hook (plugin_chain_exhausted)"}
	exhausted = Verdict{Decision: Deny, Reason: "no plugin said yes (plugin_chain_exhausted)"}
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
func (c *Chain) guard(p Plugin, point string, v *Verdict) {
	if r := recover(); r != nil {
		*v = Verdict{Decision: Deny, Reason: fmt.Sprintf("plugin %s panicked in %s: %v", p.Name, point, r)}
		if c.onPanic != nil {
			c.onPanic(p.Name, point, r)
		}
		return
	}
	if v.Decision > Deny {
		*v = Verdict{Decision: Deny, Reason: fmt.Sprintf("plugin %s answered %d to %s", p.Name, v.Decision, point)}
	}
}

// AuthOnRegister asks whether a client may connect. Default deny.
func (c *Chain) AuthOnRegister(ctx context.Context, r *Register) (Verdict, *RegisterResult) {
	if c == nil {
		return nobody, nil
	}
	for _, p := range c.authOnRegister {
		if v, res := c.callRegister(ctx, p, r); v.Decision != Next {
			return v, res
		}
	}
	return undecided(len(c.authOnRegister), c.authListed), nil
}

func (c *Chain) callRegister(ctx context.Context, p Plugin, r *Register) (v Verdict, res *RegisterResult) {
	defer c.guard(p, "auth_on_register", &v)
	return p.Hooks.(AuthOnRegister).AuthOnRegister(ctx, r)
}

// AuthOnPublish asks whether a message may be published. Default deny.
func (c *Chain) AuthOnPublish(ctx context.Context, q *Publish) (Verdict, *PublishResult) {
	if c == nil {
		return nobody, nil
	}
	for _, p := range c.authOnPublish {
		if v, res := c.callPublish(ctx, p, q); v.Decision != Next {
			return v, res
		}
	}
	return undecided(len(c.authOnPublish), c.authzListed), nil
}

func (c *Chain) callPublish(ctx context.Context, p Plugin, q *Publish) (v Verdict, res *PublishResult) {
	defer c.guard(p, "auth_on_publish", &v)
	return p.Hooks.(AuthOnPublish).AuthOnPublish(ctx, q)
}

// AuthOnSubscribe asks whether filters may be subscribed to. Default deny.
func (c *Chain) AuthOnSubscribe(ctx context.Context, q *Subscribe) (Verdict, *SubscribeResult) {
	if c == nil {
		return nobody, nil
	}
	for _, p := range c.authOnSubscribe {
		if v, res := c.callSubscribe(ctx, p, q); v.Decision != Next {
			return v, res
		}
	}
	return undecided(len(c.authOnSubscribe), c.authzListed), nil
}

func (c *Chain) callSubscribe(ctx context.Context, p Plugin, q *Subscribe) (v Verdict, res *SubscribeResult) {
	defer c.guard(p, "auth_on_subscribe", &v)
	return p.Hooks.(AuthOnSubscribe).AuthOnSubscribe(ctx, q)
}

// OnAuth asks for one step of enhanced authentication. A method that no plugin
// knows is refused with BadAuthenticationMethod.
//
// Spec: MQTT 5.0 §4.12 [MQTT-4.12.0-1].
func (c *Chain) OnAuth(ctx context.Context, a *Auth) (Verdict, *AuthResult) {
	var asked []Plugin
	if c != nil {
		asked = c.onAuth
	}
	for _, p := range asked {
		if v, res := c.callAuth(ctx, p, a); v.Decision != Next {
			return v, res
		}
	}
	v := undecided(len(asked), c != nil && c.authListed)
	v.Code = mqtt.BadAuthenticationMethod
	return v, nil
}

func (c *Chain) callAuth(ctx context.Context, p Plugin, a *Auth) (v Verdict, res *AuthResult) {
	defer c.guard(p, "on_auth", &v)
	return p.Hooks.(OnAuth).OnAuth(ctx, a)
}

// OnDeliver asks what becomes of a delivery. Nobody's opinion lets it through.
func (c *Chain) OnDeliver(ctx context.Context, d *Deliver) (Verdict, *DeliverResult) {
	if c != nil {
		for _, p := range c.onDeliver {
			if v, res := c.callDeliver(ctx, p, d); v.Decision != Next {
				return v, res
			}
		}
	}
	return Accept, nil
}

func (c *Chain) callDeliver(ctx context.Context, p Plugin, d *Deliver) (v Verdict, res *DeliverResult) {
	defer c.guard(p, "on_deliver", &v)
	return p.Hooks.(OnDeliver).OnDeliver(ctx, d)
}

// OnUnsubscribe returns the filters to unsubscribe: those of the first plugin
// that replaces them, else u's own. It cannot be vetoed.
func (c *Chain) OnUnsubscribe(ctx context.Context, u *Unsubscribe) []string {
	if c != nil {
		for _, p := range c.onUnsubscribe {
			if v, filters := c.callUnsubscribe(ctx, p, u); v.Decision == OK {
				if filters != nil {
					return filters
				}
				break
			}
		}
	}
	return u.Filters
}

func (c *Chain) callUnsubscribe(ctx context.Context, p Plugin, u *Unsubscribe) (v Verdict, filters []string) {
	defer c.guard(p, "on_unsubscribe", &v)
	return p.Hooks.(OnUnsubscribe).OnUnsubscribe(ctx, u)
}
