package epoll

import (
	"math/bits"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds of one turn.
const (
	maxEvents = 256
	bufSize   = 128 << 10 // of the read buffer
	fresh     = 16        // connections served until the time is read again

	// patience is how long a loop that always has something to do keeps the
	// processor from other goroutines. Shorter, the scheduler's work shows.
	patience = time.Millisecond
)

// waker is the slot of the event descriptor.
const waker = -1

// loop serves the connections of one epoll descriptor, by one goroutine.
type loop struct {
	s    *server
	load atomic.Int64 // connections, for the choice of a loop

	// Owned by the goroutine, but for the descriptors, which are constant.
	epfd, evfd int32
	file       *os.File // of epfd
	raw        syscall.RawConn
	onPoll     func(fd uintptr) bool
	events     [maxEvents]syscall.EpollEvent
	n          int     // events of the last poll
	polls      int     // of the last wait
	work, next []*conn // of this turn, and of the one after it
	buf        []byte
	spares     spares
	applied    int64 // until when a poll waits

	mu     sync.Mutex // guards what follows; no other lock is taken under it
	conns  []*conn    // by slot; nil = free
	free   []int32
	heap   heap
	queue  []*conn // to be looked at
	turned []*conn // the queue's other array
	asleep bool    // must be woken to look at queue, heap or ended
	until  int64   // when it awakes by itself
	ended  bool
}

func newLoop(s *server) (*loop, error) {
	epfd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// os.NewFile registers only what is non-blocking.
	if err := syscall.SetNonblock(epfd, true); err != nil {
		_ = syscall.Close(epfd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	l := &loop{s: s, epfd: int32(epfd), file: os.NewFile(uintptr(epfd), "epoll"), buf: make([]byte, bufSize), applied: never}
	l.onPoll = l.poll
	if l.raw, err = l.file.SyscallConn(); err != nil {
		_ = l.file.Close()
		return nil, err
	}
	if l.evfd, err = newEvent(); err != nil {
		_ = l.file.Close()
		return nil, err
	}
	// Edge-triggered, each write is one event, and nobody has to read it.
	edge := syscall.EpollEvent{Events: syscall.EPOLLIN | edgeTriggered, Fd: waker}
	if err := syscall.EpollCtl(epfd, syscall.EPOLL_CTL_ADD, int(l.evfd), &edge); err != nil {
		l.release()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return l, nil
}

// release closes the descriptors.
func (l *loop) release() {
	_ = l.file.Close()
	rawClose(l.evfd)
}

// run is the loop's goroutine.
func (l *loop) run() {
	defer l.release()
	since := l.s.base // when it last left the processor to others
	for l.wait() {
		now := time.Now()
		if l.polls > 1 {
			since = now // it was parked
		} else if now.Sub(since) > patience {
			runtime.Gosched()
			now = time.Now()
			since = now
		}
		l.turn(now)
	}
}

// turn serves everybody who has something to do at now.
func (l *loop) turn(now time.Time) {
	l.gather(now)
	l.work, l.next = l.next, l.work[:0]
	for i, c := range l.work {
		if i%fresh == fresh-1 {
			now = time.Now()
		}
		l.work[i] = nil
		c.listed = false
		c.serve(now)
	}
}

// wait polls for events; while there is nothing else to do it waits for them.
// It reports false once the loop has to end.
func (l *loop) wait() bool {
	l.polls = 0
	l.mu.Lock()
	if l.ended {
		l.mu.Unlock()
		return false
	}
	until := l.heap.first()
	busy := len(l.next) > 0 || len(l.queue) > 0 || until <= l.s.nanos(time.Now())
	l.asleep, l.until = !busy, until
	l.mu.Unlock()
	if busy {
		l.poll(uintptr(l.epfd))
		return true
	}
	l.n = 0
	if l.applied != until && (until < l.applied || l.applied <= l.s.nanos(time.Now())) {
		l.apply(until)
	}
	if err := l.raw.Read(l.onPoll); err != nil {
		l.applied = 0 // the deadline has come: it is set anew before the next wait
	}
	l.mu.Lock()
	l.asleep = false
	l.mu.Unlock()
	return true
}

// apply sets until when a poll waits.
func (l *loop) apply(until int64) {
	l.applied = until
	at := time.Time{}
	if until != never {
		at = l.s.base.Add(time.Duration(until))
	}
	_ = l.file.SetReadDeadline(at)
}

// poll asks for events without waiting; false means that there are none.
func (l *loop) poll(fd uintptr) bool {
	l.polls++
	l.n = rawPoll(fd, l.events[:])
	return l.n > 0
}

// gather enters in next whoever has an event, is queued or has a time that has
// come.
func (l *loop) gather(now time.Time) {
	l.mu.Lock()
	for i := range l.events[:l.n] {
		e := &l.events[i]
		if e.Fd == waker {
			continue
		}
		// The slot may be another connection's by now, which is then looked at
		// in vain.
		if c := l.conns[e.Fd]; c != nil {
			c.note(e.Events)
			l.again(c)
		}
	}
	l.queue, l.turned = l.turned[:0], l.queue
	for at := l.s.nanos(now); l.heap.first() <= at; {
		c := l.heap.pop()
		c.expired = true
		l.again(c)
	}
	l.mu.Unlock()
	for i, c := range l.turned {
		c.mu.Lock()
		c.queued = false
		c.mu.Unlock()
		l.again(c)
		l.turned[i] = nil
	}
}

// note remembers what an event says.
func (c *conn) note(events uint32) {
	const ended = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
	c.hungUp = c.hungUp || events&ended != 0
	c.readable = c.readable || events&(syscall.EPOLLIN|ended) != 0
	c.takes = c.takes || events&(syscall.EPOLLOUT|syscall.EPOLLHUP|syscall.EPOLLERR) != 0
}

// again has c served in the next turn, before which the loop does not wait.
func (l *loop) again(c *conn) {
	if !c.listed {
		c.listed = true
		l.next = append(l.next, c)
	}
}

// add begins to serve c. The handler may have used the connection before.
func (l *loop) add(c *conn) {
	c.out.Lock()
	defer c.out.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	l.mu.Lock()
	if n := len(l.free); n > 0 {
		c.slot, l.free = l.free[n-1], l.free[:n-1]
		l.conns[c.slot] = c
	} else {
		c.slot = int32(len(l.conns))
		l.conns = append(l.conns, c)
	}
	l.mu.Unlock()
	c.served = true
	if err := l.watch(syscall.EPOLL_CTL_ADD, c, false); err != nil {
		c.fail(failure("epoll_ctl", err))
	}
	if c.starved {
		c.watchOutput()
	}
	if c.deadline != never {
		l.arm(c, c.deadline)
	}
	if c.closing.Load() {
		c.enqueue()
	}
}

// watch registers c's descriptor or changes what is told of it; what is the
// case already is told anew.
func (l *loop) watch(op int, c *conn, output bool) error {
	return rawControl(l.epfd, op, c.fd, c.slot, output)
}

// remove forgets c. Its slot may be used again at once.
func (l *loop) remove(c *conn) {
	l.mu.Lock()
	l.conns[c.slot] = nil
	l.free = append(l.free, c.slot)
	l.heap.remove(c)
	l.mu.Unlock()
}

// left says that a connection chosen for the loop is over.
func (l *loop) left() {
	l.load.Add(-1)
	l.s.served.Done()
}

// all returns the connections.
func (l *loop) all() (list []*conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		if c != nil {
			list = append(list, c)
		}
	}
	return list
}

// enqueue has c looked at.
func (l *loop) enqueue(c *conn) {
	l.mu.Lock()
	l.queue = append(l.queue, c)
	l.wake()
}

// arm has the times of c looked at then, or before; not much later.
func (l *loop) arm(c *conn, at int64) {
	l.mu.Lock()
	if c.place != 0 && c.due <= at {
		l.mu.Unlock()
		return
	}
	at = together(l.s.nanos(time.Now()), at)
	l.heap.set(c, at)
	if at >= l.until {
		l.mu.Unlock()
		return
	}
	l.wake()
}

// maxDelay bounds by how much a time may come late, in nanoseconds: 268 ms.
const maxDelay = 1 << 28

// together delays at by up to a 64th of what is left until then, so that the
// times of many connections come together and a loop wakes for all at once.
func together(now, at int64) int64 {
	left := at - now
	if left < 64 {
		return at
	}
	step := int64(1) << min(bits.Len64(uint64(left/64))-1, bits.Len64(maxDelay)-1)
	return (at + step - 1) &^ (step - 1)
}

// stop ends the loop, which has no connections any more.
func (l *loop) stop() {
	l.mu.Lock()
	l.ended = true
	l.wake()
}

// wake ends the loop's wait, if it waits. Called with mu held, which it
// releases.
func (l *loop) wake() {
	asleep := l.asleep
	l.asleep = false
	l.mu.Unlock()
	if asleep {
		_, _ = rawWrite(l.evfd, one)
	}
}
