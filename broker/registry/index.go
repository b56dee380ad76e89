package registry

import "github.com/lunemq/lunemq/broker/mqtt"

// index finds clients by their key: an open table, probed from the place the
// hash says to the next empty one. It keeps neither key nor a second copy of
// what the client has, takes 16 bytes a place, and moves to a larger table
// without looking at a client. The zero value is empty. Guarded by the lock of
// its shard.
type index struct {
	places []place // length is zero or a power of two; at least a quarter are empty
	n      int
}

// place holds a client with the hash of its key, or nothing.
type place struct {
	hash uint64
	c    *Client
}

// minPlaces is the first table.
const minPlaces = 8

// start is the place of a hash. The lowest bits choose the shard.
func (x *index) start(hash uint64) int { return int(hash>>shardBits) & (len(x.places) - 1) }

// find returns the place of a key; when nobody has it, the empty place where
// its client belongs, and had = false. There must be a table.
func (x *index) find(hash uint64, key mqtt.SessionKey) (at *place, had bool) {
	for i := x.start(hash); ; i = (i + 1) & (len(x.places) - 1) {
		p := &x.places[i]
		if p.c == nil {
			return p, false
		}
		if p.hash == hash && p.c.key == key {
			return p, true
		}
	}
}

// get returns the client of a key, nil if there is none.
func (x *index) get(hash uint64, key mqtt.SessionKey) *Client {
	if x.n == 0 {
		return nil
	}
	at, _ := x.find(hash, key)
	return at.c
}

// obtain returns the client of a key, made by create if there is none.
func (x *index) obtain(hash uint64, key mqtt.SessionKey, create func() *Client) (c *Client, isNew bool) {
	if 4*(x.n+1) > 3*len(x.places) {
		x.resize(max(minPlaces, 2*len(x.places)))
	}
	at, had := x.find(hash, key)
	if !had {
		*at = place{hash, create()}
		x.n++
	}
	return at.c, !had
}

// remove takes the client of a key out, if there is one. Those behind it close
// the gap, so that no search ends before them.
func (x *index) remove(hash uint64, key mqtt.SessionKey) {
	if x.n == 0 {
		return
	}
	at, had := x.find(hash, key)
	if !had {
		return
	}
	x.n--
	mask := len(x.places) - 1
	gap := x.start(hash)
	for &x.places[gap] != at {
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; x.places[i].c != nil; i = (i + 1) & mask {
		if away := (i - x.start(x.places[i].hash)) & mask; away >= (i-gap)&mask {
			x.places[gap], gap = x.places[i], i
		}
	}
	x.places[gap] = place{}
	if len(x.places) > minPlaces && 8*x.n < len(x.places) {
		x.resize(len(x.places) / 2)
	}
}

func (x *index) resize(n int) {
	old := x.places
	x.places = make([]place, n)
	for _, p := range old {
		if p.c == nil {
			continue
		}
		i := x.start(p.hash)
		for x.places[i].c != nil {
			i = (i + 1) & (n - 1)
		}
		x.places[i] = p
	}
}

// appendTo appends all clients to dst, in no order.
func (x *index) appendTo(dst []*Client) []*Client {
	for _, p := range x.places {
		if p.c != nil {
			dst = append(dst, p.c)
		}
	}
	return dst
}
