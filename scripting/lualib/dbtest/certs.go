package dbtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certs are files of certificates: a root, an authority below it, and a
// certificate for 127.0.0.1 by the latter, for servers and clients.
type Certs struct {
	CA, OtherCA string
	Cert, Key   string // Cert has the authority's certificate, too
}

// issuer is an authority.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate; by nil it signs itself.
func issue(t *testing.T, by *issuer, name string, ca bool) (*issuer, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if ca {
		c.KeyUsage |= x509.KeyUsageCertSign
	} else {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	if by == nil {
		by = &issuer{c, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &issuer{c, key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// NewCerts makes certificates in a folder.
func NewCerts(t *testing.T, dir string) *Certs {
	t.Helper()
	write := func(name string, text []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	root, rootPEM := issue(t, nil, "root", true)
	middle, middlePEM := issue(t, root, "authority", true)
	leaf, leafPEM := issue(t, middle, "leaf", false)
	_, otherPEM := issue(t, nil, "other", true)
	der, err := x509.MarshalPKCS8PrivateKey(leaf.key)
	if err != nil {
		t.Fatal(err)
	}
	return &Certs{
		CA: write("ca.pem", rootPEM), OtherCA: write("other.pem", otherPEM), Cert: write("cert.pem", append(leafPEM, middlePEM...)),
		Key: write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
}

// SpeaksTLS tries the options of TLS in ensure_pool of a library. ask, which
// fails without a connection, finds the pool in the variable pool.
func (r *Rig) SpeaksTLS(library string, c *Certs, ask string) {
	r.t.Helper()
	for i, tt := range []struct{ options, want string }{
		{fmt.Sprintf(`cafile = %q, depth = 3`, c.CA), ""},
		{fmt.Sprintf(`cafile = %q, depth = 1, use_system_cas = false`, c.CA), ""},
		{fmt.Sprintf(`cafile = %q, certfile = %q, keyfile = %q, depth = 3`, c.CA, c.Cert, c.Key), ""},
		{`verify = "verify_none"`, ""},
		{fmt.Sprintf(`cafile = %q, depth = 0`, c.CA), "ssl.depth"},
		{fmt.Sprintf(`cafile = %q, depth = 3`, c.OtherCA), "certificate"},
		{`depth = 3, use_system_cas = true`, "certificate"},
		{fmt.Sprintf(`cafile = %q, depth = 3, host = "localhost"`, c.CA), "wanted to match localhost"},
		{`cafile = "/nowhere"`, "no such file"},
		{`certfile = "/nowhere"`, "no such file"},
		{`verify = "maybe"`, "verify_peer or verify_none"},
	} {
		chunk := fmt.Sprintf(`local pool = "tls%d" %s.ensure_pool({pool_id = pool, ssl = true, verify = "verify_peer", %s}) %s`, i, library, tt.options, ask)
		if tt.want == "" {
			r.Passes(chunk)
		} else {
			r.Fails(chunk, tt.want)
		}
	}
}
