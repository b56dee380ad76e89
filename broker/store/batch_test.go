package store

import "testing"

// later is a committer that settles when the test says so.
type later struct {
	during func()
	done   func(error)
}

func (l *later) Commit(_ *Batch, done func(error)) {
	l.during()
	l.done = done
}

func (*later) Refuses(bool) error { return nil }

// TestSubmit_Ticket: a ticket holds its messages until the store has the batch,
// and counts as pending until the batch is committed.
func TestSubmit_Ticket(t *testing.T) {
	var b Batch
	ticket, told := b.Ticket(), false
	c := &later{during: func() {
		if !ticket.Held() {
			t.Error("the messages were let go before the store had the batch")
		}
	}}
	b.Submit(c, func(error) { told = !ticket.Held() && !ticket.Pending() })
	if ticket.Held() || !ticket.Pending() {
		t.Errorf("submitted: held %v, pending %v", ticket.Held(), ticket.Pending())
	}
	c.done(nil)
	if !told {
		t.Error("somebody was told before the ticket was settled")
	}
	if b.Ticket() == ticket {
		t.Error("the next batch has the same ticket")
	}
}
