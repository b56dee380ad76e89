package broker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/listener/certtest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// command runs an admin command and returns its table's rows, each as one line.
func command(t *testing.T, b *brokertest.Broker, line string) (rows []string, err error) {
	t.Helper()
	r := admin.NewRegistry()
	if err := r.Add(b.Commands()...); err != nil {
		t.Fatal(err)
	}
	call, err := r.Parse(strings.Fields(line))
	if err != nil {
		return nil, err
	}
	res, err := r.Execute(context.Background(), call)
	if table, ok := res.(admin.Table); ok {
		for _, row := range table.Rows {
			rows = append(rows, strings.Trim(fmt.Sprint(row), "[]"))
		}
	}
	return rows, err
}

// speaks checks that a client gets in over nc and hears what it publishes, and
// that it is who the broker should take it for: alice.
func speaks(t *testing.T, nc net.Conn, v mqtt.Version, username string) {
	t.Helper()
	t.Cleanup(func() { _ = nc.Close() })
	c := brokertest.NewClient(t, nc, v)
	c.Send(&packet.Connect{Version: v, CleanStart: true, ClientID: "c-" + v.String(), Username: username, HasUsername: username != ""})
	if ack := brokertest.Next[*packet.Connack](c); ack.Code != mqtt.Success {
		t.Fatalf("CONNACK %v", ack.Code)
	}
	if codes := c.Subscribe(mqtt.ExactlyOnce, "alice/#"); !slices.Equal(codes, []mqtt.ReasonCode{mqtt.GrantedQoS2}) {
		t.Fatalf("SUBACK %v: not taken for alice", codes)
	}
	for q := range mqtt.QoS(3) {
		payload := strings.Repeat("x", 40000*int(q)+1)
		c.Publish(packet.Publish{QoS: q, Topic: "alice/a", Payload: []byte(payload)})
		if p := c.Take(); p.QoS != q || string(p.Payload) != payload {
			t.Errorf("QoS %d: got %d bytes at %d", q, len(p.Payload), p.QoS)
		}
	}
	c.Quiet()
}

const aliceOnly = "user alice\ntopic alice/#\n"

// files are what a listener of these tests is told of TLS.
func tlsKeys(kind string, ca *certtest.Authority, server *certtest.Pair) []string {
	at := "listener." + kind + ".t"
	return []string{at + "=127.0.0.1:0", at + ".cafile=" + ca.CertFile, at + ".certfile=" + server.CertFile, at + ".keyfile=" + server.KeyFile,
		at + ".require_certificate=on", at + ".use_identity_as_username=on"}
}

func TestTLS_IdentityIsUsername(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	server, alice := ca.Issue(t, "broker", nil), ca.Issue(t, "alice", nil)
	versions(t, func(t *testing.T, v mqtt.Version) {
		b := brokertest.Start(t, brokertest.Options{ACL: aliceOnly, Set: tlsKeys("ssl", ca, server)})
		nc, err := tls.Dial("tcp", b.Listeners["ssl.t"], ca.Client(alice))
		if err != nil {
			t.Fatal(err)
		}
		speaks(t, nc, v, "mallory")
		rows, err := command(t, b, "listener show --tls")
		want := "tlsv1.2,tlsv1.3 " + server.CertFile + " " + ca.CertFile + " " + server.KeyFile + " true true false"
		if err != nil || len(rows) != 2 || !strings.HasPrefix(rows[1], "mqtts running 127.0.0.1 ") || !strings.Contains(rows[1], want) {
			t.Errorf("got %q, %v", rows, err)
		}
	})
}

func TestTLS_Reload(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	server, renewed := ca.Issue(t, "broker", nil), ca.Issue(t, "renewed", nil)
	b := brokertest.Start(t, brokertest.Options{Set: tlsKeys("ssl", ca, server)})
	shown := func() string {
		t.Helper()
		nc, err := tls.Dial("tcp", b.Listeners["ssl.t"], ca.Client(ca.Issue(t, "alice", nil)))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		return nc.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	reload := func(set []string) *broker.Config {
		t.Helper()
		cfg := brokertest.Config(t, append([]string{"allow_anonymous=on", "plugins.passwd=off", "plugins.acl=off"}, set...)...)
		if err := b.Reload(cfg, nil); err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	reload(tlsKeys("ssl", ca, renewed))
	if got := shown(); got != "renewed" || b.Metrics.CertificateReloadErrors.Count() != 0 {
		t.Errorf("got %q", got)
	}
	bad := *server
	bad.KeyFile = renewed.KeyFile
	reload(tlsKeys("ssl", ca, &bad))
	if got := shown(); got != "renewed" || b.Metrics.CertificateReloadErrors.Count() != 1 {
		t.Errorf("got %q, %d errors", got, b.Metrics.CertificateReloadErrors.Count())
	}
}

func TestListenerStart_TLS(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	server := ca.Issue(t, "broker", nil)
	b := brokertest.Start(t, brokertest.Options{ACL: aliceOnly})
	start := "listener start address=127.0.0.1 port=0 --ssl --certfile=" + server.CertFile + " --keyfile=" + server.KeyFile +
		" --cafile=" + ca.CertFile + " --require_certificate --use_identity_as_username --tls_version=tlsv1.3 --ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"
	if _, err := command(t, b, start); err != nil {
		t.Fatal(err)
	}
	rows, _ := command(t, b, "listener show")
	f := strings.Fields(rows[1])
	nc, err := tls.Dial("tcp", net.JoinHostPort(f[2], f[3]), ca.Client(ca.Issue(t, "alice", nil)))
	if err != nil {
		t.Fatal(err)
	}
	speaks(t, nc, mqtt.V5, "")
	for line, want := range map[string]string{
		" --psk_support":         "pre-shared",
		" --tls_version=tlsv1.4": "none of",
		" --ciphers=RC4-MD5":     "RC4-MD5",
		" --eccs=sect571r1":      "sect571r1",
		" --cafile=/nowhere":     "no such file",
	} {
		if _, err := command(t, b, start+line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
}

// TestTLSCheck_Failed: only certificates that are all in order succeed.
func TestTLSCheck_Failed(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	server := ca.Issue(t, "broker", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(30*24*time.Hour + time.Hour) })
	b := brokertest.Start(t, brokertest.Options{Set: tlsKeys("ssl", ca, server)})
	r := admin.NewRegistry()
	if err := r.Add(b.Commands()...); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]bool{"tls check": false, "tls check --validity=2678400": true, "tls check --certfile=/none --keyfile=/none": true} {
		call, err := r.Parse(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		res, err := r.Execute(t.Context(), call)
		if table, ok := res.(admin.Table); !ok || err != nil || table.Failed != want {
			t.Errorf("%s: %v %v, want failed %t", line, res, err, want)
		}
	}
}

func TestListenerStop_Localhost(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{Set: []string{"listener.tcp.x=localhost:0"}})
	_, port, _ := net.SplitHostPort(b.Listeners["tcp.x"])
	if _, err := command(t, b, "listener stop address=localhost port="+port); err != nil {
		t.Error(err)
	}
	if rows, _ := command(t, b, "listener show"); !strings.Contains(strings.Join(rows, "\n"), "paused 127.0.0.1 "+port) {
		t.Errorf("got %q", rows)
	}
}

func TestTLSCommands(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	server := ca.Issue(t, "broker", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(30*24*time.Hour + time.Hour) })
	b := brokertest.Start(t, brokertest.Options{Set: tlsKeys("ssl", ca, server)})
	_, port, _ := net.SplitHostPort(b.Listeners["ssl.t"])
	at := "ssl.t 127.0.0.1 " + port + " CN=broker CN=authority "
	want := func(line, want string) {
		t.Helper()
		rows, err := command(t, b, line)
		if err != nil || len(rows) != 1 || !strings.Contains(rows[0], want) {
			t.Errorf("%s: %q %v, want %q", line, rows, err, want)
		}
	}
	want("tls show", at)
	want("tls show", " 30 "+server.CertFile)
	want("tls check", server.CertFile+" ok")
	want("tls check --validity=2678400", " ends soon")
	other := ca.Issue(t, "other", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	want("tls check --certfile="+other.CertFile+" --keyfile="+other.KeyFile, " has ended")
	want("tls check --certfile="+other.CertFile+" --keyfile="+server.KeyFile, "does not match")
	if _, err := command(t, b, "tls check --certfile="+other.CertFile); err == nil || !strings.Contains(err.Error(), "both") {
		t.Error(err)
	}
	if err := os.WriteFile(server.CertFile, other.CertPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	want("tls check", "does not match")
	if _, err := command(t, b, "tls clear-pem-cache"); err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Error(err)
	}
	want("tls show", at)
	alarms(t, b.Alarms, "certificate_reload_failed ssl.t")
	if err := os.WriteFile(server.KeyFile, other.KeyPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, b, "tls clear-pem-cache"); err != nil {
		t.Error(err)
	}
	want("tls show", "CN=other")
	alarms(t, b.Alarms, "certificate_expired ssl.t")
}

func TestListenerStart_Flags(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{})
	if _, err := b.OpenWeb(func(broker.Web) error { return nil }); err != nil {
		t.Fatal(err)
	}
	const start = "listener start address=127.0.0.1 port=0 "
	for flags, want := range map[string]string{
		"--http --mountpoint=a":                "--mountpoint means nothing to a listener for HTTP",
		"--https --websocket":                  "--websocket means nothing",
		"--http_modules=vmq_health_http":       "--http_modules means nothing to a listener for MQTT",
		"--http --http_modules=vmq_web_ui":     `the module "web_ui" is not built yet`,
		"--http --http_modules=[vmq_http_pub]": `the module "http_pub" is not built yet`,
		"--http --http_modules=nope":           `"nope" is none of metrics_http,`,
		"--http --config_mod=mine":             "Erlang",
		"--http --config_fun=mine":             "Erlang",
		"--https":                              "certfile",
	} {
		if _, err := command(t, b, start+flags); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", flags, err, want)
		}
	}
	if _, err := command(t, b, start+"--http --config_mod=vmq_http_config --config_fun=config --http_modules=[vmq_health_http,vmq_http_mgmt_api]"); err != nil {
		t.Error(err)
	}
	if text := jsonText(t, b, "listener show"); !strings.Contains(text, `"type":"http"`) || strings.Contains(text, `"port":"`) {
		t.Error(text)
	}
}
