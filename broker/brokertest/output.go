package brokertest

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// Output is a log that tests read while it is written. The zero value is empty.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String is what has been written.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Eventually ends the test unless f comes true within Patience.
func Eventually(t testing.TB, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !f(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come true in time")
		}
	}
}
