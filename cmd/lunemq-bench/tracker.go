package main

// trackerWindow is how far behind the newest number one may arrive and still
// be told from a duplicate.
const trackerWindow = 1 << 16

// tracker follows the numbers of one publisher's messages as they arrive, in
// fixed memory: which are new, which came again, which came late. Owned by the
// loop; the zero value expects 0.
type tracker struct {
	next      uint64 // one more than the highest number seen
	unique    uint64
	repeated  uint64
	reordered uint64 // unique, but after a higher one
	seen      [trackerWindow / 64]uint64
}

// take notes the arrival of number n and reports whether it is new. What is
// older than the window counts as a duplicate.
func (t *tracker) take(n uint64) bool {
	if n == t.next {
		t.next++
		t.mark(n)
		t.unique++
		return true
	}
	if n > t.next {
		if n-t.next >= trackerWindow {
			t.seen = [trackerWindow / 64]uint64{}
		} else {
			for i := t.next; i < n; i++ {
				t.seen[i%trackerWindow/64] &^= 1 << (i % 64)
			}
		}
		t.next = n + 1
		t.mark(n)
		t.unique++
		return true
	}
	if t.next-n > trackerWindow || t.seen[n%trackerWindow/64]&(1<<(n%64)) != 0 {
		t.repeated++
		return false
	}
	t.mark(n)
	t.unique++
	t.reordered++
	return true
}

func (t *tracker) mark(n uint64) { t.seen[n%trackerWindow/64] |= 1 << (n % 64) }
