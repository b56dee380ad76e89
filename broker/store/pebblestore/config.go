package pebblestore

import (
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Config are the keys of the configuration about persistence.
type Config struct {
	_      struct{} `doc:"Persistence of durable sessions and retained messages"`
	Engine string   `key:"persistence.engine" default:"pebble" enum:"pebble,memory" reload:"restart" doc:"Where durable sessions, their messages and retained messages are kept: on disk below data_dir (pebble), or in memory only, so that a restart forgets them (memory)."`
	Sync   bool     `key:"persistence.sync" default:"on" reload:"restart" doc:"Acknowledge a QoS 1 or 2 message only when it is in stable storage (fsync). Off: a loss of power may lose acknowledged messages of the last half minute, kill -9 those of the last milliseconds."`
}

// Options say how a store is opened. The zero value of a field is its default.
type Options struct {
	// Sync waits for stable storage when a batch asks for it
	// (persistence.sync). Default off.
	Sync bool
	// Log receives what an operator should know; nil discards it.
	Log *slog.Logger
	// CacheBytes bounds the cache of blocks read. Default 32 MB.
	CacheBytes int64
	// MemTableBytes is how much is gathered in memory before it is sorted into
	// a file; up to three times that is in use. Default 16 MB.
	MemTableBytes int
	// MaxWaiting bounds the bytes of batches that wait for the committer;
	// beyond it Commit waits. Default 32 MB.
	MaxWaiting int
	// MaxOpenFiles bounds the table files that are kept open. Default 1000.
	MaxOpenFiles int
	// Stalled, unless it is nil, is told why the store waits and acknowledges
	// nothing, and nil when it goes on. It must not call the store.
	Stalled func(err error)
	// FS is the file system, for tests. Default the disk.
	FS vfs.FS
	// Now is the wall clock, for tests. Default time.Now.
	Now func() time.Time
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 32 << 20
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = 16 << 20
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 32 << 20
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}
