package listener

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/listener/certtest"
)

func TestSuites(t *testing.T) {
	const all13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
	for text, want := range map[string]string{
		"":                            "",
		"ECDHE-RSA-AES128-GCM-SHA256": "c02f",
		"[ECDHE-ECDSA-AES256-GCM-SHA384, AES128-SHA]":                   "c02c 2f",
		all13 + ":TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256":                "c02f",
		"ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:RC4-SHA": `error ["DHE-RSA-AES128-GCM-SHA256" "RC4-SHA"]`,
		"TLS_AES_256_GCM_SHA384":                                        "error TLS_AES_128_GCM_SHA256 is not there",
	} {
		var s Suites
		err := s.UnmarshalText([]byte(text))
		if wrong, ok := strings.CutPrefix(want, "error "); ok {
			if err == nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%q: got %v, want %q", text, err, wrong)
			}
			continue
		}
		var got []string
		for _, id := range s.ids {
			got = append(got, strings.TrimLeft(strings.ToLower(pad(id)), "0"))
		}
		if back, _ := s.MarshalText(); err != nil || strings.Join(got, " ") != want || string(back) != text {
			t.Errorf("%q: got %v, %v, written %q", text, got, err, back)
		}
	}
	for name, id := range suiteNames {
		if slices.Contains(suites13, tls.CipherSuiteName(id)) || strings.HasPrefix(tls.CipherSuiteName(id), "0x") {
			t.Errorf("%s is %s", name, tls.CipherSuiteName(id))
		}
	}
}

func pad(id uint16) string {
	const hex = "0123456789abcdef"
	return string([]byte{hex[id>>12], hex[id>>8&15], hex[id>>4&15], hex[id&15]})
}

// What is chosen is what clients get.
func TestSuites_Offered(t *testing.T) {
	x := newSecured(t, func(s *Spec, _ *certtest.Authority) {
		if err := errors.Join(s.TLS.Ciphers.UnmarshalText([]byte("ECDHE-ECDSA-AES256-GCM-SHA384")), s.TLS.Curves.UnmarshalText([]byte("[secp384r1]"))); err != nil {
			t.Fatal(err)
		}
	})
	c := x.ca.Client()
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		if cs.Version == tls.VersionTLS12 && cs.CipherSuite != tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 || cs.Version == tls.VersionTLS13 && cs.CurveID != tls.CurveP384 {
			t.Errorf("got %s, %v", tls.CipherSuiteName(cs.CipherSuite), cs.CurveID)
		}
		return nil
	}
	x.admitted(c)
	c.MaxVersion = tls.VersionTLS12
	x.admitted(c)
	c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	x.refused(c, "cipher suite")
}

func TestCurves(t *testing.T) {
	var c Curves
	if err := c.UnmarshalText([]byte("[secp384r1,x25519:prime256v1]")); err != nil || !slices.Equal(c.ids, []tls.CurveID{tls.CurveP384, tls.X25519, tls.CurveP256}) {
		t.Errorf("got %v, %v", c.ids, err)
	}
	if err := c.UnmarshalText([]byte("sect571r1,secp256r1")); err == nil || !strings.Contains(err.Error(), `["sect571r1"]`) {
		t.Errorf("got %v", err)
	}
}

// Keys in all the forms that OpenSSL writes them.
func TestReadPair_EncryptedKeys(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	p := ca.Issue(t, "broker", nil)
	der, err := x509.MarshalECPrivateKey(p.Key())
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 such keys exist
	legacy, err := x509.EncryptPEMBlock(noChance{}, "EC PRIVATE KEY", der, []byte("secret"), x509.PEMCipherAES256)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := os.ReadFile("testdata/cert.pem")
	if err != nil {
		t.Fatal(err)
	}
	modern := []string{"testdata/key-aes256.pem", "testdata/key-aes128-sha1.pem"}
	for _, c := range []struct {
		name, password, want string
		cert, key            []byte
	}{
		{"clear", "", "", p.CertPEM, p.KeyPEM},
		{"legacy", "secret", "", p.CertPEM, pem.EncodeToMemory(legacy)},
		{"legacy, wrong", "wrong", "keypasswd does not open it", p.CertPEM, pem.EncodeToMemory(legacy)},
		{"PKCS 8", "secret", "", cert, read(t, modern[0])},
		{"PKCS 8 by SHA-1", "secret", "", cert, read(t, modern[1])},
		{"PKCS 8, wrong", "wrong", "keypasswd does not open it", cert, read(t, modern[0])},
		{"PKCS 8, none", "", "keypasswd does not open it", cert, read(t, modern[0])},
		{"PKCS 8 by DES", "secret", "which this broker does not know", cert, read(t, "testdata/key-des3.pem")},
		{"PKCS 8 by scrypt", "secret", "which this broker does not know", cert, read(t, "testdata/key-scrypt.pem")},
		{"nothing", "secret", "failed to find", p.CertPEM, []byte("no key")},
	} {
		o := TLS{CertFile: certtest.Write(t, t.TempDir(), "c", c.cert), KeyFile: certtest.Write(t, t.TempDir(), "k", c.key)}
		if err := o.KeyPassword.UnmarshalText([]byte(c.password)); err != nil {
			t.Fatal(err)
		}
		_, err := readPair(o, nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password shows: %v", c.name, err)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// noChance gives zeros.
type noChance struct{}

func (noChance) Read(p []byte) (int, error) { return len(p), nil }
