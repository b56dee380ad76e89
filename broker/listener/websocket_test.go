package listener

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/lunemq/lunemq/broker/listener/certtest"
)

// webbed is a WebSocket listener.
type webbed struct {
	*Listener
	t        *testing.T
	arrivals <-chan arrival
	dropped  chan error
}

func newWebbed(t *testing.T, change func(s *Spec)) *webbed {
	t.Helper()
	x := &webbed{t: t, dropped: make(chan error, 100)}
	x.Listener, x.arrivals = opened(t, "127.0.0.1:0", func(s *Spec) {
		s.Name, s.Type, s.Timeout = "ws.test", "mqttws", patience
		s.WebSocket = &WebSocket{RequestLimits: RequestLimits{Line: 200, Value: 300}, MaxFrame: 1 << 20, Forwarded: Forwarded{NameHeader: "x-ssl-client-cn"}}
		s.Dropped = func(_ netip.AddrPort, err error) { x.dropped <- err }
		if change != nil {
			change(s)
		}
	})
	return x
}

// head returns a request for an upgrade with further header lines.
func head(path string, lines ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: broker\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
}

const offer = "Sec-WebSocket-Protocol: mqtt"

// wsClient is a client's end after its request.
type wsClient struct {
	net.Conn
	t    *testing.T
	r    *bufio.Reader
	resp *http.Response
}

func (x *webbed) request(text string) *wsClient {
	x.t.Helper()
	c := &wsClient{Conn: dial(x.t, x.Listener), t: x.t}
	if _, err := c.Write([]byte(text)); err != nil {
		x.t.Fatal(err)
	}
	c.r = bufio.NewReader(c.Conn)
	var err error
	if c.resp, err = http.ReadResponse(c.r, nil); err != nil {
		x.t.Fatal(err)
	}
	return c
}

// upgraded returns both ends of an upgraded connection.
func (x *webbed) upgraded(lines ...string) (*wsClient, arrival) {
	x.t.Helper()
	c := x.request(head("/mqtt", append(lines, offer)...))
	if c.resp.StatusCode != http.StatusSwitchingProtocols {
		x.t.Fatalf("got %s", c.resp.Status)
	}
	return c, next(x.t, x.arrivals)
}

// refused checks that a request is answered with a status and why.
func (x *webbed) refused(text string, status int, why string) {
	x.t.Helper()
	c := x.request(text)
	if c.resp.StatusCode != status {
		x.t.Errorf("got %s, want %d", c.resp.Status, status)
	}
	if err := next(x.t, x.dropped); !strings.Contains(err.Error(), why) {
		x.t.Errorf("got %v, want %q", err, why)
	}
	if _, err := c.r.ReadByte(); c.resp.ContentLength == 0 && err != io.EOF {
		x.t.Errorf("the connection is open: %v", err)
	}
}

// frame reads one frame.
func (c *wsClient) frame() ws.Frame {
	c.t.Helper()
	h, err := ws.ReadHeader(c.r)
	if err != nil {
		c.t.Fatal(err)
	}
	p := make([]byte, h.Length)
	if _, err := io.ReadFull(c.r, p); err != nil {
		c.t.Fatal(err)
	}
	return ws.Frame{Header: h, Payload: p}
}

func (c *wsClient) send(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func TestWebSocket_Subprotocols(t *testing.T) {
	x := newWebbed(t, nil)
	for lines, want := range map[string]string{
		offer:                              "mqtt",
		"Sec-WebSocket-Protocol: mqttv3.1": "mqttv3.1",
		"Sec-WebSocket-Protocol: x, mqttv3.1, mqtt":                 "mqttv3.1",
		"Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: mqtt": "mqtt",
		offer + "\r\nSec-WebSocket-Extensions: permessage-deflate":  "mqtt",
	} {
		c := x.request(head("/mqtt?token=1", lines))
		if got := c.resp.Header.Get("Sec-WebSocket-Protocol"); c.resp.StatusCode != 101 || got != want || c.resp.Header.Get("Sec-WebSocket-Extensions") != "" {
			t.Errorf("%q: got %s, %v", lines, c.resp.Status, c.resp.Header)
		}
		if got := c.resp.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // RFC 6455 §1.3
			t.Errorf("accept: got %s", got)
		}
		a := next(t, x.arrivals)
		if _, raw := a.Conn.(syscall.Conn); raw {
			t.Error("the socket beneath shows")
		}
	}
	x.refused(head("/mqtt"), http.StatusBadRequest, "no subprotocol")
	x.refused(head("/mqtt", "Sec-WebSocket-Protocol: soap"), http.StatusBadRequest, "no subprotocol")
}

func TestWebSocket_BadRequests(t *testing.T) {
	x := newWebbed(t, nil)
	x.refused(head("/", offer), http.StatusNotFound, `nothing at "/"`)
	x.refused(head("/mqtt/x", offer), http.StatusNotFound, "nothing at")
	x.refused("GET /mqtt HTTP/1.1\r\nHost: broker\r\n\r\n", http.StatusBadRequest, "Upgrade")
	x.refused("POST /mqtt HTTP/1.1\r\nHost: broker\r\n\r\n", http.StatusMethodNotAllowed, "method")
	x.refused("\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00\r\n", http.StatusBadRequest, "malformed")
	x.refused(head("/mqtt?"+strings.Repeat("x", 200), offer), http.StatusRequestURITooLong, "Too Long")
	x.refused(head("/mqtt", offer, "Cookie: "+strings.Repeat("x", 301)), http.StatusRequestHeaderFieldsTooLarge, "Too Large")
	x.refused(head("/mqtt", offer, strings.Repeat("x", 300)+": 1"), http.StatusRequestHeaderFieldsTooLarge, "Too Large")
	x.refused(head("/mqtt", offer, strings.Repeat("A: b\r\n", 100)), http.StatusRequestHeaderFieldsTooLarge, "Too Large")
	c, _ := x.upgraded("Cookie: " + strings.Repeat("x", 300))
	if c.resp.StatusCode != 101 {
		t.Error(c.resp.Status)
	}
	counts(t, x.Listener, 1, x.Total())
}

func TestWebSocket_Origins(t *testing.T) {
	x := newWebbed(t, func(s *Spec) { s.WebSocket.Origins = []string{"https://example.org", "http://localhost:8000"} })
	x.upgraded("Origin: https://Example.org")
	x.upgraded("Origin: http://localhost:8000")
	x.upgraded()
	for _, origin := range []string{"https://example.org.evil.net", "http://example.org", "null", "https://example.org:444"} {
		x.refused(head("/mqtt", offer, "Origin: "+origin), http.StatusForbidden, "allowed_origins")
	}
}

// Bytes arrive as they were sent, however they were put into frames.
func TestWebSocket_Frames(t *testing.T) {
	x := newWebbed(t, nil)
	early := masked(frame(ws.OpBinary, true, "early"))
	c := x.request(head("/mqtt", offer) + string(early))
	a := next(t, x.arrivals)
	c.send(masked(frame(ws.OpBinary, false, " in"), frame(ws.OpPing, true, "?"), frame(ws.OpContinuation, true, " parts"), frame(ws.OpBinary, true, " and more")))
	if got := make([]byte, 23); !readFull(t, a.Conn, got[:5], "early") || !readFull(t, a.Conn, got[:18], " in parts and more") {
		t.Errorf("got %q", got)
	}
	if f := c.frame(); f.Header.OpCode != ws.OpPong || string(f.Payload) != "?" || f.Header.Masked {
		t.Errorf("got %+v", f)
	}
	for _, n := range []int{1, 125, 126, 65535, 65536, 200000} {
		want := strings.Repeat("w", n)
		go func() { _, _ = a.Write([]byte(want)) }()
		if f := c.frame(); f.Header.OpCode != ws.OpBinary || !f.Header.Fin || f.Header.Masked || string(f.Payload) != want {
			t.Errorf("%d bytes: got %+v of %d", n, f.Header, len(f.Payload))
		}
	}
}

// The peer's Close frame is answered and ends the stream; ours waits for its.
func TestWebSocket_Close(t *testing.T) {
	x := newWebbed(t, nil)
	for body, want := range map[string]ws.StatusCode{"\x03\xe9away": 1001, "": 1000, "\x03\xed": 1002, "x": 1002} {
		c, a := x.upgraded()
		c.send(masked(frame(ws.OpBinary, true, "last"), frame(ws.OpClose, true, body)))
		if b, err := io.ReadAll(a); err != nil || string(b) != "last" {
			t.Errorf("got %q, %v", b, err)
		}
		if code, _ := ws.ParseCloseFrameData(c.frame().Payload); code != want {
			t.Errorf("%q: got %d, want %d", body, code, want)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after Close: got %v", err)
		}
		_ = a.Close()
	}
	c, a := x.upgraded()
	if err := a.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
	if code, _ := ws.ParseCloseFrameData(c.frame().Payload); code != ws.StatusNormalClosure {
		t.Errorf("got %d", code)
	}
	c.send(masked(frame(ws.OpClose, true, "\x03\xe8")))
	if _, err := a.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

func TestWebSocket_Refusals(t *testing.T) {
	x := newWebbed(t, func(s *Spec) { s.WebSocket.MaxFrame = 10 })
	for name, b := range map[ws.StatusCode][]byte{
		ws.StatusUnsupportedData: masked(frame(ws.OpText, true, "text")),
		ws.StatusMessageTooBig:   masked(frame(ws.OpBinary, true, "more than ten")),
		ws.StatusProtocolError:   ws.MustCompileFrame(frame(ws.OpBinary, true, "not masked")),
	} {
		c, a := x.upgraded()
		c.send(append(b, make([]byte, 10000)...))
		read := make(chan error, 1)
		go func() {
			_, err := a.Read(make([]byte, 100))
			read <- err
		}()
		if code, _ := ws.ParseCloseFrameData(c.frame().Payload); code != name {
			t.Errorf("got %d, want %d", code, name)
		}
		_ = c.Close()
		var r *refusal
		if err := next(t, read); !errors.As(err, &r) {
			t.Errorf("got %v", err)
		}
		_ = a.Close()
	}
}

// A deadline within a frame loses nothing.
func TestWebSocket_Deadline(t *testing.T) {
	x := newWebbed(t, nil)
	c, a := x.upgraded()
	whole := masked(frame(ws.OpBinary, true, "hello"))
	for i := range whole {
		_ = a.SetReadDeadline(time.Unix(1, 0))
		if _, err := a.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("at %d: got %v", i, err)
		}
		_ = a.SetReadDeadline(time.Time{})
		c.send(whole[i : i+1])
		if i >= 6 && !readFull(t, a.Conn, make([]byte, 1), "hello"[i-6:i-5]) {
			t.Errorf("at %d: not the right byte", i)
		}
	}
}

// A client that pings and reads nothing does not stop the reader.
func TestWebSocket_PingFlood(t *testing.T) {
	x := newWebbed(t, func(s *Spec) { s.Buffers = Buffers{Send: 4096} })
	c, a := x.upgraded()
	ping := masked(frame(ws.OpPing, true, strings.Repeat("p", 125)))
	go func() {
		for range 20000 {
			if _, err := c.Write(ping); err != nil {
				return
			}
		}
		_, _ = c.Write(masked(frame(ws.OpBinary, true, "through")))
	}()
	if got := make([]byte, 7); !readFull(t, a.Conn, got, "through") {
		t.Errorf("got %q", got)
	}
	_ = a.Close()
}

func TestWebSocket_Timeout(t *testing.T) {
	x := newWebbed(t, func(s *Spec) { s.Timeout = 100 * time.Millisecond })
	for _, text := range []string{"", "GET /mqtt HTTP/1.1\r\nHost: b"} {
		_, _ = dial(t, x.Listener).Write([]byte(text))
		if err := next(t, x.dropped); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
	counts(t, x.Listener, 0, 2)
}

func TestWebSocket_Forwarded(t *testing.T) {
	limits := NewLimits(0, 1)
	x := newWebbed(t, func(s *Spec) {
		s.Limits = limits
		f := &s.WebSocket.Forwarded
		f.On, f.UseName, f.NameHeader = true, true, "X-Name"
		f.Trusted = make([]Network, 2)
		if err := errors.Join(f.Trusted[0].UnmarshalText([]byte("10.0.0.1")), f.Trusted[1].UnmarshalText([]byte("127.0.0.0/30"))); err != nil {
			t.Fatal(err)
		}
	})
	for lines, want := range map[string]string{
		"X-Forwarded-For: 192.0.2.1, 10.1.1.1\r\nx-name: alice":        "192.0.2.1:0 alice",
		"x-forwarded-for: 192.0.2.2:4711\r\nX-Forwarded-For: 10.1.1.1": "192.0.2.2:4711 ",
		"X-Forwarded-For: 2001:db8::1":                                 "[2001:db8::1]:0 ",
		"X-Forwarded-For: [2001:db8::2]:99\r\nX-NAME: bob":             "[2001:db8::2]:99 bob",
	} {
		c, a := x.upgraded(strings.Split(lines, "\r\n")...)
		if got := a.peer.Remote.String() + " " + a.peer.Identity; got != want {
			t.Errorf("%q: got %q, want %q", lines, got, want)
		}
		defer c.Close()
	}
	x.refused(head("/mqtt", offer, "X-Forwarded-For: somebody"), http.StatusBadRequest, "does not begin with an address")
	x.refused(head("/mqtt", offer, "X-Name: a", "X-Name: b"), http.StatusBadRequest, "there twice")
	if c := x.request(head("/mqtt", offer, "X-Forwarded-For: 192.0.2.1")); c.resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("second connection of one address: got %s", c.resp.Status)
	}
	until(t, func() bool { return limits.Open() == 4 })
	o := *x.spec.WebSocket
	o.Trusted = o.Trusted[:1]
	_ = x.Apply(Spec{WebSocket: &o, Timeout: patience})
	x.refused(head("/mqtt", offer, "X-Name: alice"), http.StatusForbidden, "trusted proxy")
}

func TestNetwork(t *testing.T) {
	for text, want := range map[string]string{"10.0.0.1": "10.0.0.1", "10.1.2.3/8": "10.0.0.0/8", "::ffff:10.0.0.1": "10.0.0.1", "2001:db8::/32": "2001:db8::/32", "proxy": "error"} {
		var n Network
		err := n.UnmarshalText([]byte(text))
		got, _ := n.MarshalText()
		if want == "error" && err == nil || want != "error" && (err != nil || string(got) != want) {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

func TestWebSocket_OverTLS(t *testing.T) {
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) {
		s.WebSocket = &WebSocket{RequestLimits: RequestLimits{Line: 200, Value: 200}, MaxFrame: 100}
		s.Identity, s.Timeout = true, patience
	})
	d := ws.Dialer{Protocols: []string{"mqtt"}, TLSConfig: x.ca.Client(x.ca.Issue(t, "alice", nil))}
	type result struct {
		net.Conn
		hs  ws.Handshake
		err error
	}
	dialed := make(chan result, 1)
	go func() {
		c, _, hs, err := d.Dial(t.Context(), fmt.Sprintf("wss://%s/mqtt", x.Addr()))
		dialed <- result{c, hs, err}
	}()
	a := next(t, x.arrivals)
	c := next(t, dialed)
	if c.err != nil || c.hs.Protocol != "mqtt" || a.peer.Identity != "alice" {
		t.Fatalf("got %v, %+v, %+v", c.err, c.hs, a.peer)
	}
	if _, err := c.Write(masked(frame(ws.OpBinary, true, "hello"))); err != nil || !readFull(t, a.Conn, make([]byte, 5), "hello") {
		t.Errorf("got %v", err)
	}
	_ = a.Close()
	counts(t, x.Listener, 0, 1)
}

func TestWSConn_WriteAllocs(t *testing.T) {
	w := newWSConn(discard{}, nil, 100)
	p := make([]byte, 1000)
	_, _ = w.Write(p)
	if n := testing.AllocsPerRun(1000, func() { _, _ = w.Write(p) }); n > 0 {
		t.Errorf("Write allocates %v times", n)
	}
}

type discard struct{ net.Conn }

func (discard) Write(p []byte) (int, error) { return len(p), nil }
