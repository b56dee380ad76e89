package listener

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"os"
	"strings"
)

// readPair reads certificate and key. Certificates of authorities that the
// certificate's file lacks are taken from authorities, as clients need them.
func readPair(o TLS, authorities []*x509.Certificate) (tls.Certificate, error) {
	certPEM, err := os.ReadFile(o.CertFile)
	if err != nil {
		return tls.Certificate{}, keyed("certfile", fmt.Errorf("certfile: %w", err))
	}
	keyPEM, err := os.ReadFile(o.KeyFile)
	if err == nil {
		keyPEM, err = decrypted(keyPEM, o.KeyPassword.Reveal())
	}
	if err != nil {
		return tls.Certificate{}, keyed("keyfile", fmt.Errorf("keyfile %s: %w", o.KeyFile, err))
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		if _, bad := readCertificates(o.CertFile); bad != nil {
			return tls.Certificate{}, keyed("certfile", fmt.Errorf("certfile: %w", bad))
		}
		return tls.Certificate{}, keyed("keyfile", fmt.Errorf("keyfile %s, certfile %s: %w", o.KeyFile, o.CertFile, err))
	}
	complete(&pair, authorities)
	return pair, nil
}

// complete appends the intermediate authorities of the last certificate.
func complete(pair *tls.Certificate, authorities []*x509.Certificate) {
	last, err := x509.ParseCertificate(pair.Certificate[len(pair.Certificate)-1])
	for range authorities {
		if err != nil || selfSigned(last) {
			return
		}
		next := issuer(last, authorities)
		if next == nil || selfSigned(next) {
			return
		}
		pair.Certificate = append(pair.Certificate, next.Raw)
		last = next
	}
}

func selfSigned(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

func issuer(c *x509.Certificate, among []*x509.Certificate) *x509.Certificate {
	for _, a := range among {
		if bytes.Equal(c.RawIssuer, a.RawSubject) && c.CheckSignatureFrom(a) == nil {
			return a
		}
	}
	return nil
}

var errPassword = errors.New("the key is encrypted, and keypasswd does not open it")

// decrypted returns the text with its key in the clear. Keys are encrypted by
// PEM's own means (RFC 1423) or as PKCS #8 with PBES2, PBKDF2 and AES-CBC,
// which is what OpenSSL writes.
func decrypted(text []byte, password string) ([]byte, error) {
	for rest := text; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return text, nil // no key at all is found out by others
		}
		switch {
		case b.Type == "ENCRYPTED PRIVATE KEY":
			der, err := openPKCS8(b.Bytes, password)
			if err != nil {
				return nil, err
			}
			return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
		//lint:ignore SA1019 keys that exist are encrypted that way; the file is the operator's own
		case strings.HasSuffix(b.Type, "PRIVATE KEY") && x509.IsEncryptedPEMBlock(b):
			//lint:ignore SA1019 as above
			der, err := x509.DecryptPEMBlock(b, []byte(password))
			if err != nil {
				return nil, errPassword
			}
			return pem.EncodeToMemory(&pem.Block{Type: b.Type, Bytes: der}), nil
		case strings.HasSuffix(b.Type, "PRIVATE KEY"):
			return text, nil
		}
	}
}

// The structures of PKCS #8 (RFC 5958) and PBES2 (RFC 8018), all in DER.
type (
	encryptedKey struct {
		Algorithm struct {
			ID     asn1.ObjectIdentifier
			Params struct{ KDF, Cipher pkix.AlgorithmIdentifier }
		}
		Data []byte
	}
	pbkdf2Params struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

// maxIterations bounds what a file can cost.
const maxIterations = 10_000_000

var (
	keyLengths = map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32}
	prfs       = map[string]func() hash.Hash{"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New,
		"1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New}
)

// openPKCS8 returns the key in the clear, in DER.
//
// Spec: RFC 8018 §6.2, RFC 5958 §3.
func openPKCS8(der []byte, password string) ([]byte, error) {
	var k encryptedKey
	if _, err := asn1.Unmarshal(der, &k); err != nil || k.Algorithm.ID.String() != "1.2.840.113549.1.5.13" {
		return nil, errors.New("the key is encrypted in a way that this broker does not know; write it anew with openssl pkcs8 -topk8 -v2 aes256")
	}
	kdf, enc := k.Algorithm.Params.KDF, k.Algorithm.Params.Cipher
	var p pbkdf2Params
	if kdf.Algorithm.String() != "1.2.840.113549.1.5.12" {
		return nil, fmt.Errorf("the key's password is derived by %s, which this broker does not know; PBKDF2 is", kdf.Algorithm)
	}
	if _, err := asn1.Unmarshal(kdf.Parameters.FullBytes, &p); err != nil {
		return nil, fmt.Errorf("the key's parameters of PBKDF2: %w", err)
	}
	prf, size := prfs[p.PRF.Algorithm.String()], keyLengths[enc.Algorithm.String()]
	var iv []byte
	if _, err := asn1.Unmarshal(enc.Parameters.FullBytes, &iv); err != nil || prf == nil || size == 0 || len(iv) != aes.BlockSize || p.Iterations > maxIterations {
		return nil, fmt.Errorf("the key is encrypted by %s with %s, which this broker does not know; AES-CBC with HMAC-SHA is", enc.Algorithm, p.PRF.Algorithm)
	}
	key, err := pbkdf2.Key(prf, password, p.Salt, p.Iterations, size)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil || len(k.Data) == 0 || len(k.Data)%aes.BlockSize != 0 {
		return nil, errPassword
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(k.Data, k.Data)
	pad := int(k.Data[len(k.Data)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, errPassword
	}
	clear := k.Data[:len(k.Data)-pad]
	if _, err := x509.ParsePKCS8PrivateKey(clear); err != nil {
		return nil, errPassword
	}
	return clear, nil
}
