package lualib

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS are the options of TLS to a server. Immutable; comparable.
type TLS struct {
	CAFile    string `key:"cafile" default:"" reload:"restart" doc:"PEM file of authorities that the server's certificate is checked with."`
	CertFile  string `key:"certfile" default:"" reload:"restart" doc:"PEM file of the certificate shown to the server."`
	KeyFile   string `key:"keyfile" default:"" reload:"restart" doc:"PEM file of the certificate's key."`
	Depth     int    `key:"ssl.depth" default:"3" range:"0..100" reload:"restart" doc:"How many authorities may stand between the server's certificate and the root."`
	Verify    string `key:"ssl.verify" default:"verify_peer" enum:"verify_peer,verify_none" reload:"restart" doc:"Whether the server's certificate is checked."`
	SystemCAs bool   `key:"ssl.use_system_cas" default:"on" reload:"restart" doc:"Trusts the authorities of the system beside those of cafile."`
	HostCheck string `key:"ssl.customize_hostname_check" default:"https" enum:"https" reload:"restart" doc:"Rules by which the server's name is compared with its certificate."`
}

// Config makes the configuration for connections to a server by its name.
// Errors name the file that cannot be used.
func (t TLS) Config(serverName string) (*tls.Config, error) {
	c := &tls.Config{ServerName: serverName, MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.Verify == "verify_none"}
	if !t.SystemCAs || t.CAFile != "" {
		c.RootCAs = x509.NewCertPool()
		if t.SystemCAs {
			if all, err := x509.SystemCertPool(); err == nil {
				c.RootCAs = all
			}
		}
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("cafile: %w", err)
		}
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cafile: there is no certificate in %s", t.CAFile)
		}
	}
	if t.CertFile != "" || t.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("certfile and keyfile: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if t.Verify != "verify_none" {
		c.VerifyConnection = t.shallow
	}
	return c, nil
}

// shallow demands a chain with at most Depth authorities between leaf and root.
func (t TLS) shallow(s tls.ConnectionState) error {
	for _, chain := range s.VerifiedChains {
		if len(chain)-2 <= t.Depth {
			return nil
		}
	}
	return errors.New("the server's chain of certificates is longer than ssl.depth permits")
}
