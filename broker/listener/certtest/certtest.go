package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

var serial atomic.Int64

// Pair is a certificate with its key. Immutable.
type Pair struct {
	Cert              *x509.Certificate
	CertPEM, KeyPEM   []byte
	key               *ecdsa.PrivateKey
	CertFile, KeyFile string // in a directory of the test's
}

// Authority issues certificates. Immutable.
type Authority struct{ Pair }

// NewAuthority returns a root authority.
func NewAuthority(t testing.TB, name string) *Authority { return newAuthority(t, nil, name) }

// Authority returns an authority below a.
func (a *Authority) Authority(t testing.TB, name string) *Authority { return newAuthority(t, a, name) }

func newAuthority(t testing.TB, above *Authority, name string) *Authority {
	return &Authority{Pair: *issue(t, above, name, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		c.ExtKeyUsage = nil
	})}
}

// Issue returns a certificate for a common name, good for servers at 127.0.0.1
// and for clients; change may alter its template.
func (a *Authority) Issue(t testing.TB, name string, change func(*x509.Certificate)) *Pair {
	return issue(t, a, name, change)
}

func issue(t testing.TB, above *Authority, name string, change func(*x509.Certificate)) *Pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, key
	if above != nil {
		parent, signer = above.Cert, above.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	p := &Pair{key: key, CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	if p.Cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p.KeyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	dir := t.TempDir()
	p.CertFile, p.KeyFile = Write(t, dir, "cert.pem", p.CertPEM), Write(t, dir, "key.pem", p.KeyPEM)
	return p
}

// Write writes a file and returns its path.
func Write(t testing.TB, dir, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Key returns the private key.
func (p *Pair) Key() *ecdsa.PrivateKey { return p.key }

// TLS returns the pair for package tls, with authorities that belong to its
// chain.
func (p *Pair) TLS(chain ...*Authority) tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{p.Cert.Raw}, PrivateKey: p.key, Leaf: p.Cert}
	for _, a := range chain {
		c.Certificate = append(c.Certificate, a.Cert.Raw)
	}
	return c
}

// Client returns what a client needs that trusts a, showing pairs if any.
func (a *Authority) Client(pairs ...*Pair) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.Cert)
	c := &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
	for _, p := range pairs {
		c.Certificates = append(c.Certificates, p.TLS())
	}
	return c
}

// Revoke returns a list of revoked certificates, in PEM.
func (a *Authority) Revoke(t testing.TB, pairs ...*Pair) []byte {
	t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(serial.Add(1)), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour)}
	for _, p := range pairs {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: p.Cert.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.Cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}
