package hook

import (
	"slices"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// watcher has every observing hook and writes down what it was told.
type watcher struct {
	panics bool
	told   []string
}

func (w *watcher) tell(point string) {
	w.told = append(w.told, point)
	if w.panics {
		panic("boom")
	}
}

func (w *watcher) OnRegister(*Client, *Properties) { w.tell("on_register") }
func (w *watcher) OnPublish(*Publish)              { w.tell("on_publish") }
func (w *watcher) OnSubscribe(*Subscribe)          { w.tell("on_subscribe") }
func (w *watcher) OnTopicUnsubscribed(mqtt.SessionKey, []string) {
	w.tell("on_topic_unsubscribed")
}

func (w *watcher) OnOfflineMessage(mqtt.SessionKey, mqtt.Delivery, *mqtt.Message) {
	w.tell("on_offline_message")
}
func (w *watcher) OnClientWakeup(mqtt.SessionKey)   { w.tell("on_client_wakeup") }
func (w *watcher) OnClientOffline(mqtt.SessionKey)  { w.tell("on_client_offline") }
func (w *watcher) OnClientGone(mqtt.SessionKey)     { w.tell("on_client_gone") }
func (w *watcher) OnSessionExpired(mqtt.SessionKey) { w.tell("on_session_expired") }
func (w *watcher) OnMessageDrop(*Drop)              { w.tell("on_message_drop") }
func (w *watcher) OnConfigChange(map[string]string) { w.tell("change_config") }

// tellAll calls every observing hook once, in the order of Points.
func tellAll(c *Chain) {
	var key mqtt.SessionKey
	c.OnRegister(&Client{}, &Properties{})
	c.OnPublish(&Publish{})
	c.OnSubscribe(&Subscribe{})
	c.OnTopicUnsubscribed(key, nil)
	c.OnOfflineMessage(key, mqtt.Delivery{}, nil)
	c.OnClientWakeup(key)
	c.OnClientOffline(key)
	c.OnClientGone(key)
	c.OnSessionExpired(key)
	c.OnMessageDrop(&Drop{})
	c.OnConfigChange(nil)
}

// TestObserve_All: every observer is told everything, also behind one that
// panics, which is reported with its name; a listener's list leaves observers
// alone.
func TestObserve_All(t *testing.T) {
	var want []string
	for _, p := range Points {
		if p.Flavour == All {
			want = append(want, p.Name)
		}
	}
	first, second := &watcher{panics: true}, &watcher{}
	var panics []string
	full := NewChain([]Plugin{{Name: "first", Hooks: first}, {Name: "none", Hooks: struct{}{}}, {Name: "second", Hooks: second}},
		func(plugin, point string, v any) {
			if plugin != "first" || v != "boom" {
				t.Errorf("%s: got panic %v of %q", point, v, plugin)
			}
			panics = append(panics, point)
		})
	c, err := full.Restrict([]string{}, []string{})
	if err != nil {
		t.Fatal(err)
	}
	tellAll(c)
	for name, got := range map[string][]string{"first": first.told, "second": second.told, "panics": panics} {
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	tellAll(NewChain([]Plugin{{Name: "first", Hooks: first}}, nil)) // a panic nobody wants to hear of
	tellAll(nil)
}

func TestObserve_Has(t *testing.T) {
	f := func(c *Chain, want bool) {
		t.Helper()
		if c.HasOnPublish() != want || c.HasOnMessageDrop() != want {
			t.Errorf("got %t %t, want %t", c.HasOnPublish(), c.HasOnMessageDrop(), want)
		}
	}
	f(nil, false)
	f(NewChain([]Plugin{{Name: "r", Hooks: registerOnly{}}}, nil), false)
	f(NewChain([]Plugin{{Name: "w", Hooks: &watcher{}}}, nil), true)

	var calls []string
	if (*Chain)(nil).HasOnDeliver() || NewChain([]Plugin{{Name: "w", Hooks: &watcher{}}}, nil).HasOnDeliver() {
		t.Error("HasOnDeliver without the hook")
	}
	if !NewChain(named(&calls, Accept), nil).HasOnDeliver() {
		t.Error("no HasOnDeliver with the hook")
	}
}

func TestObserve_OnPublishAllocatesNothing(t *testing.T) {
	c := NewChain([]Plugin{{Name: "q", Hooks: quiet{}}}, nil)
	p := &Publish{}
	if n := testing.AllocsPerRun(100, func() { c.OnPublish(p) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

type quiet struct{}

func (quiet) OnPublish(*Publish) {}
