package enginetest

import (
	"io"
	"time"
)

// short is a time that passes in a test.
const short = 20 * time.Millisecond

// alarms returns a probe that reports its deadlines, and how to put it in each
// of the states in which a deadline may come: waiting for input, and parked.
func alarms(f *fixture) (p *probe, fired chan time.Time, states map[string]func()) {
	fired = make(chan time.Time, 100)
	got := make(chan string, 100)
	p = &probe{receive: parking(got), deadline: func(now time.Time) { fired <- now }}
	client := f.open(p)
	states = map[string]func(){
		"waiting": func() {},
		"parked":  func() { f.send(client, "a"); next(f, got, "input") },
	}
	return p, fired, states
}

// eachState runs test with connections in each state.
func eachState(f *fixture, test func(p *probe, fired <-chan time.Time)) {
	for _, name := range []string{"waiting", "parked"} {
		p, fired, states := alarms(f)
		states[name]()
		test(p, fired)
		none(f, fired, "second Deadline while "+name)
		none(f, p.closed, "Closed while "+name)
	}
}

func (f *fixture) due(fired <-chan time.Time, at time.Time) {
	f.Helper()
	if now := next(f, fired, "Deadline"); now.Before(at) {
		f.Fatalf("Deadline %v too early", at.Sub(now))
	}
}

// A deadline comes, also one that has passed, and is then disarmed.
func testDeadlineFires(f *fixture) {
	eachState(f, func(p *probe, fired <-chan time.Time) {
		for _, d := range []time.Duration{short, -time.Hour, short} {
			at := time.Now().Add(d)
			p.conn.SetDeadline(at)
			f.due(fired, at)
		}
		f.pass(2 * short)
	})
}

// pass waits for d by the deadline of another connection.
func (f *fixture) pass(d time.Duration) {
	f.Helper()
	fired := make(chan time.Time, 1)
	p := &probe{deadline: func(now time.Time) { fired <- now }}
	f.open(p)
	p.conn.SetDeadline(time.Now().Add(d))
	next(f, fired, "Deadline of another connection")
	p.conn.Close(nil)
}

// A deadline may be moved nearer, while the engine waits for the far one.
func testDeadlineEarlier(f *fixture) {
	eachState(f, func(p *probe, fired <-chan time.Time) {
		p.conn.SetDeadline(time.Now().Add(time.Hour))
		at := time.Now().Add(short)
		p.conn.SetDeadline(at)
		f.due(fired, at)
	})
}

// A deadline may be put off, also by Deadline itself.
func testDeadlineLater(f *fixture) {
	eachState(f, func(p *probe, fired <-chan time.Time) {
		at := time.Now().Add(3 * short)
		p.conn.SetDeadline(time.Now().Add(short))
		p.conn.SetDeadline(at)
		f.due(fired, at)
	})
	fired := make(chan time.Time, 10)
	p := &probe{}
	p.deadline = func(now time.Time) {
		fired <- now
		p.conn.SetDeadline(now.Add(short))
	}
	p.init = func() { p.conn.SetDeadline(time.Now()) }
	f.open(p)
	last := next(f, fired, "Deadline")
	for range 3 {
		f.due(fired, last.Add(short))
		last = last.Add(short)
	}
}

// A zero deadline never comes.
func testDeadlineDisarmed(f *fixture) {
	eachState(f, func(p *probe, fired <-chan time.Time) {
		p.conn.SetDeadline(time.Now().Add(2 * short))
		p.conn.SetDeadline(time.Time{})
		f.pass(4 * short)
	})
}

// A deadline comes although input never ceases.
func testDeadlineUnderLoad(f *fixture) {
	fired := make(chan time.Time, 1)
	p := &probe{deadline: func(now time.Time) { fired <- now }}
	p.init = func() { p.conn.SetDeadline(time.Now().Add(short)) }
	client := f.open(p)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := io.WriteString(client, "xxxxxxxxxxxxxxxx"); err != nil {
				return
			}
			select { // in simulated time, no time passes by itself
			case <-p.closed:
				return
			case <-time.After(time.Microsecond):
			}
		}
	}()
	next(f, fired, "Deadline")
	_ = client.Close()
	next(f, done, "the client's end")
}
