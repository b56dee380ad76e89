package subtrie

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Trie holds the subscriptions of all mountpoints; S is whoever receives. Safe
// for concurrent use: Match and Each take no lock, Insert and Remove take turns.
//
// A Match that begins after an Insert or Remove has returned sees its effect;
// one that overlaps it sees the old or the new state of that subscription.
type Trie[S comparable] struct {
	seed   maphash.Seed
	mounts atomic.Pointer[table[S]] // roots by mountpoint

	mu    sync.Mutex // held by the writer; guards what follows
	mem   int64      // bytes in use
	steps []step[S]  // scratch of Remove

	count, bytes atomic.Int64 // for Len and Bytes
}

// New returns an empty table.
func New[S comparable]() *Trie[S] { return &Trie[S]{seed: maphash.MakeSeed()} }

// Insert adds a subscription; isNew = false when the subscriber had one with
// the same mountpoint, filter and share name, whose options it replaces. The
// filter must be valid (topic.ValidateFilter); it and the strings it is part of
// are kept.
//
// Spec: MQTT 5.0 §3.8.4 [MQTT-3.8.4-3], §4.8.2.
func (t *Trie[S]) Insert(mountpoint string, sub mqtt.Subscription, s S) (isNew bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	isNew = t.put(t.place(t.root(mountpoint), sub.Filter), sub, s)
	if isNew {
		t.count.Add(1)
	}
	t.bytes.Store(t.mem)
	return isNew
}

// Remove takes a subscription out; had = false when there was none. share is ""
// for a plain one, filter is without "$share/{ShareName}/".
//
// Spec: MQTT 5.0 §3.10.4.
func (t *Trie[S]) Remove(mountpoint, share, filter string, s S) (had bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.mount(mountpoint)
	if at == nil {
		return false
	}
	subs := t.way(at, filter)
	if subs != nil && t.take(subs, share, s) {
		had = true
		t.count.Add(-1)
		if subs.Load() == nil {
			t.tidy()
		}
	}
	clear(t.steps)
	if cap(t.steps) > keepSteps {
		t.steps = nil
	}
	t.bytes.Store(t.mem)
	return had
}

// keepSteps is the depth of filters for which Remove keeps its scratch.
const keepSteps = 1024

// Len returns the number of subscriptions.
func (t *Trie[S]) Len() int { return int(t.count.Load()) }

// Bytes returns an estimate of the memory in use, in bytes: structures and the
// texts of filters, not the subscribers. An empty table counts 0.
func (t *Trie[S]) Bytes() int64 { return t.bytes.Load() }

func (t *Trie[S]) hash(s string) uint64 { return maphash.String(t.seed, s) }

func (t *Trie[S]) tables() tables[S] { return tables[S]{&t.mem} }

// mount returns the place of a mountpoint's root, or nil. Safe for readers.
func (t *Trie[S]) mount(mountpoint string) *atomic.Pointer[node[S]] {
	if s := t.mounts.Load().find(t.hash(mountpoint), mountpoint, true); s != nil {
		return &s.node
	}
	return nil
}

// root returns a mountpoint's root, made if need be.
func (t *Trie[S]) root(mountpoint string) *node[S] {
	if at := t.mount(mountpoint); at != nil {
		return at.Load()
	}
	n := t.leaf(mountpoint)
	t.tables().add(&t.mounts, t.hash(mountpoint), n)
	return n
}

// Group returns a share group as it is now; ok = false when nobody is in it.
func (t *Trie[S]) Group(mountpoint string, share mqtt.Share) (g Group[S], ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.mount(mountpoint)
	if at == nil {
		return g, false
	}
	subs := t.way(at, share.Filter)
	clear(t.steps)
	if subs == nil {
		return g, false
	}
	if found := subs.Load().group(t.ofGroup(share.Name)); found != nil {
		return found.result(), true
	}
	return g, false
}
