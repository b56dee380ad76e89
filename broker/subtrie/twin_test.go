package subtrie

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/topic"
)

// key names a subscription in twin.
type key struct {
	mountpoint, share, filter string
	s                         int
}

// twin is the dumb table: a map, matched one by one with topic.Match.
type twin map[key]Options

// pair is a table with its twin; each step compares what both answer.
type pair struct {
	t    testing.TB
	trie *Trie[int]
	twin twin
}

func newPair(t testing.TB) *pair { return &pair{t, New[int](), twin{}} }

func (p *pair) insert(mountpoint string, sub mqtt.Subscription, s int) {
	p.t.Helper()
	k := key{mountpoint, sub.ShareName, sub.Filter, s}
	_, had := p.twin[k]
	if isNew := p.trie.Insert(mountpoint, sub, s); isNew == had {
		p.t.Fatalf("Insert(%+v) = %v, want %v", k, isNew, !had)
	}
	p.twin[k] = OptionsOf(sub)
}

func (p *pair) remove(k key) {
	p.t.Helper()
	_, want := p.twin[k]
	if had := p.trie.Remove(k.mountpoint, k.share, k.filter, k.s); had != want {
		p.t.Fatalf("Remove(%+v) = %v, want %v", k, had, want)
	}
	delete(p.twin, k)
}

// match compares Match for one topic name.
func (p *pair) match(mountpoint, name string) {
	p.t.Helper()
	var r Result[int]
	p.trie.Match(mountpoint, name, &r)
	var got, want []string
	for _, m := range r.Plain {
		got = append(got, fmt.Sprint(m))
	}
	for _, g := range r.Groups {
		for i := range g.Members.Len() {
			got = append(got, fmt.Sprint(g.Share.Name, " ", g.Share.Filter, " ", g.Members.At(i)))
		}
	}
	filters := map[string]bool{}
	for k, o := range p.twin {
		if k.mountpoint != mountpoint || !topic.Match(k.filter, name) {
			continue
		}
		if k.share == "" {
			want = append(want, fmt.Sprint(Match[int]{k.s, o}))
			filters[k.filter] = true
		} else {
			want = append(want, fmt.Sprint(k.share, " ", k.filter, " ", Match[int]{k.s, o}))
		}
	}
	sort.Strings(got)
	sort.Strings(want)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		p.t.Fatalf("Match(%q, %q) = %q, want %q", mountpoint, name, got, want)
	}
	if r.Filters != len(filters) {
		p.t.Fatalf("Match(%q, %q): %d filters, want %d", mountpoint, name, r.Filters, len(filters))
	}
}

// all compares Len and Each.
func (p *pair) all() {
	p.t.Helper()
	if got := p.trie.Len(); got != len(p.twin) {
		p.t.Fatalf("Len() = %d, want %d", got, len(p.twin))
	}
	seen := 0
	p.trie.Each(func(mountpoint, share, filter string, s int, o Options) bool {
		k := key{mountpoint, share, filter, s}
		if want, ok := p.twin[k]; !ok || o != want {
			p.t.Fatalf("Each saw %+v %+v, want %+v, %v", k, o, want, ok)
		}
		seen++
		return true
	})
	if seen != len(p.twin) {
		p.t.Fatalf("Each saw %d, want %d", seen, len(p.twin))
	}
	if got, want := p.trie.Bytes(), counted(p.trie); got != want {
		p.t.Fatalf("Bytes() = %d, want %d", got, want)
	}
}

// empty removes what is left and checks that nothing remains.
func (p *pair) empty() {
	p.t.Helper()
	for k := range p.twin {
		p.remove(k)
	}
	p.all()
	if p.trie.mounts.Load() != nil || p.trie.Bytes() != 0 {
		p.t.Fatalf("empty table holds %v, %d bytes", p.trie.mounts.Load(), p.trie.Bytes())
	}
}

// counted adds up the sizes of all structures.
func counted(t *Trie[int]) int64 { return countTable(t.mounts.Load()) }

func countTable(t *table[int]) (n int64) {
	if t == nil {
		return 0
	}
	n = t.bytes()
	t.each(func(c *node[int], sub *table[int]) {
		if sub != nil {
			n += countTable(sub)
		} else {
			n += countNode(c)
		}
	})
	return n
}

func countNode(c *node[int]) int64 {
	n := c.bytes() + countTable(c.kids.Load())
	if plus := c.plus.Load(); plus != nil {
		n += countNode(plus)
	}
	for _, s := range []*subs[int]{c.hash.Load(), c.subs.Load()} {
		n += s.bytes()
		if s == nil || s.many == nil {
			continue
		}
		n += countChunks(s.many.plain) + countChunks(s.many.groups)
		s.many.groups.each(func(gs []*group[int]) bool {
			for _, g := range gs {
				n += g.bytes() + countChunks(g.members.Load())
			}
			return true
		})
	}
	return n
}

func countChunks[E any](c *chunks[E]) (n int64) {
	if c == nil {
		return 0
	}
	n = c.bytes()
	if c.kids != nil {
		for _, k := range c.kids {
			n += countChunks(k)
		}
	}
	return n
}

// words are the levels that programs of FuzzTrie write.
var words = []string{"", "a", "b", "c", "$SYS", "dd", "a", "b"}

// path turns bytes into levels; bits that say wildcard count when wild is set.
func path(data []byte, wild bool) string {
	levels := make([]string, 0, len(data))
	for i, b := range data {
		switch {
		case wild && b&0x30 == 0x10:
			levels = append(levels, "+")
		case wild && b&0x70 == 0x20 && i == len(data)-1:
			levels = append(levels, "#")
		default:
			levels = append(levels, words[b%8])
		}
	}
	return strings.Join(levels, "/")
}

// run executes a program: a byte of operation with subscriber, mountpoint and
// share name, a byte with the number of levels, the levels.
func run(p *pair, data []byte) {
	p.t.Helper()
	for len(data) >= 3 {
		op, n := data[0], min(int(data[1]%6)+1, len(data)-2)
		levels := data[2 : 2+n]
		data = data[2+n:]
		mountpoint, share := []string{"", "m/x"}[op>>2&1], []string{"", "", "g", "h"}[op>>3&3]
		filter, s := path(levels, true), int(op>>5)
		switch op & 3 {
		case 0, 1:
			p.insert(mountpoint, mqtt.Subscription{Filter: filter, ShareName: share, ID: uint32(n), QoS: mqtt.QoS(op & 1)}, s)
		case 2:
			p.remove(key{mountpoint, share, filter, s})
		case 3:
			p.match(mountpoint, path(levels, false))
		}
	}
	p.match("", "a/b")
	p.all()
	p.empty()
}

func FuzzTrie(f *testing.F) {
	f.Add([]byte("\x00\x01aa\x00\x02\x20ab\x03\x02aab"))
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz 0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<12 {
			return
		}
		run(newPair(t), data)
	})
}
