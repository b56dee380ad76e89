package broker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/listener/certtest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// wsEnd is a client's end: what is written goes out in frames of 7 bytes and
// more, fragments of one message. A Close frame is io.EOF.
type wsEnd struct {
	net.Conn
	rest []byte
	size int
}

// Write implements net.Conn.
func (w *wsEnd) Write(p []byte) (int, error) {
	op := ws.OpBinary
	for rest := p; len(rest) > 0; op = ws.OpContinuation {
		w.size = w.size*3%40009 + 7
		part := rest[:min(w.size, len(rest))]
		rest = rest[len(part):]
		f := ws.MaskFrame(ws.NewFrame(op, len(rest) == 0, append([]byte(nil), part...)))
		if _, err := w.Conn.Write(ws.MustCompileFrame(f)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Read implements net.Conn.
func (w *wsEnd) Read(p []byte) (int, error) {
	for len(w.rest) == 0 {
		h, err := ws.ReadHeader(w.Conn)
		payload := make([]byte, max(h.Length, 0))
		if err == nil {
			_, err = io.ReadFull(w.Conn, payload)
		}
		switch {
		case err != nil && errors.Is(err, os.ErrDeadlineExceeded):
			return 0, err
		case err != nil || h.OpCode == ws.OpClose:
			return 0, io.EOF
		case h.OpCode == ws.OpBinary:
			w.rest = payload
		}
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

func dialWS(t *testing.T, url string, c *tls.Config) *wsEnd {
	t.Helper()
	d := ws.Dialer{Protocols: []string{"mqtt"}, TLSConfig: c, Timeout: brokertest.Patience}
	nc, early, hs, err := d.Dial(context.Background(), url)
	if err != nil || early != nil || hs.Protocol != "mqtt" {
		t.Fatalf("%v, %+v", err, hs)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return &wsEnd{Conn: nc}
}

func TestWebSocket(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	server, alice := ca.Issue(t, "broker", nil), ca.Issue(t, "alice", nil)
	versions(t, func(t *testing.T, v mqtt.Version) {
		b := brokertest.Start(t, brokertest.Options{ACL: aliceOnly, Set: append(tlsKeys("wss", ca, server), "listener.ws.t=127.0.0.1:0")})
		speaks(t, dialWS(t, "ws://"+b.Listeners["ws.t"]+"/mqtt", nil), v, "alice")
		if ws, all := b.Server.ConnectedWS.Load(), b.Server.Connected.Load(); ws != 1 || all != 1 {
			t.Errorf("%d of %d connections are WebSocket", ws, all)
		}
		speaks(t, dialWS(t, "wss://"+b.Listeners["wss.t"]+"/mqtt", ca.Client(alice)), v, "mallory")
		rows, err := command(t, b, "listener show")
		if err != nil || len(rows) != 3 || !strings.HasPrefix(rows[1], "mqttws ") || !strings.HasPrefix(rows[2], "mqttwss ") {
			t.Errorf("got %q, %v", rows, err)
		}
	})
}

// A 5.0 client is told why, then by a Close frame that it is over.
func TestWebSocket_ServerCloses(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Set: []string{"listener.ws.t=127.0.0.1:0"}})
	nc := dialWS(t, "ws://"+b.Listeners["ws.t"]+"/mqtt", nil)
	c := brokertest.NewClient(t, nc, mqtt.V5)
	c.Send(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "c"})
	brokertest.Next[*packet.Connack](c)
	c.Send(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "c"})
	if d := c.Ended(); d == nil || d.Code != mqtt.ProtocolError {
		t.Errorf("got %+v", d)
	}
	_ = nc.Close()
	b.Stop()
}

// mqtt_connect_timeout counts from the connection's begin, handshake included.
func TestWebSocket_ConnectTimeout(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Set: []string{"listener.ws.t=127.0.0.1:0", "mqtt_connect_timeout=300"}})
	nc := dialWS(t, "ws://"+b.Listeners["ws.t"]+"/mqtt", nil)
	_ = nc.SetReadDeadline(time.Now().Add(brokertest.Patience))
	if _, err := nc.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v", err)
	}
	silent, err := net.Dial("tcp", b.Listeners["ws.t"])
	if err != nil {
		t.Fatal(err)
	}
	_ = silent.SetReadDeadline(time.Now().Add(brokertest.Patience))
	if _, err := silent.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v", err)
	}
	brokertest.Eventually(t, func() bool { return b.Metrics.SocketCloseTimeout.Count() == 2 })
}

// Quirk 22: max_message_rate holds back clients of every transport.
func TestWebSocket_Rate(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Set: []string{"listener.ws.t=127.0.0.1:0", "max_message_rate=1"}})
	c := brokertest.NewClient(t, dialWS(t, "ws://"+b.Listeners["ws.t"]+"/mqtt", nil), mqtt.V5)
	c.Send(&packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "c"})
	brokertest.Next[*packet.Connack](c)
	start := time.Now()
	for range 3 {
		c.Publish(packet.Publish{QoS: mqtt.AtLeastOnce, Topic: "a"})
	}
	if d := time.Since(start); d < 900*time.Millisecond {
		t.Errorf("three messages took %v at one a second", d)
	}
}

func TestWebSocket_ForwardedName(t *testing.T) {
	at := "listener.ws.t"
	b := brokertest.Start(t, brokertest.Options{ACL: aliceOnly, Set: []string{at + "=127.0.0.1:0", at + ".proxy_xff_support=on",
		at + ".proxy_xff_trusted_intermediate=10.0.0.9;127.0.0.1", at + ".proxy_xff_use_cn_as_username=on"}})
	d := ws.Dialer{Protocols: []string{"mqtt"}, Header: ws.HandshakeHeaderString("X-Forwarded-For: 192.0.2.7\r\nX-SSL-Client-CN: alice\r\n")}
	nc, _, _, err := d.Dial(t.Context(), "ws://"+b.Listeners["ws.t"]+"/mqtt")
	if err != nil {
		t.Fatal(err)
	}
	speaks(t, &wsEnd{Conn: nc}, mqtt.V5, "mallory")
	if rows, err := command(t, b, "session show --peer_host --user"); err != nil || len(rows) != 1 || !strings.Contains(rows[0], "192.0.2.7") {
		t.Errorf("got %q, %v", rows, err)
	}
}

func TestListenerStart_WebSocket(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	server := ca.Issue(t, "broker", nil)
	b := brokertest.Start(t, brokertest.Options{ACL: aliceOnly})
	const start = "listener start address=127.0.0.1 port=0 --websocket"
	for _, flags := range []string{"", " --ssl --certfile=" + server.CertFile + " --keyfile=" + server.KeyFile} {
		if _, err := command(t, b, start+flags); err != nil {
			t.Fatal(err)
		}
	}
	rows, _ := command(t, b, "listener show")
	for i, scheme := range []string{"ws://", "wss://"} {
		f := strings.Fields(rows[i+1])
		speaks(t, dialWS(t, scheme+net.JoinHostPort(f[2], f[3])+"/mqtt", ca.Client()), mqtt.V311, "alice")
	}
	for flags, want := range map[string]string{" --ssl": "certfile", " --proxy_xff_support": "trusted", " --proxy_xff_trusted_intermediate=x": "network"} {
		if _, err := command(t, b, start+flags); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", flags, err, want)
		}
	}
}
