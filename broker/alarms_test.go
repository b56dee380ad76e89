package broker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/engine/goroutine"
	"github.com/lunemq/lunemq/broker/listener/certtest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// alarms checks which alarms are active, as "NAME SUBJECT", sorted.
func alarms(t *testing.T, l *alarm.List, want ...string) {
	t.Helper()
	if got := active(l); !slices.Equal(got, want) {
		t.Errorf("active %q, want %q: %v", got, want, l.Active())
	}
}

func active(l *alarm.List) (names []string) {
	for _, a := range l.Active() {
		names = append(names, strings.TrimSuffix(a.Name.String()+" "+a.Subject, " "))
	}
	slices.Sort(names)
	return names
}

// failing is a store that does not write while an error is set, and may know it
// before.
type failing struct {
	store.Store
	err   atomic.Pointer[error]
	knows atomic.Bool
}

func (s *failing) Refuses(bool) error {
	if e := s.err.Load(); e != nil && s.knows.Load() {
		return *e
	}
	return nil
}

func (s *failing) Commit(b *store.Batch, done func(error)) {
	if e := s.err.Load(); e != nil {
		done(*e)
		return
	}
	s.Store.Commit(b, done)
}

func TestAlarm_StoreFailing(t *testing.T) {
	kept := &failing{Store: memstore.New()}
	b := brokertest.Start(t, brokertest.Options{Store: kept})
	c, _ := b.Connect(packet.Connect{ClientID: "c", CleanStart: true})
	publish := func(want mqtt.ReasonCode) {
		t.Helper()
		if code := c.Publish(packet.Publish{QoS: 1, Topic: "t", Retain: true, Payload: []byte("x")}); code != want {
			t.Errorf("PUBACK %v, want %v", code, want)
		}
	}
	publish(mqtt.NoMatchingSubscribers)
	alarms(t, b.Alarms)
	broken := errors.New("the disk is on fire")
	kept.err.Store(&broken)
	publish(mqtt.ImplementationSpecificError)
	alarms(t, b.Alarms, "store_failing")
	b.Alarms.Clear(alarm.StoreFailing, "")
	kept.knows.Store(true) // nothing is committed, and the operator told all the same
	publish(mqtt.ImplementationSpecificError)
	alarms(t, b.Alarms, "store_failing")
	rows, err := command(t, b, "alarm show")
	if err != nil || len(rows) != 1 || !strings.HasPrefix(rows[0], "store_failing critical ") || !strings.HasSuffix(rows[0], broken.Error()) {
		t.Errorf("%q %v", rows, err)
	}
	s := b.Catalogue.Snapshot(time.Now())
	if active, raised := s.Get("alarms_active").Value, s.Get("alarms_raised").Value; active != 1 || raised != 2 {
		t.Errorf("%d active, %d raised", active, raised)
	}
	if _, err := command(t, b, "retain delete topic=t"); err == nil || b.Router.Retained().Get("", "t") == nil {
		t.Errorf("a retained message is deleted although the store fails: %v", err)
	}
	kept.err.Store(nil)
	publish(mqtt.NoMatchingSubscribers)
	alarms(t, b.Alarms)
}

func TestAlarm_MemoryAndDisk(t *testing.T) {
	b := squeezed(t, "memory_limit=1MB", "min_free_disk=100%")
	if got := len(b.Alarms.Active()); got != 3 {
		t.Errorf("%v", b.Alarms.Active())
	}
	if rows, _ := command(t, b, "alarm show"); len(rows) != 3 || !strings.Contains(strings.Join(rows, "\n"), "disk_low critical "+os.TempDir()) {
		t.Errorf("%q", rows)
	}
	b.Pressure.Apply(&brokertest.Config(t, "memory_limit=100GB", "min_free_disk=0").Pressure)
	alarms(t, b.Alarms)
}

// seen is a store that has seen a certain time.
type seen struct {
	store.Store
	newest time.Time
}

func (s seen) Newest() time.Time { return s.newest }

func TestAlarm_ClockDoubt(t *testing.T) {
	for off, want := range map[time.Duration]string{-time.Hour: "", time.Hour: "stands before", -25 * time.Hour: "more than a day after"} {
		synctest.Test(t, func(t *testing.T) {
			cfg := brokertest.Config(t, "plugins.passwd=off", "plugins.acl=off")
			b, err := broker.New(cfg, broker.Parts{Log: quiet, Store: seen{memstore.New(), time.Now().Add(off)}, Engine: goroutine.New(goroutine.Options{})})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Load(context.Background()); err != nil {
				t.Fatal(err)
			}
			<-time.After(59 * time.Second)
			synctest.Wait()
			if list := b.Alarms.Active(); (len(list) > 0) != (want != "") || len(list) > 0 && !strings.Contains(list[0].Text, want) {
				t.Errorf("%s: %v", off, list)
			}
			<-time.After(2 * time.Second)
			synctest.Wait()
			alarms(t, b.Alarms)
			if err := b.Stop(time.Second); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAlarm_AccessFiles: files that a reload cannot use, until they are mended.
func TestAlarm_AccessFiles(t *testing.T) {
	dir := t.TempDir()
	acl, passwd := filepath.Join(dir, "acl"), filepath.Join(dir, "passwd")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(acl, "topic #\n")
	write(passwd, "")
	set := []string{"listener.tcp.default=127.0.0.1:0", "acl.acl_file=" + acl, "passwd.password_file=" + passwd, "plugins.passwd=on", "plugins.acl=on",
		"acl.acl_reload_interval=0", "passwd.password_reload_interval=0"}
	b := brokertest.Start(t, brokertest.Options{Set: set})
	reload := func() { // a file that is wrong stands in the way of nothing else
		t.Helper()
		if err := b.Reload(brokertest.Config(t, set...), nil); err != nil {
			t.Errorf("reload: %v", err)
		}
	}
	write(acl, "topic #\ntopc #\ntpic #\n")
	reload()
	alarms(t, b.Alarms, "acl_reload_failed "+acl)
	if text := b.Alarms.Active()[0].Text; !strings.Contains(text, acl+":2: ") || !strings.Contains(text, "(and 1 more)") || strings.Contains(text, "\n") {
		t.Errorf("%q", text)
	}
	write(acl, "topic #\n")
	write(passwd, "ann:secret\n")
	reload()
	alarms(t, b.Alarms, "passwd_reload_failed "+passwd)
	write(passwd, "")
	reload()
	alarms(t, b.Alarms)
	write(passwd, "ann:secret\n")
	reload()
	set[3] = "plugins.passwd=off"
	reload()
	alarms(t, b.Alarms)
}

func TestAlarm_Certificates(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	lasts := func(d time.Duration) *certtest.Pair {
		return ca.Issue(t, "broker", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(d) })
	}
	server, short := lasts(30*24*time.Hour), lasts(13*24*time.Hour)
	set := append(tlsKeys("ssl", ca, server), "crl_refresh_interval=1")
	b := brokertest.Start(t, brokertest.Options{Set: set})
	alarms(t, b.Alarms)
	replace := func(cert, key []byte) {
		t.Helper()
		for path, text := range map[string][]byte{server.CertFile: cert, server.KeyFile: key} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	// come has the listener look at its files until it has found what is wanted.
	come := func(want ...string) {
		t.Helper()
		brokertest.Eventually(t, func() bool {
			if nc, err := tls.Dial("tcp", b.Listeners["ssl.t"], ca.Client()); err == nil {
				nc.Close()
			}
			return slices.Equal(active(b.Alarms), want)
		})
	}
	replace([]byte("nothing"), server.KeyPEM)
	come("certificate_reload_failed ssl.t")
	replace(short.CertPEM, short.KeyPEM)
	come("certificate_expiring ssl.t")
	if text := b.Alarms.Active()[0].Text; text != fmt.Sprintf("the certificate of %q ends at %s", short.Cert.Subject, short.Cert.NotAfter.UTC().Format(time.RFC3339)) {
		t.Error(text)
	}
	replace(server.CertPEM, server.KeyPEM)
	come()
}
