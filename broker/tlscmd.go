package broker

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/listener"
	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// The columns of tls show, and those that tls check adds.
var (
	certColumns  = []string{"listener", "address", "port", "subject", "issuer", "not_after", "days_left", "certfile"}
	checkColumns = append(certColumns[:len(certColumns):len(certColumns)], "result")
)

// tlsCommands are tls show, check and clear-pem-cache. Reference 4.3.
func (b *Broker) tlsCommands() []admin.Command {
	val := func(name, doc string) admin.Flag { return admin.Flag{Name: name, Kind: admin.FlagValue, Doc: doc} }
	return []admin.Command{
		{
			Path: "tls show", Doc: "Show the certificate that each listener shows to clients", Columns: certColumns,
			Run: func(context.Context, *admin.Call) (admin.Result, error) { return b.tlsShow(time.Now()), nil },
		},
		{
			Path: "tls check", Columns: checkColumns,
			Doc: "Check the certificates of the listeners, or files before they are used\n\n" +
				"The files of each listener are read as a reload would read them. With\n--certfile and --keyfile those files are checked instead.",
			Flags: []admin.Flag{
				val("validity", fmt.Sprintf("seconds that a certificate must still be good for, %d (14 days) unless given", int(expirySoon.Seconds()))),
				val("certfile", "a certificate to check"), val("keyfile", "its key"), val("keypasswd", "password of keyfile"),
				val("cafile", "authorities, checked too"), val("crlfile", "lists of revoked certificates, checked too"),
			},
			Run: func(_ context.Context, c *admin.Call) (admin.Result, error) { return b.tlsCheck(time.Now(), c) },
		},
		{
			Path: "tls clear-pem-cache", Doc: "Have all listeners read their certificates again now", Changes: true,
			Run: func(context.Context, *admin.Call) (admin.Result, error) {
				b.mu.Lock()
				defer b.mu.Unlock()
				var bad []error
				for _, d := range b.doors {
					if d.spec.TLS != nil {
						bad = append(bad, b.applyDoor(d, d.spec))
					}
				}
				if err := errors.Join(bad...); err != nil {
					return nil, err
				}
				return admin.Done, nil
			},
		},
	}
}

// applyDoor tells a listener what it is to be like. Certificates that cannot be
// used leave those before in force. Called with b.mu held.
func (b *Broker) applyDoor(d *door, spec listener.Spec) error {
	if err := d.listener.Apply(spec); err != nil {
		b.reloaded(d.name, err)
		return err
	}
	b.Alarms.Clear(alarm.CertificateReloadFailed, d.name)
	b.checkCertificate(time.Now(), d)
	return nil
}

// certRow returns the values of certColumns.
func certRow(now time.Time, name, host string, port any, c *x509.Certificate, file string) []any {
	return []any{name, host, port, c.Subject.String(), c.Issuer.String(), c.NotAfter, int(c.NotAfter.Sub(now) / (24 * time.Hour)), file}
}

func (b *Broker) tlsShow(now time.Time) admin.Table {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := admin.Table{Columns: certColumns}
	for _, d := range b.doors {
		if c := d.listener.Certificate(); c != nil {
			host, port := split(d.listener.Addr())
			t.Rows = append(t.Rows, certRow(now, d.name, host, port, c, d.spec.TLS.CertFile))
		}
	}
	return t
}

func (b *Broker) tlsCheck(now time.Time, c *admin.Call) (admin.Result, error) {
	seconds, err := c.Int("validity", int(expirySoon.Seconds()), 0)
	if err != nil {
		return nil, err
	}
	validity := time.Duration(seconds) * time.Second
	t := admin.Table{Columns: checkColumns}
	check := func(name, host string, port any, o listener.TLS) {
		leaf, err := listener.ReadTLS(o)
		if err != nil {
			t.Rows, t.Failed = append(t.Rows, []any{name, host, port, nil, nil, nil, nil, o.CertFile, err.Error()}), true
			return
		}
		state := verdict(now, leaf, validity)
		t.Rows = append(t.Rows, append(certRow(now, name, host, port, leaf, o.CertFile), state))
		t.Failed = t.Failed || state != certOK
	}
	text := func(name string) string { s, _ := c.Flag(name); return s }
	o := listener.TLS{CAFile: text("cafile"), CertFile: text("certfile"), KeyFile: text("keyfile"), CRLFile: text("crlfile"),
		KeyPassword: value.NewSecret(text("keypasswd")), Versions: []string{"tlsv1.2", "tlsv1.3"}}
	if o.CertFile != "" && o.KeyFile != "" {
		check("", "", nil, o)
		return t, nil
	}
	if o.CertFile != "" || o.KeyFile != "" || o.CAFile != "" || o.CRLFile != "" {
		return nil, fmt.Errorf("%w: tls check needs both --certfile and --keyfile to check files", admin.ErrUsage)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.doors {
		if d.spec.TLS != nil {
			host, port := split(d.listener.Addr())
			check(d.name, host, port, *d.spec.TLS)
		}
	}
	return t, nil
}

const certOK = "ok"

// verdict says whether a certificate is good for as long as it should be.
func verdict(now time.Time, c *x509.Certificate, validity time.Duration) string {
	switch left := c.NotAfter.Sub(now); {
	case now.Before(c.NotBefore):
		return "not yet valid"
	case left <= 0:
		return "has ended"
	case left <= validity:
		return "ends soon"
	}
	return certOK
}
