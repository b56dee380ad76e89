package enginetest

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// What is not consumed is delivered again, with more behind it.
func testReceive(f *fixture) {
	got, seen := make(chan string, 100), make(chan int, 100)
	p := &probe{}
	lines, consumed := p.lines(got), 0
	p.receive = func(now time.Time, b []byte) (int, bool) {
		n, park := lines(now, b)
		seen <- consumed + len(b)
		consumed += n
		return n, park
	}
	client := f.open(p)
	sent := 0
	for _, part := range []string{"a", "b\n", "c\nd", "\n\n", "efg\nhij\nk", "lm", "n\n"} {
		f.send(client, part)
		sent += len(part)
		for next(f, seen, "input") < sent {
		}
	}
	for i, want := range strings.Fields("ab c d _ efg hij klmn") {
		equal(f, next(f, got, "a line"), strings.Trim(want, "_"), fmt.Sprintf("line %d", i))
	}
}

// Input that is consumed as a whole only may be long.
func testReceiveLong(f *fixture) {
	got := make(chan string, 100)
	p := &probe{}
	p.receive = p.lines(got)
	client := f.open(p)
	var want []string
	for i, size := range []int{300_000, 10, 70_000, 511, 512, 4096, 1_000_000, 1} {
		want = append(want, strings.Repeat(string(rune('a'+i)), size))
	}
	go func() { _, _ = io.WriteString(client, strings.Join(want, "\n")+"\n") }()
	for i := range want {
		if line := next(f, got, "a long line"); line != want[i] {
			f.Fatalf("line %d: got %d bytes beginning with %.3q", i, len(line), line)
		}
	}
}

// parking returns a receive function that takes one byte per call and parks.
func parking(got chan<- string) func(time.Time, []byte) (int, bool) {
	return func(_ time.Time, b []byte) (int, bool) {
		got <- string(b)
		return min(1, len(b)), true
	}
}

// A parked connection is not called until Wake, then with what is left.
func testPark(f *fixture) {
	got := make(chan string, 100)
	p := &probe{receive: parking(got)}
	client := f.open(p)
	f.send(client, "abc")
	rest := next(f, got, "input")
	// A second connection's round trip gives a wrong call time to happen.
	f.roundTrip()
	none(f, got, "call while parked")
	for len(rest) > 1 {
		p.conn.Wake()
		again := next(f, got, "input after Wake")
		equal(f, strings.HasPrefix(again, rest[1:]), true, fmt.Sprintf("%q after %q", again, rest))
		rest = again
	}
	f.roundTrip()
	none(f, got, "call while parked")
}

// roundTrip opens another connection and waits until it has been served.
func (f *fixture) roundTrip() {
	f.Helper()
	got := make(chan string, 1)
	p := &probe{}
	p.receive = p.lines(got)
	f.send(f.open(p), "x\n")
	next(f, got, "input of another connection")
}

// A Wake before the park takes effect is not lost; one that has been followed
// by a call is spent.
func testParkWakeBefore(f *fixture) {
	got := make(chan string, 100)
	p := &probe{}
	calls := 0
	p.receive = func(_ time.Time, b []byte) (int, bool) {
		calls++
		got <- string(b)
		if calls == 1 {
			p.conn.Wake()
			return 1, true
		}
		return 0, true
	}
	client := f.open(p)
	p.conn.Wake() // nothing is parked: must not spare the park below
	f.send(client, "ab")
	first := next(f, got, "input")
	second := next(f, got, "input after an early Wake")
	equal(f, strings.HasPrefix(second, first[1:]), true, fmt.Sprintf("%q after %q", second, first))
	f.roundTrip()
	none(f, got, "call while parked")
}

// Wake calls Receive even if there is nothing to give.
func testParkNothingLeft(f *fixture) {
	got := make(chan string, 100)
	p := &probe{receive: func(_ time.Time, b []byte) (int, bool) {
		got <- string(b)
		return len(b), len(b) > 0
	}}
	client := f.open(p)
	f.send(client, "a")
	equal(f, next(f, got, "input"), "a", "input")
	p.conn.Wake()
	equal(f, next(f, got, "a call after Wake"), "", "input after Wake")
	f.send(client, "b")
	equal(f, next(f, got, "input after a park"), "b", "input")
}

// A deadline comes while the connection is parked too, and may end that.
func testParkWakeFromDeadline(f *fixture) {
	got := make(chan string, 100)
	p := &probe{receive: parking(got)}
	p.deadline = func(time.Time) { p.conn.Wake() }
	client := f.open(p)
	f.send(client, "ab")
	next(f, got, "input")
	p.conn.SetDeadline(time.Now().Add(10 * time.Millisecond))
	next(f, got, "input after a Wake by Deadline")
}
