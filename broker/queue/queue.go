package queue

import "github.com/lunemq/lunemq/broker/mqtt"

// Limits bound a queue. A queue over a lowered limit keeps what it has until
// Trim.
type Limits struct {
	Messages int  // -1 = unlimited, 0 = takes nothing
	Bytes    int  // sum of mqtt.Message.Size, 0 = unlimited
	LIFO     bool // newest first, and the oldest makes room; else the arriving message is refused
}

// Queue is an ordered, bounded list of messages. Owned by the holder of the
// client's lock. The zero value is empty and holds no memory.
type Queue struct {
	ring  []mqtt.Queued // length is zero or a power of two
	head  int           // index of the oldest
	count int
	bytes int
	zero  int // of count, those of QoS 0
}

// minRing is the first allocation, in messages.
const minRing = 8

// Len returns the number of messages.
func (q *Queue) Len() int { return q.count }

// Bytes returns the sum of the messages' sizes.
func (q *Queue) Bytes() int { return q.bytes }

// AtMostOnce returns the number of messages of QoS 0.
func (q *Queue) AtMostOnce() int { return q.zero }

// Push appends it. When the queue is full, something is handed back as dropped
// (ok = false): with LIFO the oldest, after which it is in the queue, else it
// itself. A message larger than Limits.Bytes is always handed back.
func (q *Queue) Push(it mqtt.Queued, l Limits) (dropped mqtt.Queued, ok bool) {
	size := it.Message.Size()
	full := l.Messages >= 0 && q.count >= l.Messages || l.Bytes > 0 && q.bytes+size > l.Bytes
	if !full {
		q.append(it, size)
		return mqtt.Queued{}, true
	}
	if !l.LIFO || q.count == 0 || l.Messages == 0 || l.Bytes > 0 && q.bytes-q.ring[q.head].Message.Size()+size > l.Bytes {
		return it, false
	}
	dropped = q.popFront()
	q.append(it, size)
	return dropped, false
}

// Next returns the message that Pop would take.
func (q *Queue) Next(lifo bool) (it mqtt.Queued, ok bool) {
	if q.count == 0 {
		return mqtt.Queued{}, false
	}
	if lifo {
		return q.ring[(q.head+q.count-1)&(len(q.ring)-1)], true
	}
	return q.ring[q.head], true
}

// Pop removes the next message: the oldest, or with lifo the newest.
func (q *Queue) Pop(lifo bool) (it mqtt.Queued, ok bool) {
	if q.count == 0 {
		return mqtt.Queued{}, false
	}
	if !lifo {
		return q.popFront(), true
	}
	i := (q.head + q.count - 1) & (len(q.ring) - 1)
	it = q.ring[i]
	q.ring[i] = mqtt.Queued{}
	q.removed(it)
	return it, true
}

// Take removes the message for which is says so: the oldest if it is that, or
// with lifo the newest of which it is true, wherever it is. Its cost is the
// number of newer messages.
func (q *Queue) Take(lifo bool, is func(mqtt.Queued) bool) (it mqtt.Queued, ok bool) {
	if !lifo {
		if q.count == 0 || !is(q.ring[q.head]) {
			return mqtt.Queued{}, false
		}
		return q.popFront(), true
	}
	at := func(i int) *mqtt.Queued { return &q.ring[(q.head+i)&(len(q.ring)-1)] }
	for i := q.count - 1; i >= 0; i-- {
		if !is(*at(i)) {
			continue
		}
		it = *at(i)
		for ; i < q.count-1; i++ {
			*at(i) = *at(i + 1)
		}
		*at(i) = mqtt.Queued{}
		q.removed(it)
		return it, true
	}
	return mqtt.Queued{}, false
}

// Trim hands back messages until the queue is within l: with LIFO the oldest
// first, else the newest first.
func (q *Queue) Trim(l Limits, drop func(mqtt.Queued)) {
	for q.count > 0 && (l.Messages >= 0 && q.count > l.Messages || l.Bytes > 0 && q.bytes > l.Bytes) {
		it, _ := q.Pop(!l.LIFO)
		drop(it)
	}
}

// Each calls f from the oldest to the newest until f returns false.
func (q *Queue) Each(f func(mqtt.Queued) bool) {
	for i := range q.count {
		if !f(q.ring[(q.head+i)&(len(q.ring)-1)]) {
			return
		}
	}
}

func (q *Queue) append(it mqtt.Queued, size int) {
	q.grow()
	q.ring[(q.head+q.count)&(len(q.ring)-1)] = it
	q.count++
	q.bytes += size
	if it.Delivery.QoS == mqtt.AtMostOnce {
		q.zero++
	}
}

func (q *Queue) popFront() mqtt.Queued {
	it := q.ring[q.head]
	q.ring[q.head] = mqtt.Queued{}
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.removed(it)
	return it
}

// removed books a removal and gives memory back when little is left.
func (q *Queue) removed(it mqtt.Queued) {
	q.count--
	q.bytes -= it.Message.Size()
	if it.Delivery.QoS == mqtt.AtMostOnce {
		q.zero--
	}
	switch {
	case q.count == 0:
		if len(q.ring) > 4*minRing {
			q.ring = nil
		}
		q.head = 0
	case len(q.ring) > 16*minRing && q.count < len(q.ring)/8:
		q.resize(len(q.ring) / 4)
	}
}

func (q *Queue) grow() {
	if q.count == len(q.ring) {
		q.resize(max(minRing, 2*len(q.ring)))
	}
}

func (q *Queue) resize(n int) {
	ring := make([]mqtt.Queued, n)
	for i := range q.count {
		ring[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
	}
	q.ring, q.head = ring, 0
}
