package broker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/topic"
	"github.com/lunemq/lunemq/telemetry/alarm"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// Extension is a plugin that the composer brings and that plugins.NAME switches
// on and off: the Lua scripts, or one compiled in. Its methods are called one at
// a time.
type Extension interface {
	// Name is the plugin's name in the configuration.
	Name() string
	// Start is called when the plugin is switched on. api is valid until Close
	// returns.
	Start(api *API) error
	// Configure is called when the configuration was reloaded while the plugin
	// is on. With an error what was in force stays.
	Configure() error
	// Plugin returns the hooks; it is called each time the chain is made, and
	// after API.Changed. It must not block.
	Plugin() hook.Plugin
	// Close is called when the plugin is switched off and no chain has it any
	// longer, and when the broker stops. Calls in flight may still finish.
	Close()
}

// API is what a plugin may ask of the broker. Safe for concurrent use.
type API struct {
	b       *Broker
	Log     *slog.Logger
	Metrics *metric.Broker
	Alarms  *alarm.List

	rechain chan struct{} // room for one
	stop    chan struct{}
	done    sync.WaitGroup
}

func (b *Broker) newAPI() *API {
	a := &API{b: b, Log: b.Log, Metrics: b.Metrics, Alarms: b.Alarms, rechain: make(chan struct{}, 1), stop: make(chan struct{})}
	a.done.Go(func() {
		for {
			select {
			case <-a.stop:
				return
			case <-a.rechain:
				b.remake(a.stop)
			}
		}
	})
	return a
}

func (a *API) close() {
	close(a.stop)
	a.done.Wait()
}

// lockUnless takes b.mu unless stop is closed first: who closes it may hold the
// lock and wait for the caller.
func (b *Broker) lockUnless(stop <-chan struct{}) (locked bool) {
	for !b.mu.TryLock() {
		select {
		case <-stop:
			return false
		case <-time.After(time.Millisecond):
		}
	}
	return true
}

// remake makes the chains anew because a plugin has changed.
func (b *Broker) remake(stop <-chan struct{}) {
	if !b.lockUnless(stop) {
		return
	}
	defer b.mu.Unlock()
	if err := b.rechain(b.cfg); err != nil {
		b.Log.Error("the plugins' hooks were not put in force", "err", err)
	}
}

// Changed says that the plugin takes part in other hooks than before, or may
// wait in others. It returns at once.
func (a *API) Changed() {
	select {
	case a.rechain <- struct{}{}:
	default: // it will be seen with the one before
	}
}

// Disconnect ends a client's connection, with cleanup its session too; false =
// there is no such client.
func (a *API) Disconnect(key mqtt.SessionKey, cleanup bool) bool {
	return a.b.Registry.Disconnect(time.Now(), key, mqtt.AdministrativeAction, cleanup)
}

// Subscriptions returns what a client is subscribed to; false = there is no
// such client.
func (a *API) Subscriptions(key mqtt.SessionKey) ([]mqtt.Subscription, bool) {
	c := a.b.Registry.Get(key)
	if c == nil {
		return nil, false
	}
	info, ok := c.Info(true)
	list := make([]mqtt.Subscription, 0, len(info.Subscriptions))
	for _, s := range info.Subscriptions {
		list = append(list, s)
	}
	return list, ok
}

// Publish routes a message that comes from no client, without asking
// auth_on_publish. m must not be changed afterwards.
func (a *API) Publish(now time.Time, m *mqtt.Message) { a.b.Server.Inject(now, nil, m, false) }

// Reauthorize asks auth_on_subscribe again about each subscription of a
// client, as the given user, and removes those that are refused now. It returns
// at once; the questions are asked by another goroutine.
func (a *API) Reauthorize(username string, key mqtt.SessionKey) {
	a.b.background.Go(func() { a.b.reauthorize(username, key) })
}

func (b *Broker) reauthorize(username string, key mqtt.SessionKey) {
	c := b.Registry.Get(key)
	if c == nil {
		return
	}
	info, ok := c.Info(true)
	if !ok {
		return
	}
	who := &hook.Client{Key: key, Version: mqtt.V311}
	if i := info.Client; i != nil {
		who.Version, who.Bridge, who.Peer, who.Listener = i.Version, i.Bridge, i.Peer, i.Listener
	}
	who.Username, who.HasUser = username, username != ""
	for sent, sub := range info.Subscriptions {
		q := &hook.Subscribe{Client: who, Topics: []hook.Topic{{Filter: sent, Subscription: sub}}}
		v, mod := b.chainFor(who).AuthOnSubscribe(context.Background(), q)
		keep := v.Decision == hook.OK
		if keep && mod != nil && mod.Topics != nil {
			keep = len(mod.Topics) > 0 && !mod.Topics[0].Code.IsError()
			if keep {
				b.resubscribe(key, sent, &mod.Topics[0].Subscription)
				continue
			}
		}
		if !keep {
			b.Log.Info("a subscription was refused by re-authorisation and removed", "client_id", key.ClientID, "mountpoint", key.Mountpoint, "filter", sent, "reason", v.Reason)
			b.resubscribe(key, sent, nil)
		}
	}
}

// chainFor returns the chain of the listener that the client came through.
func (b *Broker) chainFor(c *hook.Client) *hook.Chain {
	if !b.lockUnless(b.stopping) {
		return b.chain.Load()
	}
	defer b.mu.Unlock()
	for _, d := range b.doors {
		if d.name == c.Listener.Name {
			return d.chain.Load()
		}
	}
	return b.chain.Load()
}

// resubscribe replaces the subscription of a client that was sent as a filter;
// nil removes it. What it had not been sent for a share group goes to others.
func (b *Broker) resubscribe(key mqtt.SessionKey, sent string, sub *mqtt.Subscription) {
	c := b.Registry.Get(key)
	if c == nil {
		return
	}
	var batch store.Batch
	var moved []mqtt.Queued
	c.Lock()
	st := c.Session()
	if st == nil {
		c.Unlock()
		return
	}
	old, had := st.Subscription(sent)
	if had && sub != nil && topic.Join(sub.ShareName, sub.Filter) == sent {
		st.Subscribed(sent, *sub)
		b.Router.Subscribe(key.Mountpoint, *sub, c)
	} else if had {
		st.Unsubscribed(sent)
		b.Router.Unsubscribe(key.Mountpoint, old, c)
		if old.ShareName != "" {
			moved = st.Unsent(&mqtt.Share{Name: old.ShareName, Filter: old.Filter}, &batch)
		}
		if sub != nil {
			st.Subscribed(topic.Join(sub.ShareName, sub.Filter), *sub)
			b.Router.Subscribe(key.Mountpoint, *sub, c)
		}
	}
	st.PutSubscription(&batch, sent)
	if sub != nil {
		st.PutSubscription(&batch, topic.Join(sub.ShareName, sub.Filter))
	}
	c.Unlock()
	flush := b.Registry.HandOver(time.Now(), c, true, moved, &batch)
	if !batch.Empty() {
		batch.Submit(b.Store, func(err error) {
			if err != nil {
				b.Log.Error("store: commit failed", "err", err)
			}
		})
	}
	flush()
	if had {
		b.chain.Load().OnTopicUnsubscribed(key, []string{sent})
	}
}
