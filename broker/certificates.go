package broker

import (
	"fmt"
	"time"

	"github.com/lunemq/lunemq/telemetry/alarm"
)

// expirySoon is how long before the end of a certificate the alarm about it
// begins, and expiryLook how often certificates are looked at for that.
const (
	expirySoon = 14 * 24 * time.Hour
	expiryLook = time.Hour
)

// reloaded reports that a listener's certificates were read anew. A listener
// calls it, so it takes no lock of the broker's.
func (b *Broker) reloaded(name string, err error) {
	if err == nil {
		b.Alarms.Clear(alarm.CertificateReloadFailed, name)
		b.Log.Info("certificates reloaded", "listener", name)
		select {
		case b.renewed <- struct{}{}:
		default:
		}
		return
	}
	b.Metrics.CertificateReloadErrors.Inc(1)
	b.Log.Error("certificates not reloaded, the old ones stay in force", "listener", name, "err", err)
	b.Alarms.Raise(alarm.CertificateReloadFailed, name, "the certificate before stays in force: "+err.Error())
}

// watchCertificates looks for certificates that end soon, until the broker
// stops. Nobody waits for it, since it takes b.mu, which Stop holds.
func (b *Broker) watchCertificates() {
	tick := time.NewTicker(expiryLook)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-b.renewed:
		case <-b.stopping:
			return
		}
		b.mu.Lock()
		for _, d := range b.doors {
			b.checkCertificate(time.Now(), d)
		}
		b.mu.Unlock()
	}
}

// checkCertificate raises or clears the alarm about one listener's
// certificate. Called with b.mu held.
func (b *Broker) checkCertificate(now time.Time, d *door) {
	c := d.listener.Certificate()
	if c == nil {
		return
	}
	end, left := c.NotAfter.UTC().Format(time.RFC3339), c.NotAfter.Sub(now)
	if left > 0 && left <= expirySoon {
		b.Alarms.Raise(alarm.CertificateExpiring, d.name, fmt.Sprintf("the certificate of %q ends at %s", c.Subject, end))
	} else {
		b.Alarms.Clear(alarm.CertificateExpiring, d.name)
	}
	if left <= 0 {
		b.Alarms.Raise(alarm.CertificateExpired, d.name, fmt.Sprintf("the certificate of %q has ended at %s", c.Subject, end))
	} else {
		b.Alarms.Clear(alarm.CertificateExpired, d.name)
	}
}
