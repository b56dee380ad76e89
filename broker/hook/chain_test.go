package hook

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// decider has every deciding hook; each answers v, or panics if v is boom, and
// writes its name down.
type decider struct {
	name  string
	v     Verdict
	calls *[]string
}

var boom = Verdict{Decision: 99, Reason: "boom"}

func (d decider) answer() Verdict {
	*d.calls = append(*d.calls, d.name)
	if d.v == boom {
		panic("boom")
	}
	return d.v
}

func (d decider) AuthOnRegister(context.Context, *Register) (Verdict, *RegisterResult) {
	return d.answer(), &RegisterResult{Username: &d.name}
}

func (d decider) AuthOnPublish(context.Context, *Publish) (Verdict, *PublishResult) {
	return d.answer(), &PublishResult{Topic: &d.name}
}

func (d decider) AuthOnSubscribe(context.Context, *Subscribe) (Verdict, *SubscribeResult) {
	return d.answer(), &SubscribeResult{Topics: []Topic{{Filter: d.name}}}
}

func (d decider) OnAuth(context.Context, *Auth) (Verdict, *AuthResult) {
	return d.answer(), &AuthResult{ReasonString: d.name}
}

func (d decider) OnDeliver(context.Context, *Deliver) (Verdict, *DeliverResult) {
	return d.answer(), &DeliverResult{Topic: &d.name}
}

func (d decider) OnUnsubscribe(context.Context, *Unsubscribe) (Verdict, []string) {
	return d.answer(), []string{d.name}
}

// ask puts one question to a chain and returns the verdict and who decided.
var ask = map[string]func(c *Chain) (Verdict, string){
	"auth_on_register": func(c *Chain) (Verdict, string) {
		v, r := c.AuthOnRegister(context.Background(), &Register{})
		if r == nil {
			return v, ""
		}
		return v, *r.Username
	},
	"auth_on_publish": func(c *Chain) (Verdict, string) {
		v, r := c.AuthOnPublish(context.Background(), &Publish{})
		if r == nil {
			return v, ""
		}
		return v, *r.Topic
	},
	"auth_on_subscribe": func(c *Chain) (Verdict, string) {
		v, r := c.AuthOnSubscribe(context.Background(), &Subscribe{})
		if r == nil {
			return v, ""
		}
		return v, r.Topics[0].Filter
	},
	"on_auth": func(c *Chain) (Verdict, string) {
		v, r := c.OnAuth(context.Background(), &Auth{})
		if r == nil {
			return v, ""
		}
		return v, r.ReasonString
	},
	"on_deliver": func(c *Chain) (Verdict, string) {
		v, r := c.OnDeliver(context.Background(), &Deliver{})
		if r == nil {
			return v, ""
		}
		return v, *r.Topic
	},
}

// named makes plugins a, b, c ... with these answers.
func named(calls *[]string, answers ...Verdict) []Plugin {
	var list []Plugin
	for i, v := range answers {
		name := string(rune('a' + i))
		list = append(list, Plugin{Name: name, Hooks: decider{name, v, calls}})
	}
	return list
}

func TestChain_AllTillOK(t *testing.T) {
	next, other := Verdict{}, Verdict{Decision: 7}
	denied := Verdict{Decision: Deny, Code: mqtt.Banned, Reason: "no"}
	tests := []struct {
		name     string
		answers  []Verdict
		decision Decision
		by       string // whose result counts
		calls    string
	}{
		{"first ok", []Verdict{Accept, denied}, OK, "a", "a"},
		{"next, then ok", []Verdict{next, Accept, denied}, OK, "b", "ab"},
		{"next, then deny", []Verdict{next, denied, Accept}, Deny, "b", "ab"},
		{"another answer refuses", []Verdict{next, other, Accept}, Deny, "b", "ab"},
		{"a panic refuses", []Verdict{next, boom, Accept}, Deny, "", "ab"},
	}
	for point, f := range ask {
		for _, tt := range tests {
			var calls, panics []string
			c := NewChain(named(&calls, tt.answers...), func(plugin, point string, v any) {
				panics = append(panics, fmt.Sprint(plugin, " ", point, " ", v))
			})
			v, by := f(c)
			if v.Decision != tt.decision || by != tt.by || strings.Join(calls, "") != tt.calls {
				t.Errorf("%s, %s: got %+v by %q after %v, want %v by %q after %s", point, tt.name, v, by, calls, tt.decision, tt.by, tt.calls)
			}
			if tt.name == "next, then deny" && v != denied {
				t.Errorf("%s: got %+v, want the plugin's own verdict", point, v)
			}
			var want []string
			if slices.Contains(tt.answers, boom) {
				want = []string{"b " + point + " boom"}
				if !strings.Contains(v.Reason, "plugin b panicked in "+point) {
					t.Errorf("%s: got reason %q", point, v.Reason)
				}
			}
			if !slices.Equal(panics, want) {
				t.Errorf("%s, %s: got panics %q, want %q", point, tt.name, panics, want)
			}
		}
	}
}

func TestChain_DefaultDeny(t *testing.T) {
	var calls []string
	observerOnly := []Plugin{{Name: "bridge", Hooks: &watcher{}}}
	allNext := NewChain(named(&calls, Verdict{}, Verdict{}), nil)
	listed, err := NewChain(append(observerOnly, named(&calls, Accept)...), nil).Restrict([]string{"bridge"}, []string{"bridge"})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := allNext.Restrict([]string{}, []string{})
	if err != nil {
		t.Fatal(err)
	}
	for point, f := range ask {
		for _, tt := range []struct {
			name  string
			chain *Chain
			why   string
		}{
			{"nil chain", nil, "no_matching_hook_found"},
			{"no plugin", NewChain(nil, nil), "no_matching_hook_found"},
			{"no plugin with the hook", NewChain(observerOnly, nil), "no_matching_hook_found"},
			{"all next", allNext, "plugin_chain_exhausted"},
			{"listener's list without the hook", listed, "plugin_chain_exhausted"},
			{"listener's list is empty", empty, "plugin_chain_exhausted"},
		} {
			v, _ := f(tt.chain)
			if point == "on_deliver" {
				if v != Accept && !strings.Contains(tt.name, "list") {
					t.Errorf("%s, %s: got %+v, want to let it through", point, tt.name, v)
				}
				continue
			}
			if v.Decision != Deny || !strings.Contains(v.Reason, tt.why) {
				t.Errorf("%s, %s: got %+v, want deny with %s", point, tt.name, v, tt.why)
			}
			if wantCode := point == "on_auth"; wantCode != (v.Code == mqtt.BadAuthenticationMethod) {
				t.Errorf("%s, %s: got code %v", point, tt.name, v.Code)
			}
		}
	}
}

func TestChain_OnUnsubscribe(t *testing.T) {
	own := &Unsubscribe{Filters: []string{"own"}}
	tests := []struct {
		answers []Verdict
		want    string
		calls   string
	}{
		{nil, "own", ""},
		{[]Verdict{{}, {}}, "own", "ab"},
		{[]Verdict{{}, Accept, Accept}, "b", "ab"},
		{[]Verdict{Refuse, Accept}, "b", "ab"}, // cannot be vetoed
		{[]Verdict{boom, Refuse}, "own", "ab"},
	}
	for _, tt := range tests {
		var calls []string
		got := NewChain(named(&calls, tt.answers...), nil).OnUnsubscribe(context.Background(), own)
		if len(got) != 1 || got[0] != tt.want || strings.Join(calls, "") != tt.calls {
			t.Errorf("%v: got %v after %v, want %s after %s", tt.answers, got, calls, tt.want, tt.calls)
		}
	}
	if got := (*Chain)(nil).OnUnsubscribe(context.Background(), own); got[0] != "own" {
		t.Errorf("nil chain: got %v", got)
	}
}

func TestChain_Restrict(t *testing.T) {
	var calls []string
	full := NewChain(named(&calls, Verdict{}, Verdict{}, Verdict{}), nil)
	f := func(auth, authz []string, register, publish string) {
		t.Helper()
		c, err := full.Restrict(auth, authz)
		if err != nil {
			t.Fatal(err)
		}
		for point, want := range map[string]string{"auth_on_register": register, "on_auth": register,
			"auth_on_publish": publish, "auth_on_subscribe": publish, "on_deliver": "abc"} {
			calls = nil
			ask[point](c)
			if got := strings.Join(calls, ""); got != want {
				t.Errorf("%v %v: %s asked %q, want %q", auth, authz, point, got, want)
			}
		}
	}
	f(nil, nil, "abc", "abc")
	f([]string{"c", "a"}, nil, "ca", "abc")
	f(nil, []string{"b"}, "abc", "b")
	f([]string{}, []string{"c", "b", "a"}, "", "cba")

	bad := func(auth, authz []string, want string) {
		t.Helper()
		if _, err := full.Restrict(auth, authz); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	bad([]string{"a", "x"}, nil, `hook: auth_plugins names "x", which is not an enabled plugin`)
	bad(nil, []string{"x"}, `hook: authz_plugins names "x", which is not an enabled plugin`)
	bad([]string{"a", "b", "a"}, nil, `hook: auth_plugins names "a" twice`)

	none, err := (*Chain)(nil).Restrict(nil, nil)
	if err != nil || none.Plugins() != nil {
		t.Errorf("nil chain: got %v, %v", none.Plugins(), err)
	}
}

type registerOnly struct{}

func (registerOnly) AuthOnRegister(context.Context, *Register) (Verdict, *RegisterResult) {
	return Verdict{}, nil
}

type authOnly struct{}

func (authOnly) OnAuth(context.Context, *Auth) (Verdict, *AuthResult) { return Verdict{}, nil }

func all(string) bool { return true }

func TestChain_Blocks(t *testing.T) {
	var calls []string
	f := func(want string, plugins ...Plugin) {
		t.Helper()
		c := NewChain(plugins, nil)
		if got := fmt.Sprint(c.BlocksRegister(), c.BlocksPublish(0), c.BlocksSubscribe()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	quick := Plugin{Name: "quick", Hooks: decider{"quick", Accept, &calls}}
	slow := Plugin{Name: "slow", Hooks: decider{"slow", Accept, &calls}, Blocks: all}
	f("false false false")
	f("false false false", quick)
	f("true true true", quick, slow)
	f("true false false", Plugin{Name: "r", Hooks: registerOnly{}, Blocks: all}, quick)
	f("true false false", Plugin{Name: "a", Hooks: authOnly{}, Blocks: all}, quick)
	f("false false false", Plugin{Name: "w", Hooks: &watcher{}, Blocks: all})

	c, err := NewChain([]Plugin{quick, slow}, nil).Restrict([]string{"quick"}, []string{"slow"})
	if err != nil || c.BlocksRegister() || !c.BlocksPublish(0) || !c.BlocksSubscribe() {
		t.Errorf("restricted: got %t %t %t, %v", c.BlocksRegister(), c.BlocksPublish(0), c.BlocksSubscribe(), err)
	}
	large := Plugin{Name: "large", Hooks: decider{"large", Accept, &calls}, Large: 100}
	larger := Plugin{Name: "larger", Hooks: decider{"larger", Accept, &calls}, Large: 200}
	elsewhere := Plugin{Name: "r", Hooks: registerOnly{}, Large: 1}
	if c := NewChain([]Plugin{quick, larger, large, elsewhere}, nil); c.BlocksPublish(99) || !c.BlocksPublish(100) || c.BlocksSubscribe() {
		t.Error("large payloads")
	}
	if c := NewChain([]Plugin{elsewhere}, nil); c.BlocksPublish(1<<30) || c.BlocksDeliver(1<<30) {
		t.Error("hooks without a message block for its payload")
	}
	if c := NewChain([]Plugin{{Name: "w", Hooks: &watcher{}, Large: 100}}, nil); c.BlocksPublish(99) || !c.BlocksPublish(100) {
		t.Error("large payloads of observers")
	}
	if c := (*Chain)(nil); c.BlocksRegister() || c.BlocksPublish(1<<30) || c.BlocksDeliver(1<<30) || c.BlocksSubscribe() {
		t.Error("nil chain blocks")
	}
}

// permissive answers without a result, as the file plugins do.
type permissive struct{ v Verdict }

func (p permissive) AuthOnPublish(context.Context, *Publish) (Verdict, *PublishResult) {
	return p.v, nil
}

func TestChain_AuthOnPublishAllocatesNothing(t *testing.T) {
	c := NewChain([]Plugin{{Name: "a", Hooks: permissive{}}, {Name: "b", Hooks: permissive{Accept}}}, nil)
	ctx, p := context.Background(), &Publish{}
	if n := testing.AllocsPerRun(100, func() { c.AuthOnPublish(ctx, p) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// TestPoints_Complete compares the catalogue with the interfaces by way of the
// chain: it has one method for each point, called like it.
func TestPoints_Complete(t *testing.T) {
	methods := map[string]bool{}
	for m := range reflect.TypeFor[*Chain]().Methods() {
		methods[m.Name] = true
	}
	goName := func(point string) string {
		if point == "change_config" {
			return "OnConfigChange"
		}
		name := ""
		for word := range strings.SplitSeq(point, "_") {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		return name
	}
	everything := []reflect.Type{
		reflect.TypeFor[OnAuth](), reflect.TypeFor[AuthOnRegister](), reflect.TypeFor[OnRegister](),
		reflect.TypeFor[AuthOnPublish](), reflect.TypeFor[OnPublish](), reflect.TypeFor[AuthOnSubscribe](),
		reflect.TypeFor[OnSubscribe](), reflect.TypeFor[OnUnsubscribe](), reflect.TypeFor[OnTopicUnsubscribed](),
		reflect.TypeFor[OnDeliver](), reflect.TypeFor[OnOfflineMessage](), reflect.TypeFor[OnClientWakeup](),
		reflect.TypeFor[OnClientOffline](), reflect.TypeFor[OnClientGone](), reflect.TypeFor[OnSessionExpired](),
		reflect.TypeFor[OnMessageDrop](), reflect.TypeFor[OnConfigChange](),
	}
	if len(Points) != len(everything) {
		t.Errorf("got %d points, want %d", len(Points), len(everything))
	}
	for i, p := range Points {
		name := goName(p.Name)
		if want := everything[i].Name(); name != want || everything[i].NumMethod() != 1 || everything[i].Method(0).Name != want {
			t.Errorf("point %d is %s, the interface %s", i, name, want)
		}
		if !methods[name] {
			t.Errorf("the chain has no %s", name)
		}
		delete(methods, name)
		if everything[i].Method(0).Type.NumOut() == 0 != (p.Flavour == All) {
			t.Errorf("%s: flavour %v, but the hook returns %d values", p.Name, p.Flavour, everything[i].Method(0).Type.NumOut())
		}
		if p.Doc == "" {
			t.Errorf("%s has no doc", p.Name)
		}
	}
	for name := range methods {
		if strings.HasPrefix(name, "On") || strings.HasPrefix(name, "Auth") {
			t.Errorf("%s is in the chain, but no point", name)
		}
	}
}
