package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// counted is a writer that counts its calls.
type counted struct {
	mu    sync.Mutex
	b     bytes.Buffer
	calls int
}

func (c *counted) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	return c.b.Write(p)
}

func (c *counted) text() (string, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.String(), c.calls
}

func TestLineWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var to counted
		w := newLineWriter(&to)
		log := slog.New(urgentHandler{slog.NewTextHandler(w, nil), w})
		for i := range 1000 {
			log.Info("line", "n", i)
		}
		<-time.After(time.Second)
		text, calls := to.text()
		if n := strings.Count(text, "\n"); n != 1000 || calls > 10 {
			t.Errorf("%d lines in %d writes", n, calls)
		}
		log.Info("before")
		log.With("a", 1).Warn("urgent")
		if text, _ := to.text(); !strings.Contains(text, "before") || !strings.HasSuffix(text, "msg=urgent a=1\n") {
			t.Error("a warning waits, or overtakes")
		}
		log.Info("last")
		w.close()
		text, _ = to.text()
		if !strings.HasSuffix(text, "msg=last\n") {
			t.Error("the end loses lines")
		}
		at := -1
		for i := range 1000 { // in order
			next := strings.Index(text, fmt.Sprintf("n=%d\n", i))
			if next < at {
				t.Fatalf("line %d is out of order", i)
			}
			at = next
		}
	})
}

func TestLineWriter_Bounded(t *testing.T) {
	var to counted
	w := newLineWriter(&to)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				_, _ = w.Write(bytes.Repeat([]byte("x"), 64<<10))
			}
		})
	}
	wg.Wait()
	w.close()
	if text, _ := to.text(); len(text) != 400*64<<10 {
		t.Errorf("got %d bytes", len(text))
	}
}
