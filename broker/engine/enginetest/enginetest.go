package enginetest

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// Run tests the engines that newEngine returns, a fresh one per test. Their
// linger time must be at most a second and they must accept all four kinds of
// connection. Tests over net.Pipe call newEngine within a synctest bubble.
func Run(t *testing.T, newEngine func() engine.Engine) {
	cert := newCertificate(t)
	for _, kind := range []transport{tcp, unix, encrypted(cert)} {
		t.Run(kind.name, func(t *testing.T) {
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) { c.run(newFixture(t, newEngine, kind)) })
			}
		})
	}
	t.Run(pipe.name, func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { c.run(newFixture(t, newEngine, pipe)) })
			})
		}
	})
	t.Run("Leaks", func(t *testing.T) { testLeaks(newFixture(t, newEngine, tcp)) })
}

// testCase is one test, run for each transport.
type testCase struct {
	name string
	run  func(f *fixture)
}

// cases is never changed.
var cases = []testCase{
	{"Receive_PartsAndLeftovers", testReceive},
	{"Receive_LongInput", testReceiveLong},
	{"Park_Wake", testPark},
	{"Park_WakeBefore", testParkWakeBefore},
	{"Park_NothingLeft", testParkNothingLeft},
	{"Park_WakeFromDeadline", testParkWakeFromDeadline},
	{"Echo_Backpressure", testEcho},
	{"Write_SlowReader", testWriteSlow},
	{"Write_WhileReceiving", testWriteWhileReceiving},
	{"Write_Error", testWriteError},
	{"Write_BeforeServed", testWriteBeforeServed},
	{"Close_Flushes", testCloseFlushes},
	{"Close_FlushesWithUnreadInput", testCloseUnread},
	{"Close_InReceive", testCloseInReceive},
	{"Close_InDeadline", testCloseInDeadline},
	{"Close_WhileIdleAndParked", testCloseFromOutside},
	{"Close_LingersNotForEver", testCloseLinger},
	{"Close_NothingAfterwards", testCloseAfter},
	{"Peer_Closes", testPeerCloses},
	{"Deadline_Fires", testDeadlineFires},
	{"Deadline_Earlier", testDeadlineEarlier},
	{"Deadline_Later", testDeadlineLater},
	{"Deadline_Disarmed", testDeadlineDisarmed},
	{"Deadline_UnderLoad", testDeadlineUnderLoad},
	{"Panic_EndsOneConnection", testPanic},
	{"Engine_Close", testEngineClose},
	{"Engine_AddAfterClose", testAddAfterClose},
}

// fixture is an engine and what a test needs around it. Owned by its test.
type fixture struct {
	testing.TB
	engine   engine.Engine
	kind     transport
	patience time.Duration // how long to wait for what must come
}

func newFixture(t testing.TB, newEngine func() engine.Engine, kind transport) *fixture {
	f := &fixture{TB: t, engine: newEngine(), kind: kind, patience: 20 * time.Second}
	t.Cleanup(func() { f.engine.Close(nil) })
	return f
}

// open connects a client to the engine, where p handles the connection.
func (f *fixture) open(p *probe) net.Conn {
	f.Helper()
	server, client := f.kind.pair(f)
	f.Cleanup(func() { _ = client.Close() })
	f.engine.Add(server, p.attach(f))
	return client
}

// send writes s to the connection of a client without waiting for its end.
func (f *fixture) send(client net.Conn, s string) {
	f.Helper()
	_ = client.SetWriteDeadline(time.Now().Add(f.patience))
	if _, err := client.Write([]byte(s)); err != nil {
		f.Fatalf("client: %v", err)
	}
}

// next waits for a value from ch.
func next[V any](f *fixture, ch <-chan V, what string) V {
	f.Helper()
	timer := time.NewTimer(f.patience)
	defer timer.Stop()
	select {
	case v := <-ch:
		return v
	case <-timer.C:
		f.Fatalf("waited in vain for: %s", what)
	}
	panic("unreachable")
}

// none fails if ch has a value.
func none[V any](f *fixture, ch <-chan V, what string) {
	f.Helper()
	select {
	case v := <-ch:
		f.Fatalf("got %v, want no %s", v, what)
	default:
	}
}

// equal fails if got is not want.
func equal[V comparable](f *fixture, got, want V, what string) {
	f.Helper()
	if got != want {
		f.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
