package scripting

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/scripting/luaconv"
)

// lanes is how many workers serve scripts that may wait with news, and
// laneLength how much news may wait for one of them. News of one client is told
// in order.
const (
	lanes      = 4
	laneLength = 4096
)

// observers are the workers. News that finds its lane full is dropped and
// counted.
type observers struct {
	e    *Engine
	seed maphash.Seed

	mu     sync.RWMutex // of closed and of what begins before it; a leaf
	closed bool
	lane   [lanes]chan func()
	done   sync.WaitGroup
}

func (o *observers) init(e *Engine) {
	o.e, o.seed = e, maphash.MakeSeed()
	for i := range o.lane {
		o.lane[i] = make(chan func(), laneLength)
		o.done.Go(func() {
			for f := range o.lane[i] {
				f()
			}
		})
	}
}

func (o *observers) close() {
	o.mu.Lock()
	if !o.closed {
		o.closed = true
		for _, l := range o.lane {
			close(l)
		}
	}
	o.mu.Unlock()
	o.done.Wait()
}

// aside runs the making of a state outside of the loop that found it missing.
func (o *observers) aside(f func()) {
	if o.e.deps.Inline {
		f()
		return
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	if !o.closed {
		o.done.Go(f)
	}
}

func (o *observers) later(key mqtt.SessionKey, f func()) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.closed {
		return
	}
	select {
	case o.lane[maphash.Comparable(o.seed, key)%lanes] <- f:
	default:
		o.e.deps.Metrics.ScriptEventsDropped.Inc(1)
		if n, ok := o.e.dropped.allow(time.Now()); ok {
			o.e.deps.Log.Warn("news for scripts is dropped: they take longer than it comes", "dropped", n+1)
		}
	}
}

// tell calls an observing hook of all scripts: here, or by a worker where the
// script may wait.
func (e *Engine) tell(key mqtt.SessionKey, k slot, arg func(*luaconv.Args) *lua.LTable) {
	for _, s := range *e.scripts.Load() {
		v := s.current.Load()
		if v == nil || !v.has[k] {
			continue
		}
		if v.workers.Load() && !e.deps.Inline {
			e.observers.later(key, func() { e.tellOne(s, k, arg) })
			continue
		}
		e.tellOne(s, k, arg)
	}
}

func (e *Engine) tellOne(s *Script, k slot, arg func(*luaconv.Args) *lua.LTable) {
	c, ok := e.begin(context.Background(), s, k)
	if !ok {
		return
	}
	if c.err == nil {
		c.run(arg(c.in.args))
	}
	c.end(hook.Next)
}

// any reports whether some script has the hook.
func (e *Engine) any(k slot) bool { return e.mask.Load()[k].has }

// OnRegister implements hook.OnRegister.
func (h *Hooks) OnRegister(c *hook.Client, props *hook.Properties) {
	p := *props
	h.engine().tell(c.Key, slotOf(onRegister, c), func(a *luaconv.Args) *lua.LTable { return a.Client(c, &p) })
}

// OnPublish implements hook.OnPublish.
func (h *Hooks) OnPublish(p *hook.Publish) {
	e := h.engine()
	if k := slotOf(onPublish, p.Client); e.any(k) {
		q := *p
		e.tell(q.Client.Key, k, func(a *luaconv.Args) *lua.LTable { return a.Publish(&q) })
	}
}

// OnSubscribe implements hook.OnSubscribe.
func (h *Hooks) OnSubscribe(s *hook.Subscribe) {
	q := *s
	h.engine().tell(q.Client.Key, slotOf(onSubscribe, q.Client), func(a *luaconv.Args) *lua.LTable { return a.Subscribe(&q) })
}

// OnOfflineMessage implements hook.OnOfflineMessage.
func (h *Hooks) OnOfflineMessage(key mqtt.SessionKey, d mqtt.Delivery, m *mqtt.Message) {
	if e := h.engine(); e.any(onOfflineMessage) {
		e.tell(key, onOfflineMessage, func(a *luaconv.Args) *lua.LTable { return a.OfflineMessage(key, d, m) })
	}
}

func (h *Hooks) session(key mqtt.SessionKey, k slot) {
	if e := h.engine(); e.any(k) {
		e.tell(key, k, func(a *luaconv.Args) *lua.LTable { return a.Session(key) })
	}
}

// OnClientWakeup implements hook.OnClientWakeup.
func (h *Hooks) OnClientWakeup(key mqtt.SessionKey) {
	h.session(key, onClientWakeup)
}

// OnClientOffline implements hook.OnClientOffline.
func (h *Hooks) OnClientOffline(key mqtt.SessionKey) {
	h.host.Cache.Drop(key)
	h.session(key, onClientOffline)
}

// OnClientGone implements hook.OnClientGone.
func (h *Hooks) OnClientGone(key mqtt.SessionKey) {
	h.host.Cache.Drop(key)
	h.session(key, onClientGone)
}

// OnSessionExpired implements hook.OnSessionExpired.
func (h *Hooks) OnSessionExpired(key mqtt.SessionKey) {
	h.host.Cache.Drop(key)
	h.session(key, onSessionExpired)
}
