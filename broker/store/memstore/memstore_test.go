package memstore_test

import (
	"testing"

	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
	"github.com/lunemq/lunemq/broker/store/storetest"
)

func TestSuite(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Opener {
		return storetest.Opener{Open: func() (store.Store, error) { return memstore.New(), nil }}
	})
}
