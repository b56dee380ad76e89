package scripting

import (
	"context"
	"errors"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// Hooks is the engine as the broker's hook chain sees it. A script that is
// asked and fails refuses, or counts as undecided with script.on_error = next.
type Hooks Engine

func (h *Hooks) engine() *Engine { return (*Engine)(h) }

// call is one call of a script's hook: begun, run once and ended.
type call struct {
	e     *Engine
	s     *Script
	v     *version
	in    *instance
	slot  slot
	began time.Time
	err   error

	recorded recorded // zero unless the call is recorded
}

// slowCall is how many instructions a call on a loop should execute at most:
// about a millisecond's worth. It is not measured by the clock, which counts the
// pauses of a busy machine as well. Scripts with maxSlow calls above it, or one
// far above it, are moved to workers; those that wait are at once.
const (
	slowCall = 100_000
	farAbove = 10
	maxSlow  = 5
	// stuckCall is what no pause of a busy machine explains: single instructions
	// that take long, on very long strings.
	stuckCall = 2 * time.Second
)

// begin takes a state of a script for one call; false = the script has no such
// hook.
func (e *Engine) begin(ctx context.Context, s *Script, k slot) (c call, ok bool) {
	for {
		v := s.current.Load()
		if v == nil || !v.has[k] {
			return call{}, false
		}
		c = call{e: e, s: s, v: v, slot: k, began: time.Now()}
		c.in, c.err = v.poolFor(k).take(v.cfg.Timeout)
		if c.err == errRetired {
			continue
		}
		s.stats[k].Calls.Inc(1)
		if c.err == nil {
			if waited := time.Since(c.began); waited > 100*time.Microsecond {
				s.stats[k].Waited.Inc(waited.Microseconds())
			}
			c.in.state.Begin(ctx, v.bounded(v.cfg.limits()))
		}
		return c, true
	}
}

// run calls the hook with its argument. An answer that is a table is complete.
func (c *call) run(arg *lua.LTable) lua.LValue {
	if c.s.recording.Load() != nil {
		c.record(arg)
	}
	var ret lua.LValue
	ret, c.err = c.in.state.Run(c.in.fns[c.slot], arg)
	if t, ok := ret.(*lua.LTable); ok {
		c.in.state.Complete(c.in.state.L, t)
	}
	return ret
}

// end gives the state back, counts, and reports an error.
func (c *call) end(d hook.Decision) {
	took := time.Since(c.began)
	st := c.s.stats[c.slot]
	st.Latency.Observe(took)
	switch {
	case c.err != nil:
	case d == hook.OK:
		st.Accepted.Inc(1)
	case d == hook.Deny:
		st.Refused.Inc(1)
	default:
		st.Next.Inc(1)
	}
	if c.recorded.to != nil {
		c.recordEnd(d)
	}
	steps := int64(0)
	if c.in != nil {
		steps = c.in.state.Steps()
		if ok := c.in.state.Reset(); ok {
			c.v.poolFor(c.slot).put(c.in)
		} else {
			c.v.poolFor(c.slot).discard(c.in)
		}
	}
	if c.err != nil {
		c.e.failed(c)
	}
	if c.in != nil && took > stuckCall && !c.v.workers.Load() {
		c.e.moveToWorkers(c.v, "a call of "+c.slot.name()+" took "+took.Round(time.Millisecond).String())
	}
	if steps > slowCall && !c.v.workers.Load() {
		if steps > farAbove*slowCall || c.s.slow.Add(1) >= maxSlow {
			c.e.moveToWorkers(c.v, fmt.Sprintf("calls of %s execute %d instructions", c.slot.name(), steps))
		}
	}
}

// failed counts an error of a call and reports it.
func (e *Engine) failed(c *call) {
	st := c.s.stats[c.slot]
	st.Errors.Inc(1)
	e.deps.Metrics.HookErrors.Inc(1)
	attrs := []any{"script", c.s.name, "hook", c.slot.name(), "error", c.err.Error()}
	var limit *sandbox.LimitError
	var inLua *sandbox.ScriptError
	stack := ""
	switch {
	case errors.As(c.err, &limit):
		st.Breaches.Inc(1)
		stack = limit.Stack
	case errors.As(c.err, &inLua):
		stack = inLua.Stack
	}
	if stack != "" {
		attrs = append(attrs, "stack", stack)
	}
	if n, ok := c.s.lines.allow(time.Now()); ok {
		if n > 0 {
			attrs = append(attrs, "not_logged", n)
		}
		e.deps.Log.Error("a hook of the script failed", attrs...)
	}
}

// verdict is what a script that failed answers: a question of permission is
// refused, others go on as if it had not been asked.
func (c *call) verdict() hook.Verdict {
	if c.v.cfg.OnError == "next" || !c.slot.decides() {
		return hook.Verdict{}
	}
	return hook.Verdict{Decision: hook.Deny, Reason: "script " + c.s.name + " failed in " + c.slot.name() + ": " + c.err.Error()}
}

func barredVerdict(s *Script) hook.Verdict {
	return hook.Verdict{Decision: hook.Deny, Reason: "script " + s.name + " could not be loaded at the start; it refuses until it is mended"}
}

// no is the verdict of a script that said false.
func (c *call) no() hook.Verdict {
	return hook.Verdict{Decision: hook.Deny, InvalidCredentials: c.slot&^m5 == authOnRegister, Reason: "script " + c.s.name + " returned false from " + c.slot.name()}
}

// ask is one question to all scripts in turn: arg makes the argument, read
// reads a table of modifiers. It returns the first decision. secret is what no
// error may show.
func ask[R any](e *Engine, ctx context.Context, k slot, secret []byte, arg func(*luaconv.Args) *lua.LTable, read func(*lua.LTable) (hook.Verdict, R, error)) (v hook.Verdict, r R) {
	for _, s := range *e.scripts.Load() {
		c, ok := e.begin(ctx, s, k)
		if !ok && s.barred(k) && e.cfg.Load().OnError != "next" {
			return barredVerdict(s), r
		}
		if !ok {
			continue
		}
		if c.err == nil {
			ret := c.run(arg(c.in.args))
			v, r = answer(&c, ret, read)
		}
		if c.err != nil {
			c.err = hide(c.err, secret)
			v = c.verdict()
		}
		if c.end(v.Decision); v.Decision != hook.Next {
			return v, r
		}
	}
	return hook.Verdict{}, r
}

// answer reads what a hook returned.
func answer[R any](c *call, ret lua.LValue, read func(*lua.LTable) (hook.Verdict, R, error)) (v hook.Verdict, r R) {
	if c.err != nil {
		return v, r
	}
	d, t := luaconv.Plain(ret)
	switch {
	case t != nil:
		if v, r, c.err = read(t); c.err != nil {
			return hook.Verdict{}, r
		}
	case d == hook.Deny:
		v = c.no()
	default:
		v.Decision = d
	}
	return v, r
}

// AuthOnRegister implements hook.AuthOnRegister.
func (h *Hooks) AuthOnRegister(ctx context.Context, q *hook.Register) (hook.Verdict, *hook.RegisterResult) {
	return ask(h.engine(), lualib.WithClient(ctx, q.Client), slotOf(authOnRegister, q.Client), q.Password, func(a *luaconv.Args) *lua.LTable { return a.Register(q) },
		func(t *lua.LTable) (hook.Verdict, *hook.RegisterResult, error) {
			r, err := luaconv.Register(t, q.Client)
			return hook.Accept, r, err
		})
}

// AuthOnPublish implements hook.AuthOnPublish. It makes no garbage for a plain
// answer.
func (h *Hooks) AuthOnPublish(ctx context.Context, p *hook.Publish) (v hook.Verdict, r *hook.PublishResult) {
	e := h.engine()
	if rule, found := e.host.Cache.Publish(p.Client.Key, p.Client, p.Message); found {
		e.deps.Metrics.AuthCacheHits.Inc(1)
		if rule == nil {
			return hook.Verdict{Decision: hook.Deny, Reason: "no rule that a script inserted into auth_cache permits it"}, nil
		}
		if rule.Modify != nil {
			return hook.Accept, rule.Modify(p.Message)
		}
		return hook.Accept, nil
	}
	k := slotOf(authOnPublish, p.Client)
	for _, s := range *e.scripts.Load() {
		c, ok := e.begin(ctx, s, k)
		if !ok && s.barred(k) && e.cfg.Load().OnError != "next" {
			return barredVerdict(s), nil
		}
		if !ok {
			continue
		}
		if c.err == nil {
			v, r = c.publish(p)
		}
		if c.err != nil {
			v = c.verdict()
		}
		if c.end(v.Decision); v.Decision != hook.Next {
			return v, r
		}
	}
	return hook.Verdict{}, nil
}

func (c *call) publish(p *hook.Publish) (v hook.Verdict, r *hook.PublishResult) {
	ret := c.run(c.in.args.Publish(p))
	if c.err != nil {
		return v, nil
	}
	d, t := luaconv.Plain(ret)
	if t != nil {
		if r, c.err = luaconv.Publish(t, p.Message, p.Client.Version == mqtt.V5); c.err != nil {
			return hook.Verdict{}, nil
		}
	}
	if d == hook.Deny {
		return c.no(), nil
	}
	return hook.Verdict{Decision: d}, r
}

// AuthOnSubscribe implements hook.AuthOnSubscribe.
func (h *Hooks) AuthOnSubscribe(ctx context.Context, q *hook.Subscribe) (hook.Verdict, *hook.SubscribeResult) {
	e := h.engine()
	if v, r, found := e.cachedSubscribe(q); found {
		return v, r
	}
	return ask(e, ctx, slotOf(authOnSubscribe, q.Client), nil, func(a *luaconv.Args) *lua.LTable { return a.Subscribe(q) },
		func(t *lua.LTable) (hook.Verdict, *hook.SubscribeResult, error) {
			r, err := luaconv.Subscribe(t, q)
			return hook.Accept, r, err
		})
}

// cachedSubscribe answers a SUBSCRIBE from the cache of access rules: each of
// its topics must be permitted, else all are refused.
//
// Reference 2.6.
func (e *Engine) cachedSubscribe(q *hook.Subscribe) (v hook.Verdict, r *hook.SubscribeResult, found bool) {
	var topics, more []hook.Topic // more stand behind those that the packet has
	changed := false
	for _, t := range q.Topics {
		if t.Code.IsError() {
			topics = append(topics, t)
			continue
		}
		rule, known := e.host.Cache.Subscribe(q.Client.Key, q.Client, t.Filter, t.Subscription.QoS)
		switch {
		case !known:
			return v, nil, false
		case rule == nil:
			e.deps.Metrics.AuthCacheHits.Inc(1)
			return hook.Verdict{Decision: hook.Deny, Reason: "no rule that a script inserted into auth_cache permits it"}, nil, true
		case len(rule.Topics) > 0:
			changed = true
			for i, to := range rule.Topics {
				sub := t
				sub.Filter, sub.Subscription.Filter, sub.Subscription.ShareName = to.Filter, to.Subscription.Filter, to.Subscription.ShareName
				sub.Subscription.QoS, sub.Code = to.Subscription.QoS, to.Code
				if i == 0 {
					topics = append(topics, sub)
				} else {
					more = append(more, sub)
				}
			}
		default:
			topics = append(topics, t)
		}
	}
	e.deps.Metrics.AuthCacheHits.Inc(1)
	if !changed {
		return hook.Accept, nil, true
	}
	return hook.Accept, &hook.SubscribeResult{Topics: append(topics, more...)}, true
}

// OnUnsubscribe implements hook.OnUnsubscribe.
func (h *Hooks) OnUnsubscribe(ctx context.Context, u *hook.Unsubscribe) (hook.Verdict, []string) {
	return ask(h.engine(), ctx, slotOf(onUnsubscribe, u.Client), nil, func(a *luaconv.Args) *lua.LTable { return a.Unsubscribe(u) },
		func(t *lua.LTable) (hook.Verdict, []string, error) {
			list, err := luaconv.Unsubscribe(t, u.Client.Version == mqtt.V5)
			return hook.Accept, list, err
		})
}

// OnDeliver implements hook.OnDeliver.
func (h *Hooks) OnDeliver(ctx context.Context, d *hook.Deliver) (hook.Verdict, *hook.DeliverResult) {
	return ask(h.engine(), ctx, slotOf(onDeliver, d.Client), nil, func(a *luaconv.Args) *lua.LTable { return a.Deliver(d) },
		func(t *lua.LTable) (hook.Verdict, *hook.DeliverResult, error) {
			r, err := luaconv.Deliver(t, d.Message, d.Client.Version == mqtt.V5)
			return hook.Accept, r, err
		})
}

// OnAuth implements hook.OnAuth.
func (h *Hooks) OnAuth(ctx context.Context, q *hook.Auth) (v hook.Verdict, r *hook.AuthResult) {
	return ask(h.engine(), lualib.WithClient(ctx, q.Client), onAuth+m5, q.Data, func(a *luaconv.Args) *lua.LTable { return a.Auth(q) },
		func(t *lua.LTable) (hook.Verdict, *hook.AuthResult, error) { return luaconv.Auth(t, q) })
}
