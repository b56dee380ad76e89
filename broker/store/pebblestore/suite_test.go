package pebblestore

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/storetest"
)

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		fs := vfs.NewMem()
		return storetest.Opener{Persistent: true, Open: func() (store.Store, error) {
			return Open("store", Options{Sync: true, FS: fs, MemTableBytes: 256 << 10})
		}}
	})
}
