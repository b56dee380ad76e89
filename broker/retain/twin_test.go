package retain

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/topic"
)

var epoch = time.Unix(1_700_000_000, 0)

// name names a retained message in pair.
type name struct{ mountpoint, topic string }

// pair is a store with its dumb twin, a map matched with topic.Match.
type pair struct {
	t     testing.TB
	store *Store
	twin  map[name]*mqtt.Message
}

func newPair(t testing.TB) *pair { return &pair{t, New(), map[name]*mqtt.Message{}} }

func (p *pair) put(m *mqtt.Message) {
	p.t.Helper()
	k := name{m.Mountpoint, m.Topic}
	if got := p.store.Put(m); got != p.twin[k] {
		p.t.Fatalf("Put(%v) = %v, want %v", k, got, p.twin[k])
	}
	p.twin[k] = m
}

func (p *pair) remove(k name) {
	p.t.Helper()
	if got := p.store.Delete(k.mountpoint, k.topic); got != p.twin[k] {
		p.t.Fatalf("Delete(%v) = %v, want %v", k, got, p.twin[k])
	}
	delete(p.twin, k)
}

// sorted returns the topics, in the order of levels, of those messages in the
// twin that want approves of.
func (p *pair) sorted(mountpoint string, want func(*mqtt.Message) bool) []string {
	var all [][]string
	for k, m := range p.twin {
		if k.mountpoint == mountpoint && want(m) {
			all = append(all, strings.Split(k.topic, "/"))
		}
	}
	slices.SortFunc(all, slices.Compare[[]string])
	var topics []string
	for _, levels := range all {
		topics = append(topics, strings.Join(levels, "/"))
	}
	return topics
}

// pages reads all pages of a filter.
func (p *pair) pages(mountpoint, filter string, limit int) []string {
	p.t.Helper()
	var got []string
	var page []*mqtt.Message
	var cursor Cursor
	for more := true; more; {
		page, cursor, more = p.store.Page(epoch, mountpoint, filter, cursor, limit, page[:0])
		if len(page) > limit {
			p.t.Fatalf("page of %d, want at most %d", len(page), limit)
		}
		for _, m := range page {
			got = append(got, m.Topic)
		}
	}
	return got
}

// match compares the pages of a filter, order included.
func (p *pair) match(mountpoint, filter string, limit int) {
	p.t.Helper()
	got := p.pages(mountpoint, filter, limit)
	want := p.sorted(mountpoint, func(m *mqtt.Message) bool {
		return topic.Match(filter, m.Topic) && !m.Expired(epoch)
	})
	if !slices.Equal(got, want) {
		p.t.Fatalf("Page(%q, %q) = %q, want %q", mountpoint, filter, got, want)
	}
}

// all compares Len, Bytes, Each, Expired and Get.
func (p *pair) all() {
	p.t.Helper()
	if got := p.store.Len(); got != len(p.twin) {
		p.t.Fatalf("Len() = %d, want %d", got, len(p.twin))
	}
	seen, expired, bytes := 0, 0, int64(0)
	p.store.Each(func(m *mqtt.Message) bool {
		if p.twin[name{m.Mountpoint, m.Topic}] != m {
			p.t.Fatalf("Each saw %v", m)
		}
		seen++
		bytes += bytesOf(m)
		if m.Expired(epoch) {
			expired++
		}
		return true
	})
	if seen != len(p.twin) || bytes != p.store.Bytes() {
		p.t.Fatalf("Each saw %d of %d, %d of %d bytes", seen, len(p.twin), bytes, p.store.Bytes())
	}
	for k, m := range p.twin {
		if got := p.store.Get(k.mountpoint, k.topic); got != m {
			p.t.Fatalf("Get(%v) = %v, want %v", k, got, m)
		}
	}
	var page []*mqtt.Message
	var cursor Cursor
	for more := true; more; {
		page, cursor, more = p.store.Expired(epoch, cursor, 3, page)
	}
	for _, m := range page {
		if !m.Expired(epoch) || !p.store.DeleteIf(m) || p.store.DeleteIf(m) {
			p.t.Fatalf("Expired returned %v", m)
		}
		delete(p.twin, name{m.Mountpoint, m.Topic})
	}
	if len(page) != expired {
		p.t.Fatalf("Expired returned %d, want %d", len(page), expired)
	}
}

// empty deletes what is left and checks that nothing remains.
func (p *pair) empty() {
	p.t.Helper()
	for k := range p.twin {
		p.remove(k)
	}
	s := p.store
	if s.Len() != 0 || s.Bytes() != 0 || len(s.spaces) != 0 || len(s.order) != 0 || s.expiring != 0 {
		p.t.Fatalf("empty store holds %+v", s)
	}
}

// words are the levels that programs of FuzzStore write; some lie next to "/",
// "$" and "%" in the order of bytes.
var words = []string{"", "a", "b", "$S", "!", "%", "aa", "a"}

// path turns bytes into levels; bits that say wildcard count when wild is set.
func path(data []byte, wild bool) string {
	levels := make([]string, 0, len(data))
	for i, b := range data {
		switch {
		case wild && b&0x30 == 0x10:
			levels = append(levels, "+")
		case wild && b&0x30 == 0x20 && i == len(data)-1:
			levels = append(levels, "#")
		default:
			levels = append(levels, words[b%8])
		}
	}
	return strings.Join(levels, "/")
}

// run executes a program: a byte of operation, a byte with the number of
// levels, the levels.
func run(p *pair, data []byte) {
	p.t.Helper()
	for len(data) >= 3 {
		op, n := data[0], min(int(data[1]%6)+1, len(data)-2)
		levels := data[2 : 2+n]
		data = data[2+n:]
		k := name{[]string{"", "m"}[op>>2&1], path(levels, false)}
		switch op & 3 {
		case 0, 1:
			m := &mqtt.Message{Mountpoint: k.mountpoint, Topic: k.topic, Payload: levels}
			if op&0x18 == 0x18 {
				m.Expires = epoch.Add(time.Duration(int(op>>5)-4) * time.Second)
			}
			p.put(m)
		case 2:
			p.remove(k)
		case 3:
			p.match(k.mountpoint, path(levels, true), int(op>>4)+1)
		}
	}
	p.match("", "#", 7)
	p.match("", "+/a/#", 7)
	p.all()
	p.empty()
}

func FuzzStore(f *testing.F) {
	f.Add([]byte("\x00\x01aa\x00\x02\x20ab\x03\x02aab"))
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz 0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) <= 1<<12 {
			run(newPair(t), data)
		}
	})
}
