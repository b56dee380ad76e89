package listener

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

// TLS is what a listener that speaks TLS is told. All of it can change while
// the listener runs; handshakes under way end as they began.
type TLS struct {
	CAFile      string       `key:"cafile" reload:"live" doc:"File of certificates (PEM) of the authorities that sign clients' certificates. Intermediate authorities that certfile lacks are taken from it. Empty: clients are not asked for certificates."`
	CertFile    string       `key:"certfile" reload:"live" doc:"File of the broker's certificate, followed by those of intermediate authorities (PEM)."`
	KeyFile     string       `key:"keyfile" reload:"live" doc:"File of the key of certfile (PEM)."`
	KeyPassword value.Secret `key:"keypasswd" reload:"live" doc:"Password of an encrypted keyfile."`
	Depth       int          `key:"depth" default:"1" range:"0..100" reload:"live" doc:"How many intermediate authorities may stand between a client's certificate and one of cafile."`
	Ciphers     Suites       `key:"ciphers" reload:"live" doc:"Cipher suites for TLS 1.2 and older, by OpenSSL's names with colons between. Absent: the secure ones. The suites of TLS 1.3 cannot be chosen."`
	Curves      Curves       `key:"eccs" reload:"live" doc:"Curves for key agreement, such as x25519,secp256r1,secp384r1,secp521r1. Absent: all of them."`
	CRLFile     string       `key:"crlfile" reload:"live" doc:"File of lists of revoked certificates (PEM, or one in DER), each signed by an authority of cafile."`
	Require     bool         `key:"require_certificate" default:"off" reload:"live" doc:"Lets in only clients with a certificate that an authority of cafile has signed."`
	// Versions are names of the table versions.
	Versions []string `key:"tls_version" default:"tlsv1.2,tlsv1.3" enum:"tlsv1,tlsv1.1,tlsv1.2,tlsv1.3" reload:"live" doc:"Versions of TLS. tlsv1 and tlsv1.1 are broken and only for clients that know no other."`
	// HandshakeTimeout counts from when the connection was accepted; waiting
	// for a place among the handshakes in progress comes on top.
	HandshakeTimeout time.Duration `key:"tls_handshake_timeout" default:"5000" unit:"ms" range:"1.." reload:"live" doc:"Time within which the TLS handshake must be complete. Waiting for max_tls_handshakes does not count, but may last no longer either."`
}

// check reports what no single key shows; key is the listener's.
func (o *TLS) check(key string, report func(key, text, remedy string)) {
	if _, _, missing := span(o.Versions); len(o.Versions) == 0 || missing != nil {
		report(key+".tls_version", fmt.Sprintf("tls_version %q is empty or leaves out %q", o.Versions, missing), "name all versions between the oldest and the newest")
	}
	if o.CertFile == "" || o.KeyFile == "" {
		report(key, fmt.Sprintf("%s has no certificate to show", key), "set certfile and keyfile")
	}
	if o.Require && o.CAFile == "" {
		report(key+".require_certificate", "require_certificate = on without cafile lets nobody in", "set cafile to the authorities that sign clients' certificates")
	}
	if o.CRLFile != "" && o.CAFile == "" {
		report(key+".crlfile", "crlfile without cafile cannot be verified", "set cafile to the authorities that sign the lists")
	}
}

// secure does the TLS handshake. It takes its place among the handshakes in
// progress when the client's first byte has come, so that connections that say
// nothing hold none.
//
// Spec: RFC 8446, RFC 5246.
func (e *entry) secure(s *security) error {
	start := e.peer.Since
	e.deadline(start.Add(s.timeout))
	var b [1]byte
	if _, err := e.conn.Read(b[:]); err != nil {
		return fmt.Errorf("tls: no handshake: %w", err)
	}
	waited, err := e.l.spec.Gate.enter(s.timeout, e.gone)
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	defer e.l.spec.Gate.leave()
	e.deadline(start.Add(s.timeout + waited))
	c := tls.Server(&unread{Conn: e.conn, p: b[:]}, s.config)
	if err := c.Handshake(); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	e.conn = c
	e.peer.Since = time.Now()
	list := c.ConnectionState().PeerCertificates
	if len(list) == 0 {
		return nil
	}
	e.peer.Cert = list[0]
	if !s.identity {
		return nil
	}
	if e.peer.Identity = list[0].Subject.CommonName; e.peer.Identity == "" {
		return errors.New("tls: the certificate has no common name to be used as username")
	}
	return nil
}

// unread is a connection with bytes put back.
type unread struct {
	net.Conn
	p []byte
}

// Read returns what was put back first.
func (u *unread) Read(p []byte) (int, error) {
	if len(u.p) > 0 {
		n := copy(p, u.p)
		u.p = u.p[n:]
		return n, nil
	}
	return u.Conn.Read(p)
}

// Spec returns what Open needs for the listener of this name. Limits and
// callbacks are the caller's to add.
func (s SSL) Spec(name string) Spec {
	spec := s.Client.spec("ssl."+name, "mqtts", s.Address)
	spec.TLS, spec.Identity, spec.Proxy = &s.TLS, s.Identity, s.Proxy
	return spec
}
