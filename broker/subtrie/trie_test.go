package subtrie

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func plain(filter string) mqtt.Subscription { return mqtt.Subscription{Filter: filter} }

// TestTrie_Quick runs random programs against the twin.
func TestTrie_Quick(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		data := make([]byte, rnd.IntN(400))
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		run(newPair(t), data)
	}
}

// TestMatch_Rules shows the rules of §4.7 one by one, against the twin and as
// written in the standard.
func TestMatch_Rules(t *testing.T) {
	cases := []struct {
		filter, name string
		want         bool
	}{
		{"sport/tennis/player1/#", "sport/tennis/player1", true}, // [MQTT-4.7.1-1]
		{"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
		{"#", "sport", true}, {"#", "/", true}, {"#", "$SYS/x", false}, // [MQTT-4.7.2-1]
		{"+/monitor", "$SYS/monitor", false}, {"$SYS/#", "$SYS", true}, {"$SYS/+", "$SYS/x", true},
		{"a/#", "a/$SYS", true}, {"a/+", "a/$SYS", true},
		{"sport/+", "sport", false}, {"sport/+", "sport/", true}, {"+/+", "/finance", true},
		{"/+", "/finance", true}, {"+", "/finance", false}, {"a/+/c", "a//c", true},
		{"a/", "a", false}, {"a", "a/", false}, {"a//", "a//", true}, {"a/b", "A/b", false},
		{"+/+/#", "a/b", true}, {"+/+/#", "a", false}, {"/#", "", true}, {"+", "", true},
	}
	for _, c := range cases {
		for _, other := range []string{"", "sport/tennis/player1", "a/b/c", "+/x", "$SYS/+/y", "#"} {
			p := newPair(t)
			p.insert("", plain(c.filter), 1)
			if other != "" && other != c.filter {
				p.insert("", plain(other), 2) // splits nodes
			}
			p.match("", c.name)
			var r Result[int]
			p.trie.Match("", c.name, &r)
			got := len(r.Plain) > 0 && (r.Plain[0].Subscriber == 1 || len(r.Plain) > 1)
			if got != c.want {
				t.Errorf("%q matches %q: %v, want %v", c.filter, c.name, got, c.want)
			}
		}
	}
}

func TestInsert_Replaces(t *testing.T) {
	p := newPair(t)
	for _, share := range []string{"", "g"} {
		for s := range 40 {
			sub := mqtt.Subscription{Filter: "a", ShareName: share}
			p.insert("", sub, s)
			sub.ID, sub.QoS, sub.NoLocal = 7, 2, true
			p.insert("", sub, s)
			p.insert("", sub, s)
			p.match("", "a")
		}
	}
	p.all()
	p.empty()
}

// TestMatch_Mountpoints keeps tenants apart whose mountpoints look like topics.
func TestMatch_Mountpoints(t *testing.T) {
	p := newPair(t)
	for i, m := range []string{"", "a", "a/b", "a/", "/", "+", "#", "b"} {
		p.insert(m, plain("#"), i)
		p.insert(m, plain("a/b"), i)
	}
	for _, m := range []string{"", "a", "a/b", "a/", "/", "+", "#", "b", "c", "a/b/c"} {
		p.match(m, "a/b")
		p.match(m, "b")
	}
	p.all()
	p.empty()
}

func TestOptions(t *testing.T) {
	if got := unsafe.Sizeof(Options{}); got != 8 {
		t.Errorf("Options take %d bytes, want 8", got)
	}
	for i := range 8 {
		sub := mqtt.Subscription{ID: 9, QoS: 1, NoLocal: i&1 > 0, RetainAsPublished: i&2 > 0, UpgradeQoS: i&4 > 0}
		o := OptionsOf(sub)
		if o.ID != 9 || o.QoS != 1 || o.NoLocal() != sub.NoLocal || o.RetainAsPublished() != sub.RetainAsPublished || o.UpgradeQoS() != sub.UpgradeQoS {
			t.Errorf("OptionsOf(%+v) = %+v", sub, o)
		}
	}
}

// TestMatch_Deep matches names of 65535 levels.
func TestMatch_Deep(t *testing.T) {
	deep := strings.Repeat("/", 65534)
	p := newPair(t)
	p.insert("", plain(deep), 1)
	p.insert("", plain(deep+"/"), 2)
	p.insert("", plain(strings.Repeat("+/", 32000)+"#"), 3)
	p.insert("", plain(strings.Repeat("/", 40000)+"#"), 4)
	for i := 100; i < 65000; i += 1000 {
		p.insert("", plain(deep[:i]+"+"), 5)
	}
	p.match("", deep)
	p.match("", deep[1:])
	p.match("", deep[:20000])
	p.all()
	p.empty()

	for i := range 600 { // a node for each level
		p.trie.Insert("", plain(deep[:i]), i)
		p.trie.Insert("", plain(strings.Repeat("+/", i)+"#"), i)
	}
	var r Result[int]
	p.trie.Match("", deep, &r)
	if len(r.Plain) != 600 {
		t.Errorf("%d filters match, want 600", len(r.Plain))
	}
	n := 0
	p.trie.Each(func(_, _, _ string, _ int, _ Options) bool { n++; return true })
	if n != 1200 {
		t.Errorf("Each saw %d, want 1200", n)
	}
}

// TestMatch_Work gives each level both a name and a "+": the number of visited
// nodes doubles with each level, and so does the number of filters.
func TestMatch_Work(t *testing.T) {
	p := newPair(t)
	for i := range 1 << 8 {
		levels := make([]string, 8)
		for l := range levels {
			levels[l] = []string{"a", "+"}[i>>l&1]
		}
		p.insert("", plain(strings.Join(levels, "/")), i)
	}
	p.match("", "a/a/a/a/a/a/a/a")
	p.match("", "a/a/a/b/a/a/a/a")
	p.empty()
}

// TestRemove_All removes what was inserted, in another order, and finds the
// memory returned.
func TestRemove_All(t *testing.T) {
	const n = 20_000
	subs := make([]mqtt.Subscription, n)
	for i := range subs {
		subs[i] = plain(mixed(i))
		if i%4 == 0 {
			subs[i] = mqtt.Subscription{Filter: "shared/" + fmt.Sprint(i%8), ShareName: fmt.Sprint("g", i%64)}
		}
	}
	before := heap()
	tr := New[int]()
	for i, sub := range subs {
		if !tr.Insert("", sub, i) || !tr.Insert("tenant", plain("one/filter"), i) {
			t.Fatalf("Insert(%+v) = false", sub)
		}
	}
	if tr.Len() != 2*n {
		t.Fatalf("Len() = %d, want %d", tr.Len(), 2*n)
	}
	full := heap() - before
	if b := tr.Bytes(); b < full*8/10 || b > full*13/10 {
		t.Errorf("Bytes() = %d, the heap grew by %d", b, full)
	}
	for _, i := range rand.Perm(n) {
		if !tr.Remove("", subs[i].ShareName, subs[i].Filter, i) || !tr.Remove("tenant", "", "one/filter", i) {
			t.Fatalf("Remove(%+v) = false", subs[i])
		}
	}
	if tr.Len() != 0 || tr.Bytes() != 0 || tr.mounts.Load() != nil {
		t.Errorf("Len() = %d, Bytes() = %d, want 0", tr.Len(), tr.Bytes())
	}
	if left := heap() - before; left > full/50 {
		t.Errorf("%d of %d bytes are still in use", left, full)
	}
	runtime.KeepAlive(subs)
}

// TestInsert_Memory holds the budget of 150 bytes per subscription beyond the
// texts of the filters.
func TestInsert_Memory(t *testing.T) {
	const n = 50_000
	for name, filter := range map[string]func(int) string{
		"mixed":  mixed,
		"flat":   func(i int) string { return fmt.Sprint("device", i) },
		"plus":   func(i int) string { return fmt.Sprintf("+/%d/+/x", i) },
		"random": func(int) string { return fmt.Sprintf("%x/%x/%x", rand.Uint32()%64, rand.Uint32()%512, rand.Uint64()) },
	} {
		filters, clients := make([]string, n), make([]client, n)
		for i := range filters {
			filters[i] = filter(i)
		}
		before := heap()
		tr := New[receiver]()
		for i := range filters {
			tr.Insert("", plain(filters[i]), &clients[i])
		}
		if per := (heap() - before) / n; per > 150 {
			t.Errorf("%s: %d bytes per subscription, want at most 150", name, per)
		}
		runtime.KeepAlive(filters)
		runtime.KeepAlive(clients)
	}
}

func TestMatch_Allocs(t *testing.T) {
	tr := filled(1000, mixed)
	for i := range 500 {
		c := &client{i}
		tr.Insert("", plain("fan/out"), c)
		tr.Insert("", mqtt.Subscription{Filter: "fan/+", ShareName: fmt.Sprint(i % 50)}, c)
	}
	deep := strings.Repeat("a/", 100)
	tr.Insert("", plain(deep+"#"), &client{})
	tr.Insert("", plain(strings.Repeat("+/", 100)+"x"), &client{})
	var r Result[receiver]
	for _, topic := range []string{"site/4/device/4/state", "fan/out", deep + "x", "nobody"} {
		if got := testing.AllocsPerRun(100, func() {
			r.Reset()
			tr.Match("", topic, &r)
		}); got != 0 {
			t.Errorf("Match(%q) allocates %v times", topic, got)
		}
	}
}
