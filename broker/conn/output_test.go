package conn

import (
	"slices"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// slow is a committer that is interrupted in its first commit.
type slow struct {
	interrupt func()
	order     []uint64
}

func (*slow) Refuses(bool) error { return nil }

func (s *slow) Commit(b *store.Batch, done func(error)) {
	number := b.Ops[0].Entry.Number
	if f := s.interrupt; f != nil {
		s.interrupt = nil
		f()
	}
	s.order = append(s.order, number)
	done(nil)
}

// TestAfterwards_Order: what a connection stores leaves in the order it was
// made, also when somebody else comes by while the first is on its way.
func TestAfterwards_Order(t *testing.T) {
	s := &slow{}
	c := &Conn{srv: &Server{Store: s}, m: session.NewMachine(&session.Config{}, time.Now()), info: &hook.Client{}}
	pack := func(n uint64) func() {
		c.pre.Lock()
		defer c.pre.Unlock()
		op := store.Op{Kind: store.Complete}
		op.Entry.Number = n
		c.own.Add(op)
		return c.afterwards(nil, false, false)
	}
	first, second := pack(1), pack(2)
	s.interrupt = second
	first()
	pack(3)()
	if !slices.Equal(s.order, []uint64{1, 2, 3}) {
		t.Errorf("committed in the order %v", s.order)
	}
}
