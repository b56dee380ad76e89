package conn_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/conn"
	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// socket is an engine.Conn whose client is the test: it says how much the
// socket takes and when the handler is called. Safe for concurrent use.
type socket struct {
	t testing.TB
	h engine.Handler

	mu     sync.Mutex
	out    bytes.Buffer
	room   int
	wakes  int
	closed bool
	in     []byte
	parked bool
	broken bool // Write panics

	name    string
	onWrite func(p []byte)
}

func (s *socket) Write(p []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		s.broken = false
		panic("planted")
	}
	if s.onWrite != nil {
		s.onWrite(p)
	}
	n, _ := s.out.Write(p[:min(len(p), s.room)])
	s.room -= n
	return n
}

func (s *socket) SetDeadline(time.Time) {}

func (s *socket) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakes++
}

func (s *socket) Close(error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func (s *socket) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// feed has the handler receive p behind what it has left; a parked one it does
// not call.
func (s *socket) feed(p []byte) (consumed int) { return s.feedAt(time.Now(), p) }

func (s *socket) feedAt(now time.Time, p []byte) (consumed int) {
	s.in = append(s.in, p...)
	s.mu.Lock()
	woken := s.wakes > 0
	if woken {
		s.wakes, s.parked = 0, false
	}
	s.mu.Unlock()
	if s.parked || len(s.in) == 0 && !woken {
		return 0
	}
	consumed, s.parked = s.h.Receive(now, s.in)
	s.in = s.in[consumed:]
	return consumed
}

// stuck reports whether the handler is parked and nobody has woken it.
func (s *socket) stuck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parked && s.wakes == 0
}

// take lets the socket take n bytes more.
func (s *socket) take(n int) {
	s.mu.Lock()
	s.room += n
	s.mu.Unlock()
	s.h.Writable(time.Now())
}

// dial connects a client to a broker.
func dial(t testing.TB, b *brokertest.Broker, id string, v mqtt.Version) *socket {
	t.Helper()
	s := &socket{t: t, room: 1 << 20, name: id}
	d := &conn.Door{Info: hook.ListenerInfo{Name: "tcp.default"}, Versions: []int{3, 4, 5}, Chain: b.Server.Chain}
	s.h = conn.New(b.Server, d, s, &hook.Client{}, time.Now())
	t.Cleanup(func() { s.h.Closed(time.Now(), nil) })
	s.feed((&packet.Connect{Version: v, ClientID: id, CleanStart: true, KeepAlive: 60}).Append(nil, v))
	if s.out.Len() == 0 {
		t.Fatal("no CONNACK")
	}
	return s
}

// TestOutput_Bounded: of a client that sends and does not read, no more is read
// than what the answers to may wait for it, and all of it once it reads.
func TestOutput_Bounded(t *testing.T) {
	const limit = 1 << 20
	for name, p := range map[string]packet.Packet{
		"PINGREQ": &packet.Pingreq{},
		"PUBREL":  &packet.Pubrel{Ack: packet.Ack{PacketID: 1}},
		"PUBLISH": &packet.Publish{QoS: 1, Topic: "t", PacketID: 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := brokertest.Start(t, brokertest.Options{Set: []string{"max_output_bytes=1MB"}})
			s := dial(t, b, "c", mqtt.V311)
			s.mu.Lock()
			s.room = 0
			s.mu.Unlock()
			s.out.Reset()
			chunk, sent, read := bytes.Repeat(p.Append(nil, mqtt.V311), 5000), 0, 0
			for sent < 32<<20 && !s.stuck() {
				sent += len(chunk)
				read += s.feed(chunk)
			}
			if !s.stuck() || read > 16*limit {
				t.Fatalf("%d bytes were read, parked: %v", read, s.parked)
			}
			s.h.Deadline(time.Now().Add(time.Hour))
			if s.ended() {
				t.Fatal("the keep alive counts although nothing is read")
			}
			if s.take(100); s.wakes > 0 {
				t.Error("woken although much still waits")
			}
			for i := 0; read < sent; i++ {
				s.take(1 << 20)
				read += s.feed(nil)
				if i > 1000 {
					t.Fatal("what was sent is not read to its end")
				}
			}
			s.take(64 << 20)
			if want := sent / len(p.Append(nil, mqtt.V311)); s.out.Len() < 2*want {
				t.Errorf("%d bytes of answers to %d packets", s.out.Len(), want)
			}
		})
	}
}

// TestRetained_JobsBounded: subscribing again and again does not make what is
// left to do grow.
func TestRetained_JobsBounded(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{})
	for i := range 300 {
		b.Inject(&mqtt.Message{Topic: fmt.Sprint("r/", i), Payload: make([]byte, 1000), QoS: 1, Retain: true})
	}
	s := dial(t, b, "c", mqtt.V5)
	s.take(1 << 30) // it reads all, and acknowledges nothing
	for i := range 20_000 {
		s.feed((&packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: fmt.Sprint("r/+", map[bool]string{true: "/x"}[i%2 == 0]), QoS: 1}}}).Append(nil, mqtt.V5))
	}
	if n := s.h.(*conn.Conn).Jobs(); n > 3000 {
		t.Errorf("%d jobs wait", n)
	}
}

// TestPanic_UnderLock: a panic costs its connection, and nobody waits for it.
func TestPanic_UnderLock(t *testing.T) {
	for name, call := range map[string]func(s *socket){
		"Receive":  func(s *socket) { s.feed((&packet.Pingreq{}).Append(nil, mqtt.V5)) },
		"Writable": func(s *socket) { s.take(100) },
	} {
		t.Run(name, func(t *testing.T) {
			b := brokertest.Start(t, brokertest.Options{})
			s := dial(t, b, "c", mqtt.V5)
			if name == "Writable" {
				s.room = 0
				s.feed((&packet.Pingreq{}).Append(nil, mqtt.V5))
			}
			s.broken = true
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic is not reported to the engine")
					}
				}()
				call(s)
			}()
			next := make(chan *socket)
			go func() {
				s.h.Closed(time.Now(), nil)
				next <- dial(t, b, "c", mqtt.V5)
			}()
			select {
			case s = <-next:
			case <-time.After(brokertest.Patience):
				t.Fatal("the lock is still held")
			}
			ping := (&packet.Pingreq{}).Append(nil, mqtt.V5)
			if n := s.feed(ping); n != len(ping) {
				t.Error("the next connection of the client is not read")
			}
		})
	}
}
