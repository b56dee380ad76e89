package retain

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func message(topic string) *mqtt.Message {
	return &mqtt.Message{Topic: topic, Payload: []byte("x"), Retain: true}
}

// TestStore_Quick runs random programs against the twin.
func TestStore_Quick(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		data := make([]byte, rnd.IntN(400)*(1+i%10))
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		run(newPair(t), data)
	}
}

// TestPage_Rules shows the rules of §4.7 one by one.
func TestPage_Rules(t *testing.T) {
	p := newPair(t)
	for _, topic := range []string{
		"a", "a/", "a//", "a/b", "a/b/c", "a!b", "a!", "/", "/a", "b", "$SYS", "$SYS/a", "$SYS/a/b",
		"%", "!", "a/$SYS", "a/b!/c", "a/b/c/d", "\x01", "a\x01/b", "\u00e9/b", "#x", "z",
	} {
		p.put(message(topic))
	}
	for _, filter := range []string{
		"#", "+", "+/+", "/#", "/+", "+/", "a/#", "a/+", "a/+/#", "a/+/c", "+/b/c", "+/b/#", "$SYS/#", "$SYS/+",
		"$SYS", "a/b/c", "a//", "none", "none/#", "+/none", "z/#", "a/b/c/d/#", "a!/#", "+/+/+/+/+", "+/+/+/#",
	} {
		for _, limit := range []int{1, 2, 100} {
			p.match("", filter, limit)
		}
		p.match("other", filter, 10)
	}
}

// TestPage_Budget looks for few messages among many and finds all, some pages
// being empty; jumps keep their number small.
func TestPage_Budget(t *testing.T) {
	p := newPair(t)
	for i := range 30_000 {
		p.put(message(fmt.Sprintf("site/%d/device/%d/state", i%10, i)))
	}
	p.put(message("site/5/last"))
	p.put(message("site/9/z/1/x"))
	p.match("", "site/+/+/+/x", 10)
	for filter, most := range map[string]int{"site/+/last": 1, "site/+/z/+/x": 1, "+/9/#": 4, "+/+/+/+/x": 400, "site/3/+/7/#": 1} {
		calls, cursor := 0, Cursor{}
		for more := true; more; calls++ {
			_, cursor, more = p.store.Page(epoch, "", filter, cursor, 4000, nil)
		}
		if calls > most {
			t.Errorf("%q takes %d pages, want at most %d", filter, calls, most)
		}
	}
}

// TestPage_Expired leaves out expired messages, which Expired finds for
// DeleteIf; a message put meanwhile stays.
func TestPage_Expired(t *testing.T) {
	s := New()
	for i := range 5000 {
		m := message(fmt.Sprint("t/", i))
		m.Mountpoint = []string{"", "m", "n"}[i%3]
		if i%2 == 0 {
			m.Expires = epoch.Add(time.Duration(i%4-1) * time.Second)
		}
		s.Put(m)
	}
	page, _, more := s.Page(epoch, "m", "#", Cursor{}, 5000, nil)
	if len(page) != 1250 || more {
		t.Errorf("%d messages, more = %v; want 1250 of 1667 that have not expired", len(page), more)
	}
	var gone []*mqtt.Message
	for cursor, more := (Cursor{}), true; more; {
		gone, cursor, more = s.Expired(epoch, cursor, 100, gone)
	}
	if len(gone) != 1250 {
		t.Fatalf("%d expired, want 1250", len(gone))
	}
	fresh := message(gone[0].Topic)
	s.Put(fresh)
	for i, m := range gone {
		if got, want := s.DeleteIf(m), i > 0; got != want {
			t.Fatalf("DeleteIf(%v) = %v, want %v", m.Topic, got, want)
		}
	}
	if s.Len() != 3751 || s.Get("", fresh.Topic) != fresh {
		t.Errorf("Len() = %d, want 3751 with the fresh message", s.Len())
	}
}

// TestPage_Concurrent pages through messages that stay, while others come and
// go around them: each is seen exactly once.
func TestPage_Concurrent(t *testing.T) {
	s := New()
	const n = 2000
	for i := range n {
		s.Put(message(fmt.Sprintf("stay/%d/x", i)))
	}
	var done atomic.Bool
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; !done.Load(); i++ {
			s.Put(message(fmt.Sprintf("stay/%d/go", i%(2*n))))
			s.Put(message(fmt.Sprintf("stay/%d/x", i%n)))
			s.Delete("", fmt.Sprintf("stay/%d/go", (i*7)%(2*n)))
		}
	})
	for range 10 {
		for _, filter := range []string{"#", "stay/+/x", "stay/#"} {
			seen := map[string]int{}
			var page []*mqtt.Message
			cursor := Cursor{}
			for more := true; more; {
				page, cursor, more = s.Page(epoch, "", filter, cursor, 50, page[:0])
				for _, m := range page {
					seen[m.Topic]++
				}
			}
			for i := range n {
				if topic := fmt.Sprintf("stay/%d/x", i); seen[topic] != 1 {
					t.Fatalf("%q: %q seen %d times", filter, topic, seen[topic])
				}
			}
		}
	}
	done.Store(true)
	writer.Wait()
}

// TestPage_Deep pages through names of many levels.
func TestPage_Deep(t *testing.T) {
	p := newPair(t)
	deep := strings.Repeat("/", 65535)
	for i := 60_000; i < len(deep); i += 500 {
		p.put(message(deep[:i]))
		p.put(message(deep[:i] + "x"))
	}
	p.match("", "#", 10)
	p.match("", strings.Repeat("+/", 32000)+"#", 10)
	p.match("", deep[:61000]+"+", 10)
	p.empty()
}

// TestEach_Stops ends when told, in the order of mountpoints.
func TestEach_Stops(t *testing.T) {
	s := New()
	for _, m := range []string{"b", "", "a"} {
		for i := range 300 {
			s.Put(&mqtt.Message{Mountpoint: m, Topic: fmt.Sprint(i)})
		}
	}
	var seen []string
	s.Each(func(m *mqtt.Message) bool {
		if !slices.Contains(seen, m.Mountpoint) {
			seen = append(seen, m.Mountpoint)
		}
		s.Delete(m.Mountpoint, m.Topic)
		return m.Mountpoint != "a"
	})
	if got := s.Mountpoints(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("mountpoints %q", got)
	}
	if !slices.Equal(seen, []string{"", "a"}) || s.Len() != 599 {
		t.Errorf("saw %q and left %d messages, want 599", seen, s.Len())
	}
}

// TestTakeBack: a change that was refused after all is undone unless another has
// followed; of several that fail together nothing stays, in whatever order they
// are taken back.
func TestTakeBack(t *testing.T) {
	old, empty := message("t"), &mqtt.Message{Topic: "t"}
	s := New()
	a := message("t")
	s.Put(a)
	if s.TakeBack(a, nil); s.Len() != 0 {
		t.Error("a first message stays")
	}
	s.Put(old)
	s.Delete("", "t")
	if s.TakeBack(empty, old); s.Get("", "t") != old {
		t.Error("a deleted message does not return")
	}
	s.Put(a)
	next := message("t")
	s.Put(next)
	if s.TakeBack(a, old); s.Get("", "t") != next {
		t.Error("what has followed is gone")
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}, {1, 0, 2}, {2, 0, 1}} {
		s := New()
		s.Put(old)
		chain := []*mqtt.Message{old}
		for range 3 {
			m := message("t")
			chain = append(chain, m)
			s.Put(m)
		}
		for _, i := range order {
			s.TakeBack(chain[i+1], chain[i])
		}
		if got := s.Get("", "t"); got != old {
			t.Errorf("%v: number %d stays", order, slices.Index(chain, got))
		}
	}
	for range 2 * maxRefused {
		s.TakeBack(message("t"), nil)
	}
	if len(s.refused) > maxRefused {
		t.Errorf("%d messages are remembered", len(s.refused))
	}
}

func TestStore_Allocs(t *testing.T) {
	s := New()
	for i := range 10_000 {
		s.Put(message(fmt.Sprintf("site/%d/device/%d", i%10, i)))
	}
	m := message("site/7/device/77")
	page := make([]*mqtt.Message, 0, 100)
	for name, f := range map[string]func(){
		"Get":         func() { s.Get("", m.Topic) },
		"Put again":   func() { s.Put(m) },
		"Page":        func() { s.Page(epoch, "", "site/+/device/#", Cursor{}, 100, page[:0]) },
		"Page, exact": func() { s.Page(epoch, "", m.Topic, Cursor{}, 100, page[:0]) },
	} {
		if got := testing.AllocsPerRun(100, f); got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
}

// TestStore_Memory holds the budget of 350 bytes per message, its topic of 20
// bytes included, its payload not.
func TestStore_Memory(t *testing.T) {
	const n = 50_000
	payload := []byte("x")
	before := heap()
	s := New()
	for _, i := range rand.Perm(n) {
		s.Put(&mqtt.Message{Topic: fmt.Sprintf("site/device/%08d", i), Payload: payload})
	}
	used := heap() - before
	if used/n > 350 {
		t.Errorf("%d bytes per message, want at most 350", used/n)
	}
	if b := s.Bytes(); b < used*8/10 || b > used*12/10 {
		t.Errorf("Bytes() = %d, the heap grew by %d", b, used)
	}
	for i := range n {
		s.Delete("", fmt.Sprintf("site/device/%08d", i))
	}
	if left := heap() - before; s.Bytes() != 0 || left > used/50 {
		t.Errorf("%d bytes counted, %d of %d in use after the last message", s.Bytes(), left, used)
	}
	runtime.KeepAlive(s)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestAny tells mountpoints apart, and forgets those that are empty again.
func TestAny(t *testing.T) {
	s := New()
	m := message("a")
	m.Mountpoint = "m"
	s.Put(m)
	if !s.Any("m") || s.Any("") {
		t.Errorf("m: %v, default: %v", s.Any("m"), s.Any(""))
	}
	if s.Delete("m", "a"); s.Any("m") {
		t.Error("m retains something")
	}
}
