package broker_test

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/engine/goroutine"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/pebblestore"
)

// BenchmarkRestoreBroker starts a broker over a store on disk with many
// durable sessions, each with a subscription and an empty queue. One operation
// is a start, the opening of the store included, with the collector set as
// `lunemq serve` sets it meanwhile; p50-s is the median of the starts in
// seconds, B/session is what stays in memory.
func BenchmarkRestoreBroker(b *testing.B) {
	for _, sessions := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(sessions), func(b *testing.B) {
			dir := b.TempDir()
			fillStore(b, dir, sessions)
			cfg := brokertest.Config(b, "listener.tcp.default=127.0.0.1:0", "allow_anonymous=on", "plugins.passwd=off", "plugins.acl=off")
			kept := 0.0
			var took []float64
			b.ReportAllocs()
			defer debug.SetGCPercent(debug.SetGCPercent(400))
			for b.Loop() {
				b.StopTimer()
				before := heap()
				b.StartTimer()
				began := time.Now()
				s, err := pebblestore.Open(dir, pebblestore.Options{})
				if err != nil {
					b.Fatal(err)
				}
				x, err := broker.New(cfg, broker.Parts{Log: quiet, Store: s, Engine: goroutine.New(goroutine.Options{})})
				if err != nil {
					b.Fatal(err)
				}
				if err := x.Load(context.Background()); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				took = append(took, time.Since(began).Seconds())
				kept = heap() - before
				if got := x.Router.Subscriptions(); got != sessions || x.Registry.Len() != sessions {
					b.Fatalf("%d subscriptions of %d clients, want %d", got, x.Registry.Len(), sessions)
				}
				if err := x.Stop(time.Minute); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2], "p50-s")
			b.ReportMetric(kept/float64(sessions), "B/session")
		})
	}
}

// fillStore makes a store with durable sessions.
func fillStore(b *testing.B, dir string, sessions int) {
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < sessions; i += 1000 {
		var batch store.Batch
		for j := i; j < i+1000; j++ {
			k := mqtt.SessionKey{ClientID: fmt.Sprint("client-", j)}
			batch.AddSession(&store.Session{Key: k, Expiry: 24 * time.Hour, Offline: time.Now(),
				Subscriptions: []mqtt.Subscription{{Filter: fmt.Sprintf("site/%d/device/%d/#", j%100, j), QoS: mqtt.AtLeastOnce}}})
		}
		s.Commit(&batch, func(err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// heap is what is in use, in bytes.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
