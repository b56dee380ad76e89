package pebblestore

import (
	"fmt"
	"sync"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// BenchmarkCommit has producers append one message of 200 bytes each, wait for
// the disk, and complete it 64 messages later. One operation is one message.
func BenchmarkCommit(b *testing.B) {
	for _, sync := range []bool{true, false} {
		for _, producers := range []int{1, 64, 256} {
			b.Run(fmt.Sprintf("sync=%v/producers=%d", sync, producers), func(b *testing.B) {
				s := open(b, b.TempDir(), Options{Sync: sync})
				benchCommit(b, s, producers)
			})
		}
	}
}

func benchCommit(b *testing.B, s *Store, producers int) {
	for i := range producers {
		do(b, s, put(key(i)))
	}
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range producers {
		wg.Go(func() {
			m := message(200)
			var batch store.Batch
			done := make(chan error, 1)
			finish := func(err error) { done <- err }
			k := key(i)
			for n := uint64(1); n <= uint64(max(1, b.N/producers)); n++ {
				batch.Reset()
				batch.Sync = true
				batch.Add(add(k, n, m))
				if n > 64 {
					batch.Add(complete(k, n-64))
				}
				s.Commit(&batch, finish)
				if err := <-done; err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkFanOut appends one message of 1 kB to 1000 sessions, and completes
// it in all. One operation is one message.
func BenchmarkFanOut(b *testing.B) {
	s := open(b, b.TempDir(), Options{Sync: true})
	fanOut(b, s, 1000, 1, 1000)
	b.ReportAllocs()
	for n := uint64(2); b.Loop(); n++ {
		fanOut(b, s, 1000, n, 1000)
		var batch store.Batch
		for i := range 1000 {
			batch.Add(complete(key(i), n))
		}
		do(b, s, batch.Ops...)
	}
}

// BenchmarkQueueDrain reads a queue of 50,000 messages of 200 bytes in pages of
// 100 and completes them. One operation is the whole queue.
func BenchmarkQueueDrain(b *testing.B) {
	s := open(b, b.TempDir(), Options{Sync: true})
	do(b, s, put(key(0)))
	const n = 50_000
	last := uint64(0)
	for b.Loop() {
		b.StopTimer()
		for range n / 500 {
			var batch store.Batch
			for range 500 {
				last++
				batch.Add(add(key(0), last, message(200)))
			}
			do(b, s, batch.Ops...)
		}
		b.StartTimer()
		for left := n; left > 0; {
			var page []uint64
			s.Queue(key(0), 0, func(e store.Entry) bool { page = append(page, e.Number); return len(page) < 100 })
			var batch store.Batch
			for _, number := range page {
				batch.Add(complete(key(0), number))
			}
			left -= len(page)
			do(b, s, batch.Ops...)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkRestore opens a store and reads everything, as a broker does. Every
// tenth queue has a message.
func BenchmarkRestore(b *testing.B) {
	const sessions = 100_000
	dir := b.TempDir()
	s := open(b, dir, Options{})
	for i := 0; i < sessions; i += 1000 {
		var batch store.Batch
		for j := i; j < i+1000; j++ {
			batch.Add(put(key(j)))
			batch.Add(subscribe(key(j), fmt.Sprintf("site/%d/device/%d/#", j%100, j)))
			if j%10 == 0 {
				batch.Add(add(key(j), 1, message(200)))
			}
		}
		do(b, s, batch.Ops...)
	}
	s.Close()
	b.ReportAllocs()
	for b.Loop() {
		s := open(b, dir, Options{})
		n := 0
		s.Load(func(_ *store.Session, queue store.QueueReader) bool {
			n++
			queue(func(store.Entry) bool { return true })
			return true
		})
		s.Retained(func(*mqtt.Message) bool { return true })
		if s.Close(); n != sessions {
			b.Fatalf("%d sessions", n)
		}
	}
	b.ReportMetric(sessions*float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
}
