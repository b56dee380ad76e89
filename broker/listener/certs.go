package listener

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

// security is what one reading of a listener's files gave. Immutable.
type security struct {
	config   *tls.Config
	leaf     *x509.Certificate // that clients are shown
	timeout  time.Duration     // of a handshake
	depth    int
	revoked  revocations
	identity bool // the certificate names the user
}

// certs are a listener's TLS files. They are looked at again when a client
// comes and the last look is longer ago than the interval, so an idle listener
// costs nothing. Files that cannot be used are reported and leave in force what
// was read before. Safe for concurrent use.
type certs struct {
	reloaded func(error) // may be nil
	state    atomic.Pointer[security]

	mu       sync.Mutex // no other lock is taken under it
	opts     TLS
	identity bool
	every    time.Duration // 0 is never
	looked   time.Time
	seen     []os.FileInfo // of the files when they were last read; nil entries for missing ones
	failed   error         // why they are not in force, nil when they are
}

// newCerts reads the files of o.
func newCerts(o TLS, identity bool, every time.Duration, reloaded func(error)) (*certs, error) {
	c := &certs{reloaded: reloaded}
	if err := c.configure(o, identity, every); err != nil {
		return nil, err
	}
	return c, nil
}

// configure reads the files of o, unless neither they nor o have changed. With
// an error what was read before stays in force; the files are tried again when
// they change.
func (c *certs) configure(o TLS, identity bool, every time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	same := reflect.DeepEqual(o, c.opts) && identity == c.identity
	c.every, c.looked = every, time.Now()
	if same && !c.changed(stamps(o)) {
		return c.failed
	}
	c.opts, c.identity = o, identity
	return c.read()
}

// current returns what is in force for a client that comes at now.
func (c *certs) current(now time.Time) *security {
	if c.mu.TryLock() { // else somebody is looking already
		if c.every > 0 && now.Sub(c.looked) >= c.every {
			c.looked = now
			if c.changed(stamps(c.opts)) {
				err := c.read()
				if c.reloaded != nil {
					c.reloaded(err)
				}
			}
		}
		c.mu.Unlock()
	}
	return c.state.Load()
}

// stamps returns what tells one version of the files from another.
func stamps(o TLS) []os.FileInfo {
	var list []os.FileInfo
	for _, path := range []string{o.CAFile, o.CertFile, o.KeyFile, o.CRLFile} {
		info, _ := os.Stat(path) // a missing file is found out when it is read
		list = append(list, info)
	}
	return list
}

func (c *certs) changed(now []os.FileInfo) bool {
	for i, info := range now {
		if c.seen == nil || (info == nil) != (c.seen[i] == nil) {
			return true
		}
		if old := c.seen[i]; info != nil && (!os.SameFile(info, old) || info.Size() != old.Size() || !info.ModTime().Equal(old.ModTime())) {
			return true
		}
	}
	return false
}

// read puts the files in force. Called with mu held.
func (c *certs) read() error {
	c.seen = stamps(c.opts) // before reading: a change meanwhile is seen next time
	s, err := load(c.opts, c.identity)
	if c.failed = err; err == nil {
		c.state.Store(s)
	}
	return err
}

// ReadTLS reads the files of o and returns the certificate that clients would
// be shown. An error is a *value.KeyError.
func ReadTLS(o TLS) (*x509.Certificate, error) {
	s, err := load(o, false)
	if err != nil {
		return nil, err
	}
	return s.leaf, nil
}

// load reads the files of o.
func load(o TLS, identity bool) (*security, error) {
	s := &security{timeout: o.HandshakeTimeout, depth: o.Depth, identity: identity}
	var authorities []*x509.Certificate
	var err error
	if o.CAFile != "" {
		if authorities, err = readCertificates(o.CAFile); err != nil {
			return nil, keyed("cafile", fmt.Errorf("cafile: %w", err))
		}
	}
	if o.CRLFile != "" {
		if s.revoked, err = readRevocations(o.CRLFile, authorities); err != nil {
			return nil, keyed("crlfile", err)
		}
	}
	pair, err := readPair(o, authorities)
	if err != nil {
		return nil, err
	}
	s.leaf = pair.Leaf
	oldest, newest, missing := span(o.Versions)
	if oldest == 0 || missing != nil {
		return nil, keyed("tls_version", fmt.Errorf("tls_version %q is empty or leaves out %q", o.Versions, missing))
	}
	s.config = &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: oldest, MaxVersion: newest,
		CipherSuites: o.Ciphers.ids, CurvePreferences: o.Curves.ids, VerifyConnection: s.verify,
	}
	switch {
	case o.Require && authorities == nil:
		return nil, keyed("require_certificate", errors.New("require_certificate = on needs a cafile, whose authorities sign the clients' certificates"))
	case o.Require:
		s.config.ClientAuth = tls.RequireAndVerifyClientCert
	case identity && authorities != nil:
		s.config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	s.config.ClientCAs = x509.NewCertPool()
	for _, a := range authorities {
		s.config.ClientCAs.AddCert(a)
	}
	return s, nil
}

// keyed says which option of a listener an error is about.
func keyed(option string, err error) error { return &value.KeyError{Key: option, Err: err} }

func readCertificates(path string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []*x509.Certificate
	for line, b := range blocks(text) {
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		list = append(list, c)
	}
	if list == nil {
		return nil, fmt.Errorf("%s: no certificate in it", path)
	}
	return list, nil
}

// blocks yields the PEM blocks of a file with the lines at which they begin.
func blocks(text []byte) iter.Seq2[int, *pem.Block] {
	return func(yield func(int, *pem.Block) bool) {
		for rest := text; ; {
			begin := len(text) - len(rest) + max(bytes.Index(rest, []byte("-----BEGIN ")), 0)
			b, after := pem.Decode(rest)
			if b == nil || !yield(1+bytes.Count(text[:begin], []byte("\n")), b) {
				return
			}
			rest = after
		}
	}
}

// verify checks what crypto/tls does not: depth and revocation. It is called
// for resumed connections too.
func (s *security) verify(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return nil
	}
	err := errors.New("no chain to an authority of cafile")
	for _, chain := range cs.VerifiedChains {
		revoked := s.revoked.find(chain)
		switch {
		case len(chain) > s.depth+2: // the client's and the root's do not count
			err = fmt.Errorf("the certificate's chain has %d authorities below the root, depth allows %d", len(chain)-2, s.depth)
		case revoked != nil:
			err = fmt.Errorf("certificate %q with serial number %s is revoked", revoked.Subject, revoked.SerialNumber)
		default:
			return nil
		}
	}
	return err
}
