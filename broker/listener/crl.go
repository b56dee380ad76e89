package listener

import (
	"crypto/x509"
	"fmt"
	"os"
)

// revocations are the serial numbers that authorities have revoked, by
// authority. Immutable; nil revokes nothing.
//
// A list whose next update is overdue stays in force: forgetting revocations
// would let somebody in.
type revocations map[string]map[string]bool

// authority is the key of a list: name and public key, since two authorities
// may have one name.
func authority(c *x509.Certificate) string {
	return string(c.RawSubject) + string(c.RawSubjectPublicKeyInfo)
}

// readRevocations reads the lists of a file, in PEM or one in DER. Each must be
// signed by one of authorities.
func readRevocations(path string, authorities []*x509.Certificate) (revocations, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("crlfile: %w", err)
	}
	r, found := revocations{}, false
	for line, b := range blocks(text) {
		found = true
		if err := r.add(b.Bytes, authorities); err != nil {
			return nil, fmt.Errorf("crlfile %s:%d: %w", path, line, err)
		}
	}
	if !found {
		if err := r.add(text, authorities); err != nil {
			return nil, fmt.Errorf("crlfile %s: %w", path, err)
		}
	}
	return r, nil
}

func (r revocations) add(der []byte, authorities []*x509.Certificate) error {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	for _, a := range authorities {
		if string(a.RawSubject) != string(list.RawIssuer) || list.CheckSignatureFrom(a) != nil {
			continue
		}
		serials := map[string]bool{}
		for _, e := range list.RevokedCertificateEntries {
			serials[e.SerialNumber.String()] = true
		}
		r[authority(a)] = serials
		return nil
	}
	return fmt.Errorf("the list of %q is signed by no certificate of cafile", list.Issuer)
}

// find returns the first certificate of a verified chain that is revoked, nil
// if there is none. The chain ends with the root.
func (r revocations) find(chain []*x509.Certificate) *x509.Certificate {
	for i := range chain[:len(chain)-1] {
		if r[authority(chain[i+1])][chain[i].SerialNumber.String()] {
			return chain[i]
		}
	}
	return nil
}
