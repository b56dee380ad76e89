package conn

// weight is what packets of a connection hold until their answers leave.
type weight struct {
	answers int
	bytes   int // of packets and of what they store
}

// Bounds of what waits for commits, and of one batch: beyond them no packet is
// read until commits have ended. One packet may exceed them by what it weighs.
const (
	maxAnswers = 4096
	maxBytes   = 1 << 20
)

// opBytes is about what one change takes in a batch.
const opBytes = 160

func (w *weight) add(x weight) { w.answers, w.bytes = w.answers+x.answers, w.bytes+x.bytes }

// remove takes x away and reports whether it was too much only with that.
func (w *weight) remove(x weight) bool {
	was := w.tooMuch()
	w.answers, w.bytes = w.answers-x.answers, w.bytes-x.bytes
	return was && !w.tooMuch()
}

func (w *weight) tooMuch() bool { return w.answers > maxAnswers || w.bytes > maxBytes }

// weigh is what the present batch holds. Messages are counted once, as the
// packets that brought them.
func (c *Conn) weigh() weight {
	return weight{answers: len(c.settles), bytes: c.read + opBytes*len(c.batch.Store.Ops)}
}

// full reports whether the batch must end before another packet is read. Called
// with the lock held.
func (c *Conn) full() bool {
	w := c.weigh()
	w.add(c.unsettled)
	return w.tooMuch()
}
