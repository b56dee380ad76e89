package scripting

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// instance is one Lua state of a version. Owned by whoever took it.
type instance struct {
	state *sandbox.State
	args  *luaconv.Args
	fns   [slots]*lua.LFunction
}

// pool is the free states of a version. Taking and putting back go without a
// lock; only calls that must wait take mu.
type pool struct {
	free []atomic.Pointer[instance] // as many as there may be states
	made atomic.Int64               // states that exist, or are being made
	keep bool                       // all were made in advance, none is made on demand
	grow func() (*instance, error)
	// replace runs the making of a state that takes the place of one thrown
	// away; failed is told when that does not succeed.
	replace func(func())
	failed  func(error)

	retired atomic.Bool
	most    int          // calls that may wait
	waiting atomic.Int64 // those that do

	mu    sync.Mutex
	queue []chan *instance
}

func newPool(size, waiting int, grow func() (*instance, error)) *pool {
	return &pool{free: make([]atomic.Pointer[instance], size), most: waiting, grow: grow}
}

// Errors of calls that got no state.
var (
	errBusy    = errors.New("too many calls wait for a Lua state; see script.max_waiting, script.max_states and num_states")
	errTimeout = errors.New("no Lua state became free within script.timeout")
	errRetired = errors.New("scripting: the version was replaced") // ask the new one
)

// advance makes n more states before they are needed.
func (p *pool) advance(n int) error {
	for range n {
		in, err := p.grow()
		if err != nil {
			return err
		}
		p.made.Add(1)
		p.put(in)
	}
	return nil
}

// grab returns a free state, nil if there is none.
func (p *pool) grab() *instance {
	for i := range p.free {
		if p.free[i].Load() != nil {
			if in := p.free[i].Swap(nil); in != nil {
				return in
			}
		}
	}
	return nil
}

// take returns a state: a free one, a new one, or the first that becomes free
// within the time.
func (p *pool) take(patience time.Duration) (*instance, error) {
	if p.retired.Load() {
		return nil, errRetired
	}
	if in := p.grab(); in != nil {
		return in, nil
	}
	// With keep all were made in advance, but one may have been lost.
	if n := p.made.Add(1); n <= int64(len(p.free)) {
		in, err := p.grow()
		if err != nil {
			p.made.Add(-1)
		}
		return in, err
	}
	p.made.Add(-1)
	return p.wait(patience)
}

func (p *pool) wait(patience time.Duration) (*instance, error) {
	if p.waiting.Add(1) > int64(p.most) {
		p.waiting.Add(-1)
		return nil, errBusy
	}
	defer p.waiting.Add(-1)
	mine := make(chan *instance, 1)
	p.mu.Lock()
	p.queue = append(p.queue, mine)
	in := p.grab() // one may have been put back before we stood in the queue
	if p.retired.Load() && in == nil {
		mine <- nil
	}
	p.mu.Unlock()
	if in != nil {
		return p.leave(mine, in), nil
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case in := <-mine:
		if in == nil { // its owner threw it away
			return p.take(patience)
		}
		return in, nil
	case <-t.C:
		if in := p.leave(mine, nil); in != nil {
			return in, nil
		}
		return nil, errTimeout
	}
}

// leave takes mine from the queue; a state that was given to it meanwhile goes
// to the next, or is returned if the caller has none.
func (p *pool) leave(mine chan *instance, have *instance) *instance {
	p.mu.Lock()
	for i, c := range p.queue {
		if c == mine {
			p.queue = append(p.queue[:i], p.queue[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	select {
	case in := <-mine:
		switch {
		case in == nil: // the version was replaced, or a state thrown away
		case have == nil:
			return in
		default:
			p.put(in)
		}
	default:
	}
	return have
}

// put gives a state back.
func (p *pool) put(in *instance) {
	if p.hand(in) {
		return
	}
	if p.retired.Load() {
		in.state.Close()
		return
	}
	for i := range p.free {
		if p.free[i].Load() == nil && p.free[i].CompareAndSwap(nil, in) {
			if p.waiting.Load() > 0 { // somebody came between
				if again := p.grab(); again != nil && !p.hand(again) {
					p.putFree(again)
				}
			}
			if p.retired.Load() {
				p.drain()
			}
			return
		}
	}
	in.state.Close() // cannot be: there are as many places as states
}

func (p *pool) putFree(in *instance) {
	for i := range p.free {
		if p.free[i].CompareAndSwap(nil, in) {
			return
		}
	}
}

// hand gives a state to the first that waits.
func (p *pool) hand(in *instance) bool {
	if p.waiting.Load() == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return false
	}
	p.queue[0] <- in
	p.queue = p.queue[1:]
	return true
}

// discard throws a state away. Another one takes its place, made by replace,
// which is not the caller's loop; one that cannot be made is made by the next
// call that needs it.
func (p *pool) discard(in *instance) {
	in.state.Close()
	if p.retired.Load() {
		return
	}
	p.replace(func() {
		next, err := p.grow()
		if err != nil {
			p.made.Add(-1)
			p.hand(nil) // who waits may make a new one
			p.failed(fmt.Errorf("a state was thrown away and cannot be replaced: %w", err))
			return
		}
		p.put(next)
	})
}

// retire says that the version is no longer in force: states are closed when
// they come back.
func (p *pool) retire() {
	p.retired.Store(true)
	p.drain()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.queue {
		c <- nil
	}
	p.queue = nil
}

func (p *pool) drain() {
	for in := p.grab(); in != nil; in = p.grab() {
		in.state.Close()
	}
}
