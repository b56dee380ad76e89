package epoll

// heap orders connections by the time at which they are to be looked at. It
// and due and place of its members are guarded by loop.mu.
type heap []*conn

// first returns the earliest time.
func (h heap) first() int64 {
	if len(h) == 0 {
		return never
	}
	return h[0].due
}

// set enters c, or moves it.
func (h *heap) set(c *conn, at int64) {
	c.due = at
	if c.place == 0 {
		*h = append(*h, c)
		c.place = int32(len(*h))
	}
	h.up(int(c.place) - 1)
	h.down(int(c.place) - 1)
}

// pop takes the first member out.
func (h *heap) pop() *conn {
	c := (*h)[0]
	h.remove(c)
	return c
}

// remove takes c out, if it is there.
func (h *heap) remove(c *conn) {
	if c.place == 0 {
		return
	}
	i, last := int(c.place)-1, len(*h)-1
	c.place = 0
	moved := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	if i == last {
		return
	}
	(*h)[i] = moved
	moved.place = int32(i + 1)
	h.up(i)
	h.down(int(moved.place) - 1)
}

// arity is the number of children: with four, a heap is half as high as with
// two, and a parent's children lie together.
const arity = 4

func (h heap) up(i int) {
	c := h[i]
	for i > 0 {
		parent := (i - 1) / arity
		if h[parent].due <= c.due {
			break
		}
		h.put(i, h[parent])
		i = parent
	}
	h.put(i, c)
}

func (h heap) down(i int) {
	c := h[i]
	for {
		least := c
		first := arity*i + 1
		at := i
		for k := first; k < min(first+arity, len(h)); k++ {
			if h[k].due < least.due {
				least, at = h[k], k
			}
		}
		if at == i {
			break
		}
		h.put(i, least)
		i = at
	}
	h.put(i, c)
}

func (h heap) put(i int, c *conn) {
	h[i] = c
	c.place = int32(i + 1)
}
