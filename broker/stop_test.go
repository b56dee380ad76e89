package broker_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store/memstore"
)

// closable notes that it was closed.
type closable struct {
	*memstore.Store
	closed bool
}

func (c *closable) Close() error {
	c.closed = true
	return c.Store.Close()
}

// TestStop_ClientsThatDoNotClose: they cost no more than their share of the
// time, and the store is closed.
func TestStop_ClientsThatDoNotClose(t *testing.T) {
	kept := &closable{Store: memstore.New()}
	cfg := brokertest.Config(t, "listener.tcp.default=127.0.0.1:0", "allow_anonymous=on", "plugins.passwd=off", "plugins.acl=off")
	engine := broker.NewEngine(time.Hour, func(err error, stack []byte) { t.Errorf("%v\n%s", err, stack) })
	b, err := broker.New(cfg, broker.Parts{Log: slog.New(slog.DiscardHandler), Store: kept, Engine: engine})
	if err != nil {
		t.Fatal(err)
	}
	ready, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, addr, _ := strings.Cut(ready[0], "=")
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5, 0} {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if v == 0 { // says nothing
			continue
		}
		c := brokertest.NewClient(t, nc, v)
		c.Send(&packet.Connect{Version: v, ClientID: v.String(), CleanStart: true})
		brokertest.Next[*packet.Connack](c)
	}
	start := time.Now()
	if err := b.Stop(8 * time.Second); err != nil || !kept.closed {
		t.Errorf("%v, the store is closed: %v", err, kept.closed)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}
