package broker_test

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/listener/certtest"
	"github.com/lunemq/lunemq/broker/mqtt"
)

// introduce writes the header of a proxy that has verified alice.
func introduce(t *testing.T, nc net.Conn) {
	t.Helper()
	a := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711}
	h := proxyproto.HeaderProxyFromAddrs(2, a, a)
	ssl := tlvparse.PP2SSL{Client: 7, TLV: []proxyproto.TLV{{Type: proxyproto.PP2_SUBTYPE_SSL_CN, Value: []byte("alice")}}}
	tlv, err := ssl.Marshal()
	if err == nil {
		err = h.SetTLVs([]proxyproto.TLV{tlv})
	}
	if err == nil {
		_, err = h.WriteTo(nc)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// relay is a proxy before addr; it returns its own address.
func relay(t *testing.T, addr string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", addr)
			if err != nil {
				_ = in.Close()
				continue
			}
			introduce(t, out)
			pass := func(to, from net.Conn) {
				var b [4096]byte
				for n, err := from.Read(b[:]); err == nil; n, err = from.Read(b[:]) {
					_, _ = to.Write(bytes.Clone(b[:n]))
				}
				_ = to.Close()
				_ = from.Close()
			}
			go pass(in, out)
			go pass(out, in)
		}
	}()
	return l.Addr().String()
}

func TestProxy_NameAndAddress(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	server := ca.Issue(t, "broker", nil)
	set := []string{"listener.proxy_protocol=on", "listener.tcp.t=127.0.0.1:0", "listener.tcp.default.proxy_protocol=off", "listener.ws.t=127.0.0.1:0", "listener.wss.t=127.0.0.1:0",
		"listener.wss.t.certfile=" + server.CertFile, "listener.wss.t.keyfile=" + server.KeyFile}
	versions(t, func(t *testing.T, v mqtt.Version) {
		b := brokertest.Start(t, brokertest.Options{ACL: aliceOnly, Set: set})
		nc, err := net.Dial("tcp", relay(t, b.Listeners["tcp.t"]))
		if err != nil {
			t.Fatal(err)
		}
		speaks(t, nc, v, "mallory")
		if rows, err := command(t, b, "session show --peer_host --user"); err != nil || len(rows) != 1 || !strings.Contains(rows[0], "192.0.2.7") {
			t.Errorf("got %q, %v", rows, err)
		}
		speaks(t, dialWS(t, "ws://"+relay(t, b.Listeners["ws.t"])+"/mqtt", nil), v, "mallory")
		speaks(t, dialWS(t, "wss://"+relay(t, b.Listeners["wss.t"])+"/mqtt", ca.Client()), v, "mallory")
	})
}
