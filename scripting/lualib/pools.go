package lualib

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Pools are the connection pools of one library by their names, made with
// options O. The zero value is ready. Safe for concurrent use.
type Pools[O comparable, C interface{ Close() }] struct {
	mu     sync.Mutex // a leaf
	all    map[string]*pool[O, C]
	closed bool
}

// pool is one pool with the number of its users: one for the table of pools,
// one for each call.
type pool[O comparable, C interface{ Close() }] struct {
	options O
	client  C
	users   int
}

// maxPools bounds how many pools scripts can make of one library.
const maxPools = 1000

// Ensure makes a pool unless there is one with these options; one with others
// is replaced, and closed when the calls that use it are over. open must not
// wait for the server.
func (p *Pools[O, C]) Ensure(name string, o O, open func(O) (C, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.all[name]
	switch {
	case p.closed:
		return errors.New("the broker is about to end")
	case old != nil && old.options == o:
		return nil
	case old == nil && len(p.all) >= maxPools:
		return fmt.Errorf("there are %d pools already", len(p.all))
	}
	c, err := open(o)
	if err != nil {
		return err
	}
	if p.all == nil {
		p.all = map[string]*pool[O, C]{}
	}
	p.all[name] = &pool[O, C]{o, c, 1}
	if old != nil {
		p.drop(old)
	}
	return nil
}

// drop takes a user away. Called with mu held.
func (p *Pools[O, C]) drop(one *pool[O, C]) {
	if one.users--; one.users == 0 {
		go one.client.Close() // which may wait for connections
	}
}

// Use lends a pool until release is called.
func (p *Pools[O, C]) Use(name string) (client C, release func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.all[name]
	if one == nil {
		return client, nil, fmt.Errorf("there is no pool %q; make it with ensure_pool", clip(name))
	}
	one.users++
	return one.client, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.drop(one)
	}, nil
}

// Close closes all pools and admits no new ones.
func (p *Pools[O, C]) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, one := range p.all {
		p.drop(one)
	}
	p.all = nil
}

// Patience with servers that are not there.
const (
	dialTimeout = 2 * time.Second
	dialPause   = time.Second
)

// Dialer connects to a server. While it is not there, it is tried once a
// second: in between calls fail at once with the error of the last attempt,
// so that a dead server does not keep all callers waiting. Safe for concurrent
// use.
type Dialer struct {
	mu     sync.Mutex // a leaf
	failed error
	until  time.Time
}

// DialContext connects, within two seconds.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	failed := d.failed
	if !time.Now().Before(d.until) {
		failed = nil
	}
	d.mu.Unlock()
	if failed != nil {
		return nil, failed
	}
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	c, err := dialer.DialContext(ctx, network, addr)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		d.failed, d.until = err, time.Now().Add(dialPause)
	}
	if err == nil {
		d.failed = nil
	}
	return c, err
}

// Dialers are Dialers by address. Safe for concurrent use.
type Dialers struct {
	mu  sync.Mutex // a leaf
	all map[string]*Dialer
}

// maxDialers is how many addresses are remembered.
const maxDialers = 1000

// DialContext connects as the Dialer of the address does.
func (d *Dialers) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	one := d.all[addr]
	if one == nil {
		if d.all == nil || len(d.all) >= maxDialers {
			d.all = map[string]*Dialer{}
		}
		one = &Dialer{}
		d.all[addr] = one
	}
	d.mu.Unlock()
	return one.DialContext(ctx, network, addr)
}
