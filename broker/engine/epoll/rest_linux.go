package epoll

// rest holds the bytes that were received and not consumed: p[r:]. A nil rest
// has none. Its size follows the bytes that have arrived, never what a peer
// announces. Owned by the connection's loop.
type rest struct {
	p []byte
	r int
}

// bytes returns what is not consumed; valid until the next call.
func (b *rest) bytes() []byte {
	if b == nil {
		return nil
	}
	return b.p[b.r:]
}

// room returns free space to read into: at least a quarter of the buffer. A
// full buffer doubles; its bytes are moved at most a few times each.
func (b *rest) room() []byte {
	switch {
	case cap(b.p)-len(b.p) >= cap(b.p)/4:
	case b.r >= cap(b.p)/4:
		b.p = b.p[:copy(b.p, b.p[b.r:])]
		b.r = 0
	default:
		larger := make([]byte, len(b.p)-b.r, 2*cap(b.p))
		copy(larger, b.p[b.r:])
		b.p, b.r = larger, 0
	}
	return b.p[len(b.p):cap(b.p)]
}

// added says that n bytes were read into room, and returns all.
func (b *rest) added(n int) []byte {
	b.p = b.p[:len(b.p)+n]
	return b.bytes()
}

// Sizes of buffers for rests in bytes, and how many of each are kept for use
// by others.
var restSizes = [...]int{256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, bufSize}

const restSpares = 8

// spares are buffers that no connection uses. Owned by a loop.
type spares [len(restSizes)][]*rest

// keep returns a rest with the bytes of left, which are the last ones of old or
// are elsewhere, and takes back old unless it is used again.
func (s *spares) keep(old *rest, left []byte) *rest {
	switch {
	case len(left) == 0:
		s.put(old)
		return nil
	case old != nil && within(old.p, left) && len(left) > cap(old.p)/4:
		old.r = len(old.p) - len(left)
		return old
	}
	b := s.get(len(left))
	b.p = append(b.p[:0], left...)
	b.r = 0
	s.put(old)
	return b
}

// within reports whether left is the end of p.
func within(p, left []byte) bool {
	return len(p) >= len(left) && &p[len(p)-1] == &left[len(left)-1]
}

func (s *spares) get(size int) *rest {
	for i, c := range restSizes {
		if size > c {
			continue
		}
		if n := len(s[i]); n > 0 {
			b := s[i][n-1]
			s[i] = s[i][:n-1]
			return b
		}
		return &rest{p: make([]byte, 0, c)}
	}
	return &rest{p: make([]byte, 0, size)}
}

func (s *spares) put(b *rest) {
	if b == nil {
		return
	}
	for i, c := range restSizes {
		if cap(b.p) == c && len(s[i]) < restSpares {
			s[i] = append(s[i], b)
		}
	}
}
