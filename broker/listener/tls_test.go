package listener

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/listener/certtest"
	"github.com/lunemq/lunemq/conf/value"
)

// secured is a TLS listener with an authority that clients trust and whose
// clients it trusts.
type secured struct {
	*Listener
	t        *testing.T
	ca       *certtest.Authority
	server   *certtest.Pair
	arrivals <-chan arrival
	dropped  chan error
	reloaded chan error
}

func newSecured(t *testing.T, change func(s *Spec, ca *certtest.Authority)) *secured {
	t.Helper()
	ca := certtest.NewAuthority(t, "authority")
	x := &secured{t: t, ca: ca, server: ca.Issue(t, "broker", nil), dropped: make(chan error, 100), reloaded: make(chan error, 100)}
	x.Listener, x.arrivals = opened(t, "127.0.0.1:0", func(s *Spec) {
		s.Name, s.Type = "ssl.test", "mqtts"
		s.TLS = &TLS{CAFile: ca.CertFile, CertFile: x.server.CertFile, KeyFile: x.server.KeyFile, Depth: 1,
			Versions: []string{"tlsv1.2", "tlsv1.3"}, HandshakeTimeout: patience}
		s.Dropped = func(_ netip.AddrPort, err error) { x.dropped <- err }
		s.Reloaded = func(err error) { x.reloaded <- err }
		if change != nil {
			change(s, ca)
		}
	})
	return x
}

// dial does the client's half of the handshake and reads what it is told.
func (x *secured) dial(c *tls.Config) error {
	x.t.Helper()
	nc := tls.Client(dial(x.t, x.Listener), c)
	if err := nc.Handshake(); err != nil {
		return err
	}
	go func() { _, _ = nc.Write([]byte("hello")) }()
	_, err := nc.Read(make([]byte, 1)) // in 1.3 a server's refusal comes after the handshake
	return err
}

// admitted checks that a client gets in and returns what is known about it.
func (x *secured) admitted(c *tls.Config) Peer {
	x.t.Helper()
	done := make(chan error, 1)
	go func() { done <- x.dial(c) }()
	select {
	case a := <-x.arrivals:
		if got := make([]byte, 5); !readFull(x.t, a.Conn, got, "hello") {
			x.t.Errorf("got %q", got)
		}
		if _, raw := a.Conn.(syscall.Conn); raw {
			x.t.Error("the socket beneath shows")
		}
		_, _ = a.Write([]byte("x"))
		if err := <-done; err != nil {
			x.t.Errorf("client: %v", err)
		}
		_ = a.Close()
		return a.peer
	case err := <-x.dropped:
		x.t.Fatalf("refused: %v", err)
	case <-time.After(patience):
		x.t.Fatal("waited in vain")
	}
	panic("unreachable")
}

// refused checks that a client does not get in, for a reason.
func (x *secured) refused(c *tls.Config, want string) {
	x.t.Helper()
	if err := x.dial(c); err == nil {
		x.t.Error("the client was not told")
	}
	if err := next(x.t, x.dropped); !strings.Contains(err.Error(), want) {
		x.t.Errorf("got %v, want %q", err, want)
	}
	counts(x.t, x.Listener, 0, x.Total())
}

func TestTLS_WithoutClientCertificate(t *testing.T) {
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.TLS.CAFile = "" })
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		c := x.ca.Client()
		c.MaxVersion = v
		p := x.admitted(c)
		if p.Cert != nil || p.Identity != "" || !p.Remote.IsValid() || time.Since(p.Since) > patience {
			t.Errorf("got %+v", p)
		}
	}
	counts(t, x.Listener, 0, 2)
}

func TestTLS_WrongVersion(t *testing.T) {
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.TLS.Versions = []string{"tlsv1.3"} })
	old := x.ca.Client()
	old.MaxVersion = tls.VersionTLS12
	x.refused(old, "version")
	x.admitted(x.ca.Client())
	x = newSecured(t, nil)
	old = x.ca.Client()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	x.refused(old, "version")
	x = newSecured(t, func(s *Spec, _ *certtest.Authority) { s.TLS.Versions = []string{"tlsv1.1", "tlsv1.2"} })
	old = x.ca.Client()
	old.MinVersion, old.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
	x.admitted(old)
}

func TestTLS_ClientCertificates(t *testing.T) {
	x := newSecured(t, func(s *Spec, ca *certtest.Authority) {
		s.TLS.Require, s.Identity = true, true
		revoked := ca.Issue(t, "revoked", func(c *x509.Certificate) { c.SerialNumber.SetInt64(4711) })
		s.TLS.CRLFile = certtest.Write(t, t.TempDir(), "crl.pem", ca.Revoke(t, revoked))
	})
	if p := x.admitted(x.ca.Client(x.ca.Issue(t, "alice", nil))); p.Identity != "alice" || p.Cert == nil || p.Cert.Subject.CommonName != "alice" {
		t.Errorf("got %+v", p)
	}
	past := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	number := func(c *x509.Certificate) { c.SerialNumber.SetInt64(4711) }
	stranger := certtest.NewAuthority(t, "authority")
	x.refused(x.ca.Client(), "certificate")
	x.refused(x.ca.Client(x.ca.Issue(t, "late", past)), "expired")
	x.refused(x.ca.Client(x.ca.Issue(t, "revoked", number)), `"CN=revoked" with serial number 4711 is revoked`)
	x.refused(x.ca.Client(x.ca.Issue(t, "", nil)), "no common name")
	forged := x.ca.Client()
	forged.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c := stranger.Issue(t, "alice", nil).TLS()
		return &c, nil
	}
	x.refused(forged, "certificate")
	x.admitted(x.ca.Client(x.ca.Issue(t, "bob", nil)))
}

// Who need not show a certificate and shows none is nobody in particular; one
// that is shown is checked.
func TestTLS_OptionalCertificate(t *testing.T) {
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.Identity = true })
	if p := x.admitted(x.ca.Client()); p.Identity != "" {
		t.Errorf("got %q", p.Identity)
	}
	if p := x.admitted(x.ca.Client(x.ca.Issue(t, "alice", nil))); p.Identity != "alice" {
		t.Errorf("got %q", p.Identity)
	}
}

func TestTLS_Depth(t *testing.T) {
	for depth, want := range map[int]string{0: "depth allows 0", 1: "", 2: ""} {
		x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.TLS.Require, s.TLS.Depth = true, depth })
		middle := x.ca.Authority(t, "middle")
		c := x.ca.Client()
		c.Certificates = []tls.Certificate{middle.Issue(t, "alice", nil).TLS(middle)}
		if want == "" {
			x.admitted(c)
		} else {
			x.refused(c, want)
		}
	}
}

// A certificate that was good when a ticket was given is checked again.
func TestTLS_ResumedAfterRevocation(t *testing.T) {
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.TLS.Require = true })
	alice := x.ca.Issue(t, "alice", nil)
	c := x.ca.Client(alice)
	c.ClientSessionCache = tls.NewLRUClientSessionCache(10)
	x.admitted(c)
	x.admitted(c)
	o := *x.spec.TLS
	o.CRLFile = certtest.Write(t, t.TempDir(), "crl.pem", x.ca.Revoke(t, alice))
	if err := x.Apply(Spec{TLS: &o}); err != nil {
		t.Fatal(err)
	}
	x.refused(c, "revoked")
}

// Intermediate authorities that certfile lacks come from cafile.
func TestTLS_ChainFromCAFile(t *testing.T) {
	x := newSecured(t, func(s *Spec, ca *certtest.Authority) {
		middle := ca.Authority(t, "middle")
		p := middle.Issue(t, "broker", nil)
		s.TLS.CertFile, s.TLS.KeyFile = p.CertFile, p.KeyFile
		s.TLS.CAFile = certtest.Write(t, t.TempDir(), "ca.pem", append(middle.CertPEM, ca.CertPEM...))
	})
	x.admitted(x.ca.Client())
}

func TestTLS_Reload(t *testing.T) {
	x := newSecured(t, nil)
	shown := func(ca *certtest.Authority) string {
		t.Helper()
		name := ""
		c := ca.Client()
		c.VerifyConnection = func(cs tls.ConnectionState) error {
			name = cs.PeerCertificates[0].Subject.CommonName
			return nil
		}
		x.admitted(c)
		return name
	}
	if got := shown(x.ca); got != "broker" {
		t.Errorf("got %q", got)
	}
	renewed := x.ca.Issue(t, "renewed", nil)
	o := *x.spec.TLS
	o.CertFile, o.KeyFile = renewed.CertFile, renewed.KeyFile
	if err := x.Apply(Spec{TLS: &o, MaxConnections: 7}); err != nil {
		t.Fatal(err)
	}
	if got := shown(x.ca); got != "renewed" || x.MaxConnections() != 7 {
		t.Errorf("got %q", got)
	}
	bad := o
	bad.KeyFile = x.server.KeyFile // of another certificate
	for range 2 {                  // an operator who tries again is told again
		if err := x.Apply(Spec{TLS: &bad}); err == nil {
			t.Error("a key that does not fit was accepted")
		}
	}
	if got := shown(x.ca); got != "renewed" {
		t.Errorf("after a failed reload: got %q", got)
	}
}

// Files that change are noticed when a client comes.
func TestTLS_FilesChange(t *testing.T) {
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.Refresh = time.Nanosecond })
	x.admitted(x.ca.Client())
	if len(x.reloaded) != 0 {
		t.Errorf("reloaded without a change: %v", <-x.reloaded)
	}
	replace := func(path string, text []byte) {
		t.Helper()
		if err := os.Rename(certtest.Write(t, t.TempDir(), "new", text), path); err != nil {
			t.Fatal(err)
		}
	}
	replace(x.spec.TLS.CertFile, []byte("no certificate"))
	x.admitted(x.ca.Client())
	if err := next(t, x.reloaded); err == nil {
		t.Error("a damaged file was accepted")
	}
	x.admitted(x.ca.Client())
	if len(x.reloaded) != 0 {
		t.Errorf("a damaged file is reported twice: %v", <-x.reloaded)
	}
	other := certtest.NewAuthority(t, "other")
	p := other.Issue(t, "renewed", nil)
	replace(x.spec.TLS.CertFile, p.CertPEM)
	replace(x.spec.TLS.KeyFile, p.KeyPEM)
	x.admitted(other.Client())
	if err := next(t, x.reloaded); err != nil {
		t.Error(err)
	}
}

func TestTLS_Unusable(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	p, q := ca.Issue(t, "a", nil), ca.Issue(t, "b", nil)
	good := TLS{CAFile: ca.CertFile, CertFile: p.CertFile, KeyFile: p.KeyFile, Versions: []string{"tlsv1.2"}}
	for want, change := range map[string]func(o *TLS){
		"no certificate in it":   func(o *TLS) { o.CAFile = p.KeyFile },
		"cafile: open":           func(o *TLS) { o.CAFile = "/nowhere" },
		"certfile: open":         func(o *TLS) { o.CertFile = "/nowhere" },
		"keyfile /nowhere: open": func(o *TLS) { o.KeyFile = "/nowhere" },
		"does not match":         func(o *TLS) { o.KeyFile = q.KeyFile },
		"crlfile: open":          func(o *TLS) { o.CRLFile = "/nowhere" },
		"signed by no certificate": func(o *TLS) {
			o.CRLFile = certtest.Write(t, t.TempDir(), "c", certtest.NewAuthority(t, "authority").Revoke(t))
		},
		"needs a cafile":                 func(o *TLS) { o.CAFile, o.Require = "", true },
		`leaves out ["tlsv1.2"]`:         func(o *TLS) { o.Versions = []string{"tlsv1.1", "tlsv1.3"} },
		"tls_version [] is empty":        func(o *TLS) { o.Versions = nil },
		"crlfile " + p.CertFile + ":1: ": func(o *TLS) { o.CRLFile = p.CertFile },
	} {
		o := good
		change(&o)
		k := (*value.KeyError)(nil)
		_, err := Open(Spec{Name: "ssl.x", TLS: &o}, nil)
		if err != nil && !errors.As(err, &k) {
			t.Errorf("%v names no key", err)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A client that says nothing is dropped in time and holds no place meanwhile.
func TestTLS_Timeout(t *testing.T) {
	gate := NewGate(1)
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.Gate, s.TLS.HandshakeTimeout = gate, 300*time.Millisecond })
	silent := dial(t, x.Listener)
	x.admitted(x.ca.Client())
	if err := next(t, x.dropped); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}
	slow := dial(t, x.Listener)
	_, _ = slow.Write([]byte{22, 3, 1})
	if err := next(t, x.dropped); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	counts(t, x.Listener, 0, 3)
	if gate.Active() != 0 {
		t.Errorf("%d places are taken", gate.Active())
	}
}

// Handshakes in progress are bounded; the rest wait, and get in as others end.
func TestTLS_HandshakesAreBounded(t *testing.T) {
	gate := NewGate(2)
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.Gate = gate })
	var slow []net.Conn
	for range 2 {
		c := dial(t, x.Listener)
		_, _ = c.Write([]byte{22})
		slow = append(slow, c)
	}
	until(t, func() bool { return gate.Active() == 2 })
	done := make(chan error, 1)
	go func() { done <- x.dial(x.ca.Client()) }()
	until(t, func() bool { return gate.Waiting() == 1 })
	if len(x.arrivals) != 0 {
		t.Error("a third handshake is done")
	}
	_ = slow[0].Close()
	next(t, x.dropped)
	a := next(t, x.arrivals)
	_, _ = a.Write([]byte("x"))
	if err := next(t, done); err != nil {
		t.Error(err)
	}
	if gate.Waiting() != 0 || gate.Active() != 1 {
		t.Errorf("%d active, %d waiting", gate.Active(), gate.Waiting())
	}
}

// Waiting for a place has an end, and so has waiting when the listener closes.
func TestTLS_WaitEnds(t *testing.T) {
	gate := NewGate(1)
	if _, err := gate.enter(0, nil); err != nil {
		t.Fatal(err)
	}
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) { s.Gate, s.TLS.HandshakeTimeout = gate, 100*time.Millisecond })
	_, _ = dial(t, x.Listener).Write([]byte{22})
	if err := next(t, x.dropped); !errors.Is(err, errCrowd) {
		t.Errorf("got %v", err)
	}
	x = newSecured(t, func(s *Spec, _ *certtest.Authority) { s.Gate = gate })
	_, _ = dial(t, x.Listener).Write([]byte{22})
	dial(t, x.Listener) // says nothing
	until(t, func() bool { return gate.Waiting() == 1 && x.Total() == 2 })
	x.Close()
	counts(t, x.Listener, 0, 2)
}

// until waits for what no channel tells of.
func until(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !done(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

func TestOpenWeb_TLS(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	p := ca.Issue(t, "web", nil)
	s := Spec{Name: "https.test", TLS: &TLS{CertFile: p.CertFile, KeyFile: p.KeyFile, Versions: []string{"tlsv1.3"}, HandshakeTimeout: patience}}
	s.Address.Host = "127.0.0.1"
	w, err := OpenWeb(s)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		c, err := tls.Dial("tcp", w.Addr().String(), ca.Client())
		if err == nil {
			_ = c.Close()
		}
		done <- err
	}()
	c, err := w.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.(*tls.Conn); !ok {
		t.Errorf("got a %T", c)
	}
	if err := next(t, done); err != nil {
		t.Error(err)
	}
	_ = c.Close()
	go func() { _, _ = net.Dial("tcp", w.Addr().String()) }()
	for range 2 {
		_ = w.Close()
	}
	if _, err := w.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func handshake(nc net.Conn, c *tls.Config) error { return tls.Client(nc, c).Handshake() }
