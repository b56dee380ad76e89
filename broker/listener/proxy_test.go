package listener

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"github.com/lunemq/lunemq/broker/listener/certtest"
)

var (
	from4 = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}
	from6 = &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 4711}
	to    = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 1883}
)

// proxyHeader returns a header; with a common name it is of version 2.
func proxyHeader(t testing.TB, version byte, from net.Addr, name string, verify uint32) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(version, from, to)
	if name != "" {
		ssl := tlvparse.PP2SSL{Client: 7, Verify: verify, TLV: []proxyproto.TLV{{Type: proxyproto.PP2_SUBTYPE_SSL_CN, Value: []byte(name)}}}
		tlv, err := ssl.Marshal()
		if err == nil {
			err = h.SetTLVs([]proxyproto.TLV{tlv})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	unknown = "PROXY UNKNOWN\r\n"
	localV2 = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
)

func newProxied(t *testing.T, change func(s *Spec)) (*Listener, <-chan arrival, chan error) {
	t.Helper()
	dropped := make(chan error, 100)
	l, arrivals := opened(t, "127.0.0.1:0", func(s *Spec) {
		s.Proxy, s.Timeout = Proxy{Header: true, UseName: true}, patience
		s.Dropped = func(_ netip.AddrPort, err error) { dropped <- err }
		if change != nil {
			change(s)
		}
	})
	return l, arrivals, dropped
}

func TestProxy(t *testing.T) {
	l, arrivals, _ := newProxied(t, nil)
	for _, c := range []struct{ name, header, remote, identity string }{
		{"v1", proxyHeader(t, 1, from4, "", 0), "192.0.2.1:4711", ""},
		{"v1 of IPv6", "PROXY TCP6 2001:db8::1 2001:db8::9 4711 1883\r\n", "[2001:db8::1]:4711", ""},
		{"v1, the longest", unknown[:13] + " " + strings.Repeat("x", 91) + "\r\n", "", ""},
		{"v1, UNKNOWN", unknown, "", ""},
		{"v2", proxyHeader(t, 2, from4, "", 0), "192.0.2.1:4711", ""},
		{"v2 of IPv6", proxyHeader(t, 2, from6, "", 0), "[2001:db8::1]:4711", ""},
		{"v2, LOCAL", localV2, "", ""},
		{"v2, common name", proxyHeader(t, 2, from4, "alice", 0), "192.0.2.1:4711", "alice"},
		{"v2, not verified", proxyHeader(t, 2, from4, "alice", 1), "192.0.2.1:4711", ""},
	} {
		nc := dial(t, l)
		for _, part := range []string{c.header[:3], c.header[3:] + "hello"} {
			_, _ = nc.Write([]byte(part))
		}
		a := next(t, arrivals)
		if c.remote == "" {
			c.remote = nc.LocalAddr().String()
		}
		if a.peer.Remote.String() != c.remote || a.peer.Identity != c.identity {
			t.Errorf("%s: got %+v", c.name, a.peer)
		}
		if _, raw := a.Conn.(syscall.Conn); !raw {
			t.Errorf("%s: the descriptor is hidden", c.name)
		}
		if got := make([]byte, 5); !readFull(t, a.Conn, got, "hello") {
			t.Errorf("%s: got %q", c.name, got)
		}
		_ = a.Close()
	}
}

func TestProxy_NameUnused(t *testing.T) {
	l, arrivals, _ := newProxied(t, func(s *Spec) { s.Proxy.UseName = false })
	_, _ = dial(t, l).Write([]byte(proxyHeader(t, 2, from4, "alice", 0)))
	if a := next(t, arrivals); a.peer.Identity != "" || a.peer.Remote.Port() != 4711 {
		t.Errorf("got %+v", a.peer)
	}
}

func TestProxy_Refused(t *testing.T) {
	l, _, dropped := newProxied(t, nil)
	for want, text := range map[string]string{
		"demands one":      "\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00",
		"no PROXY header ": "PROX",
		"too long":         "PROXY UNKNOWN " + strings.Repeat("x", 200),
		"header is too":    localV2[:14] + "\xff\xff",
		"address":          "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
		"version":          "\r\n\r\n\x00\r\nQUIT\n\x11\x00\x00\x00",
		"truncated":        localV2[:12] + "\x21\x11\x00\x0e" + "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02" + "\x20\x00",
	} {
		c := dial(t, l)
		_, _ = c.Write([]byte(text))
		_ = c.(*net.TCPConn).CloseWrite()
		err := next(t, dropped)
		if want != "version" && !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	counts(t, l, 0, 7)
}

func TestProxy_TooSlow(t *testing.T) {
	l, _, dropped := newProxied(t, func(s *Spec) { s.Timeout = 100 * time.Millisecond })
	for _, text := range []string{"", "PROXY TCP4 192.0.2.1 ", localV2[:15]} {
		_, _ = dial(t, l).Write([]byte(text))
		if err := next(t, dropped); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// The limit of one address counts clients, not their proxy.
func TestProxy_Limits(t *testing.T) {
	limits, refused := NewLimits(0, 1), make(chan netip.AddrPort, 10)
	l, arrivals, _ := newProxied(t, func(s *Spec) {
		s.Limits = limits
		s.Refused = func(p netip.AddrPort, why Refusal) {
			if why != TooManyOfIP {
				t.Errorf("got %v", why)
			}
			refused <- p
		}
	})
	connect := func(a *net.TCPAddr) { _, _ = dial(t, l).Write([]byte(proxyHeader(t, 2, a, "", 0))) }
	connect(from4)
	first := next(t, arrivals)
	connect(from6)
	next(t, arrivals)
	connect(from4)
	if p := next(t, refused); p.Addr().String() != "192.0.2.1" {
		t.Errorf("got %v", p)
	}
	counts(t, l, 2, 3)
	_ = first.Close()
	connect(from4)
	_ = next(t, arrivals).Close()
	if limits.Open() != 1 || len(limits.byIP) != 1 {
		t.Errorf("got %d of %v", limits.Open(), limits.byIP)
	}
}

func TestProxy_BeforeTLS(t *testing.T) {
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.Proxy = Proxy{Header: true} })
	c := x.ca.Client()
	done := make(chan error, 1)
	go func() {
		nc := dial(t, x.Listener)
		_, _ = nc.Write([]byte(proxyHeader(t, 2, from4, "", 0)))
		done <- handshake(nc, c)
	}()
	a := next(t, x.arrivals)
	if err := next(t, done); err != nil || a.peer.Remote.String() != "192.0.2.1:4711" {
		t.Errorf("got %v, %v", a.peer, err)
	}
}

// FuzzProxyHeader: a header read to its end only is the one that a reader of
// everything finds, and what follows is left.
func FuzzProxyHeader(f *testing.F) {
	for _, s := range []string{unknown, localV2, proxyHeader(f, 1, from4, "", 0), proxyHeader(f, 2, from6, "alice", 0), "PROXY", "", "\r\n\r\n"} {
		f.Add([]byte(s + "rest"))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		all := bufio.NewReaderSize(bytes.NewReader(input), len(input)+16)
		want, wantErr := proxyproto.Read(all)
		r := bytes.NewReader(input)
		got, err := readHeader(iotest.HalfReader(r))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: got %v, want %v", input, err, wantErr)
		}
		if err != nil {
			return
		}
		rest, _ := io.ReadAll(r)
		wantRest, _ := io.ReadAll(all)
		if !got.EqualsTo(want) || !bytes.Equal(rest, wantRest) {
			t.Errorf("%q: got %+v and %q, want %+v and %q", input, got, rest, want, wantRest)
		}
	})
}
