package broker

import (
	"github.com/lunemq/lunemq/broker/pressure"
	"github.com/lunemq/lunemq/broker/store"
)

// diskGuard is a store that refuses what needs more space while the disk is
// nearly full, before a full disk would damage it. Deletions go on.
type diskGuard struct {
	store.Store
	watch *pressure.Watch
}

// Commit implements store.Committer.
func (g diskGuard) Commit(b *store.Batch, done func(error)) {
	if g.watch.FullDisk() {
		b = essential(b)
	}
	if g.watch.LowDisk() && grows(b) {
		if rest := lazy(b); !rest.Empty() {
			g.Store.Commit(rest, func(error) {}) // whoever fails says so in an alarm
		}
		done(store.ErrFull)
		return
	}
	g.Store.Commit(b, done)
}

// Refuses implements store.Committer.
func (g diskGuard) Refuses(grows bool) error {
	if grows && g.watch.LowDisk() {
		return store.ErrFull
	}
	return g.Store.Refuses(grows)
}

// essential is a batch without what is retained and nobody waits for: at half of
// min_free_disk that must not fill the rest of the disk either. A restart brings
// the message that was stored last.
func essential(b *store.Batch) *store.Batch {
	rest := &store.Batch{Sync: b.Sync}
	for i := range b.Ops {
		if op := &b.Ops[i]; !op.Lazy || op.Kind != store.PutRetained {
			rest.Add(*op)
		}
	}
	return rest
}

// lazy is what of a batch no promise rests on.
func lazy(b *store.Batch) *store.Batch {
	rest := &store.Batch{}
	for i := range b.Ops {
		if b.Ops[i].Lazy {
			rest.Add(b.Ops[i])
		}
	}
	return rest
}

// grows reports whether a promise rests on a batch that stores something new.
func grows(b *store.Batch) bool {
	if !b.Sync {
		return false
	}
	for i := range b.Ops {
		switch b.Ops[i].Kind {
		case store.PutSession, store.PutSubscription, store.Append, store.PutInbound, store.PutRetained:
			if !b.Ops[i].Lazy {
				return true
			}
		}
	}
	return false
}
