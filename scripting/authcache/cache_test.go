package authcache

import (
	"strconv"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
)

var key = mqtt.SessionKey{Mountpoint: "mp", ClientID: "c1"}

var me = &hook.Client{Key: key}

func rule(pattern string) Rule {
	return Rule{Pattern: pattern, MaxQoS: 2, MaxPayload: MaxPayload}
}

func TestPublish(t *testing.T) {
	c := New()
	if _, found := c.Publish(key, me, &mqtt.Message{Topic: "a"}); found {
		t.Error("an entry is found before there is one")
	}
	small := rule("small")
	small.MaxPayload, small.MaxQoS, small.NoRetain = 3, 1, true
	c.Insert(me, key, "user", []Rule{rule("a/+/c"), rule("own/%m/%c/%u"), small, rule("")}, nil)
	for _, tt := range []struct {
		m    mqtt.Message
		want string
	}{
		{mqtt.Message{Topic: "a/b/c"}, "a/+/c"},
		{mqtt.Message{Topic: "a/b/c/d"}, ""},
		{mqtt.Message{Topic: "own/mp/c1/user"}, "own/mp/c1/user"},
		{mqtt.Message{Topic: "own/mp/c2/user"}, ""},
		{mqtt.Message{Topic: "small", Payload: []byte("123"), QoS: 1}, "small"},
		{mqtt.Message{Topic: "small", Payload: []byte("1234")}, ""},
		{mqtt.Message{Topic: "small", QoS: 2}, ""},
		{mqtt.Message{Topic: "small", Retain: true}, ""},
		{mqtt.Message{Topic: ""}, ""},
	} {
		got, found := c.Publish(key, me, &tt.m)
		if !found || got == nil != (tt.want == "") || got != nil && got.Pattern != tt.want {
			t.Errorf("%+v: got %v, %t, want %q", tt.m, got, found, tt.want)
		}
	}
	c.Insert(me, key, "user", nil, nil)
	if r, found := c.Publish(key, me, &mqtt.Message{Topic: "a/b/c"}); r != nil || !found {
		t.Error("the newest entry does not count")
	}
	c.Drop(key)
	if c.Len() != 1 {
		t.Error("the end of the connection before takes the entry of the new one")
	}
	me := &hook.Client{Key: key}
	c.Insert(me, key, "user", nil, nil)
	me.End()
	c.Drop(key)
	if c.Len() != 1 {
		t.Error("the entry stays after Drop")
	}
}

// TestOwner: an entry is valid for the connection whose registration inserted
// it, whatever becomes of others with the client identifier.
func TestOwner(t *testing.T) {
	c := New()
	may := func(who *hook.Client, topic string) string {
		switch r, found := c.Publish(key, who, &mqtt.Message{Topic: topic}); {
		case r != nil:
			return "yes"
		case found:
			return "no"
		}
		return "unknown"
	}
	me, other := &hook.Client{Key: key}, &hook.Client{Key: key}
	expect := func(who *hook.Client, topic, want string) {
		t.Helper()
		if got := may(who, topic); got != want {
			t.Errorf("%s: got %s, want %s", topic, got, want)
		}
	}
	c.Insert(me, key, "me", []Rule{rule("mine")}, nil)
	c.Insert(other, key, "other", []Rule{rule("others")}, nil) // and is refused, or still being asked about its will
	expect(me, "mine", "yes")
	expect(me, "others", "no")
	expect(other, "others", "yes")
	expect(other, "mine", "no")
	expect(&hook.Client{Key: key}, "mine", "unknown") // an anonymous one
	me.End()                                          // it is taken over
	c.Drop(key)
	expect(me, "mine", "unknown")
	expect(other, "others", "yes")
	c.Insert(nil, key, "", []Rule{rule("all")}, nil) // by on_register, say
	expect(&hook.Client{Key: key}, "all", "yes")
	expect(other, "all", "yes") // the newest
	for range 200 {             // refused one after the other, while one is being asked about
		refused := &hook.Client{}
		c.Insert(refused, key, "", nil, nil)
		refused.End()
	}
	if n := c.Len(); n > 3 {
		t.Errorf("%d entries for one client identifier", n)
	}
	expect(other, "all", "yes")
	for range 10 * most {
		c.Insert(&hook.Client{}, key, "", nil, nil)
	}
	if n := c.Len(); n > most {
		t.Errorf("%d entries for one client identifier", n)
	}
}

func TestSubstitute_Wildcard(t *testing.T) {
	c := New()
	c.Insert(nil, mqtt.SessionKey{ClientID: "#"}, "+", []Rule{rule("x/%c"), rule("x/%u")}, nil)
	if r, _ := c.Publish(mqtt.SessionKey{ClientID: "#"}, me, &mqtt.Message{Topic: "x/y"}); r != nil {
		t.Error("a client named # may publish everywhere")
	}
}

// TestInsert_Sweeps: what refused connections inserted does not stay.
func TestInsert_Sweeps(t *testing.T) {
	c := New()
	for i := range 1000 * shards {
		refused := &hook.Client{}
		c.Insert(refused, mqtt.SessionKey{ClientID: strconv.Itoa(i)}, "", nil, nil)
		refused.End()
	}
	if n := c.Len(); n > 2*sweepEvery*shards {
		t.Errorf("%d entries of refused connections stay", n)
	}
}

func TestCovers(t *testing.T) {
	for line := range strings.SplitSeq(`a/+/c a/+/c yes
a/# a/+/c yes
a/+/c a/# no
a/+ a/# no
+ # no
# # yes
# a/b yes
a/# a yes
a/# a/# yes
a a yes
a b no
a/b a no
a a/b no
a/+ a/b yes
a/+ a/+ yes
a/b a/+ no`, "\n") {
		f := strings.Fields(line)
		if got := covers(f[0], f[1]); got != (f[2] == "yes") {
			t.Errorf("%s permits %s: got %t", f[0], f[1], got)
		}
	}
	c := New()
	c.Insert(me, key, "", nil, []Rule{rule("a/#")})
	if r, found := c.Subscribe(key, me, "$share/g/a/b", 1); r == nil || !found {
		t.Error("a shared subscription is not compared by its filter")
	}
	if r, found := c.Subscribe(key, me, "$share/g/b", 1); r != nil || !found {
		t.Error("a shared subscription is permitted that its filter does not allow")
	}
}

func BenchmarkPublish(b *testing.B) {
	c := New()
	c.Insert(me, key, "user", []Rule{rule("x/y"), rule("a/+/c")}, nil)
	m := &mqtt.Message{Topic: "a/b/c"}
	b.ReportAllocs()
	for b.Loop() {
		if r, _ := c.Publish(key, me, m); r == nil {
			b.Fatal("refused")
		}
	}
}
