package goroutine

import "sync"

// Sizes of read buffers, in bytes.
const (
	smallRead = 512 // held while waiting, where waiting needs a buffer
	firstRead = 4 << 10
	nextRead  = 16 << 10
	largeRead = 64 << 10
)

// pools lend buffers of the four sizes. Safe for concurrent use. They hold
// pointers to arrays, since a slice would be allocated to be put into one.
type pools struct{ small, first, next, large sync.Pool }

// class returns the capacity of what get returns for size.
func class(size int) int {
	for _, c := range [...]int{smallRead, firstRead, nextRead, largeRead} {
		if size <= c {
			return c
		}
	}
	return size
}

// get returns an empty buffer of at least size bytes of capacity.
func (p *pools) get(size int) []byte {
	var a any
	switch size = class(size); size {
	case smallRead:
		a = p.small.Get()
	case firstRead:
		a = p.first.Get()
	case nextRead:
		a = p.next.Get()
	case largeRead:
		a = p.large.Get()
	}
	switch a := a.(type) {
	case *[smallRead]byte:
		return a[:0]
	case *[firstRead]byte:
		return a[:0]
	case *[nextRead]byte:
		return a[:0]
	case *[largeRead]byte:
		return a[:0]
	}
	return make([]byte, 0, size)
}

// put takes back a buffer of get, or nil.
func (p *pools) put(b []byte) {
	switch b = b[:cap(b)]; cap(b) {
	case smallRead:
		p.small.Put((*[smallRead]byte)(b))
	case firstRead:
		p.first.Put((*[firstRead]byte)(b))
	case nextRead:
		p.next.Put((*[nextRead]byte)(b))
	case largeRead:
		p.large.Put((*[largeRead]byte)(b))
	}
}

// inbuf holds the bytes that were read and not yet consumed: p[r:]. It has no
// buffer while there are none and nobody reads. Its size follows the bytes
// that have arrived, never what a peer announces. Owned by the reader.
type inbuf struct {
	p    []byte
	r    int
	base int // size of the first buffer
	next int // size of the next fresh buffer: larger while reads fill it
}

// bytes returns what is not consumed; valid until the next call.
func (b *inbuf) bytes() []byte { return b.p[b.r:] }

// room returns free space to read into: at least a quarter of the buffer. A
// full buffer at least doubles; its bytes are moved at most a few times each. Of a
// large one it is not all: who is read more slowly is so by this.
func (b *inbuf) room(pools *pools) []byte {
	switch {
	case b.p == nil:
		b.p = pools.get(b.next)
	case cap(b.p)-len(b.p) >= cap(b.p)/4:
	case b.r >= cap(b.p)/4:
		b.p = b.p[:copy(b.p, b.p[b.r:])]
		b.r = 0
	default:
		b.move(pools, pools.get(2*cap(b.p)))
	}
	return b.p[len(b.p):min(cap(b.p), len(b.p)+largeRead)]
}

// move puts the bytes into another buffer.
func (b *inbuf) move(pools *pools, to []byte) {
	to = append(to, b.p[b.r:]...)
	pools.put(b.p)
	b.p, b.r = to, 0
}

// added says that n bytes were read into room.
func (b *inbuf) added(n int) {
	b.p = b.p[:len(b.p)+n]
	if len(b.p) == cap(b.p) {
		b.next = min(2*cap(b.p), largeRead)
	} else if len(b.p) <= cap(b.p)/4 {
		b.next = b.base
	}
}

// consume removes the first n bytes.
func (b *inbuf) consume(pools *pools, n int) {
	if n < 0 || n > len(b.p)-b.r {
		panic("engine: handler consumed more than it was given")
	}
	b.r += n
	if b.r == len(b.p) {
		b.release(pools)
	}
}

// shrink is called when no more bytes are at hand, so that the connection may
// become idle: a buffer that is mostly empty is given back for a smaller one.
func (b *inbuf) shrink(pools *pools) {
	b.next = b.base
	used := len(b.p) - b.r
	switch {
	case used == 0:
		b.release(pools)
	case class(2*used) < cap(b.p):
		b.move(pools, pools.get(2*used))
	}
}

// release gives the buffer back with all it holds.
func (b *inbuf) release(pools *pools) {
	if b.p != nil {
		pools.put(b.p)
		b.p, b.r = nil, 0
	}
}
