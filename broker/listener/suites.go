package listener

import (
	"crypto/tls"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Suites are the cipher suites of TLS 1.2 and below that a listener offers;
// the zero value is Go's own choice. Written as names of OpenSSL (or IANA),
// parted by colons or commas. Immutable.
//
// The suites of TLS 1.3 cannot be chosen: Go offers all three. Their names are
// accepted when all three are there, so that no line says what is not done.
type Suites struct {
	text string
	ids  []uint16
}

// suiteNames are OpenSSL's names of what crypto/tls can do and is no danger by
// itself. RC4 and 3DES are left out on purpose.
var suiteNames = map[string]uint16{
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"ECDHE-ECDSA-AES128-SHA256":     tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-RSA-AES128-SHA256":       tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	"AES128-GCM-SHA256":             tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	"AES256-GCM-SHA384":             tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	"AES128-SHA256":                 tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	"AES128-SHA":                    tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	"AES256-SHA":                    tls.TLS_RSA_WITH_AES_256_CBC_SHA,
}

// suites13 are the names of all suites of TLS 1.3 that crypto/tls has.
var suites13 = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}

// UnmarshalText parses the written form; empty text is the zero value.
func (s *Suites) UnmarshalText(text []byte) error {
	list := items(string(text))
	next := Suites{text: string(text)}
	var unknown, modern []string
	for _, name := range list {
		id, ok := suiteNames[name]
		switch {
		case slices.Contains(suites13, name):
			modern = append(modern, name)
		case ok:
			next.ids = append(next.ids, id)
		default:
			if id, ok = byGoName(name); !ok {
				unknown = append(unknown, name)
				continue
			}
			next.ids = append(next.ids, id)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("listener: %q are not cipher suites of this broker; accepted: %s", unknown, strings.Join(slices.Sorted(maps.Keys(suiteNames)), ", "))
	}
	for _, name := range suites13 {
		if len(modern) > 0 && !slices.Contains(modern, name) {
			return fmt.Errorf("listener: %q: of TLS 1.3 all suites are offered or none, and %s is not there; accepted: all of %s, or none of them", modern, name, strings.Join(suites13, ", "))
		}
	}
	*s = next
	return nil
}

// MarshalText returns the written form.
func (s Suites) MarshalText() ([]byte, error) { return []byte(s.text), nil }

// byGoName finds a suite by the name of IANA, which is Go's.
func byGoName(name string) (uint16, bool) {
	for _, id := range suiteNames {
		if tls.CipherSuiteName(id) == name {
			return id, true
		}
	}
	return 0, false
}

// Curves are the groups for key agreement that a listener offers; the zero
// value is Go's own choice. Written as names of OpenSSL, parted by commas or
// colons. Immutable.
type Curves struct {
	text string
	ids  []tls.CurveID
}

var curveNames = map[string]tls.CurveID{
	"secp256r1": tls.CurveP256, "prime256v1": tls.CurveP256, "secp384r1": tls.CurveP384, "secp521r1": tls.CurveP521,
	"x25519": tls.X25519, "x25519mlkem768": tls.X25519MLKEM768,
}

// UnmarshalText parses the written form; empty text is the zero value.
func (c *Curves) UnmarshalText(text []byte) error {
	next := Curves{text: string(text)}
	var unknown []string
	for _, name := range items(string(text)) {
		id, ok := curveNames[strings.ToLower(name)]
		if !ok {
			unknown = append(unknown, name)
			continue
		}
		next.ids = append(next.ids, id)
	}
	if len(unknown) > 0 {
		return fmt.Errorf("listener: %q are not curves of this broker; accepted: %s", unknown, strings.Join(slices.Sorted(maps.Keys(curveNames)), ", "))
	}
	*c = next
	return nil
}

// MarshalText returns the written form.
func (c Curves) MarshalText() ([]byte, error) { return []byte(c.text), nil }

// items splits a list with or without brackets at commas and colons.
func items(text string) []string {
	text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "["), "]")
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ':' || r == ' ' })
}

// versions of TLS, oldest first, by VerneMQ's names.
var versions = []struct {
	name string
	id   uint16
}{{"tlsv1", tls.VersionTLS10}, {"tlsv1.1", tls.VersionTLS11}, {"tlsv1.2", tls.VersionTLS12}, {"tlsv1.3", tls.VersionTLS13}}

// span returns the oldest and newest version of a list, and those between that
// it leaves out: crypto/tls cannot.
func span(list []string) (oldest, newest uint16, missing []string) {
	var between []string
	for _, v := range versions {
		switch {
		case slices.Contains(list, v.name):
			if oldest == 0 {
				oldest = v.id
			}
			newest = v.id
			missing = append(missing, between...)
			between = nil
		case oldest != 0:
			between = append(between, v.name)
		}
	}
	return oldest, newest, missing
}
