//go:build integration

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho5 "github.com/eclipse/paho.golang/paho"
	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/lunemq/lunemq/broker/listener/certtest"
)

// doors is a daemon with a listener of each kind, ssl and wss with client
// certificates that name the user.
type doors struct {
	*daemon
	ca            *certtest.Authority
	alice, server *certtest.Pair
}

func startDoors(t *testing.T) *doors {
	t.Helper()
	ca := certtest.NewAuthority(t, "authority")
	x := &doors{ca: ca, alice: ca.Issue(t, "alice", nil), server: ca.Issue(t, "broker", nil)}
	x.daemon = startDaemon(t, t.TempDir(), "listener.cafile="+ca.CertFile, "listener.certfile="+x.server.CertFile, "listener.keyfile="+x.server.KeyFile,
		"listener.ssl.t=127.0.0.1:0", "listener.ssl.t.require_certificate=on", "listener.ssl.t.use_identity_as_username=on",
		"listener.ssl.open=127.0.0.1:0", "listener.ws.t=127.0.0.1:0", "listener.wss.t=127.0.0.1:0")
	return x
}

func TestIntegration_MosquittoTLS(t *testing.T) {
	d := startDoors(t)
	port := d.port("ssl.t")
	for _, version := range []string{"tlsv1.2", "tlsv1.3"} {
		for _, v := range []string{"mqttv311", "mqttv5"} {
			secure := []string{"-V", v, "--cafile", d.ca.CertFile, "--cert", d.alice.CertFile, "--key", d.alice.KeyFile, "--tls-version", version}
			topic := version + "/" + v
			lines := mosquittoSub(t, port, append(secure, "-q", "2", "-t", topic)...)
			for q := range 3 {
				mosquittoPub(t, port, append(secure, "-q", fmt.Sprint(q), "-t", topic, "-m", fmt.Sprint("hello ", q))...)
				if got, want := next(t, lines), fmt.Sprint("hello ", q); got != want {
					t.Errorf("%s: got %q, want %q", topic, got, want)
				}
			}
		}
	}
	if !d.said("user=alice") {
		t.Error("the certificate's name is not the username")
	}
	without := exec.Command(tool(t, "mosquitto_pub"), "-h", "127.0.0.1", "-p", port, "--cafile", d.ca.CertFile, "-t", "a", "-m", "x")
	if err := without.Run(); err == nil {
		t.Error("a client without a certificate got in")
	}
	d.stop()
}

func TestIntegration_Paho311Doors(t *testing.T) {
	d := startDoors(t)
	urls := map[string]string{"ws": "ws://" + d.ready["ws.t"] + "/mqtt", "wss": "wss://" + d.ready["wss.t"] + "/mqtt", "ssl": "ssl://" + d.ready["ssl.t"]}
	connect := func(kind, id string) paho.Client {
		t.Helper()
		c := paho.NewClient(paho.NewClientOptions().AddBroker(urls[kind]).SetClientID(kind + id).SetProtocolVersion(4).SetAutoReconnect(false).
			SetTLSConfig(d.ca.Client(d.alice)))
		wait(t, c.Connect())
		t.Cleanup(func() { c.Disconnect(100) })
		return c
	}
	for kind := range urls {
		t.Run(kind, func(t *testing.T) {
			got := make(chan paho.Message, 1000)
			sub, pub := connect(kind, "sub"), connect(kind, "pub")
			wait(t, sub.Subscribe(kind+"/#", 2, func(_ paho.Client, m paho.Message) { got <- m }))
			sent := map[byte]int{}
			for i := range 300 {
				payload := strings.Repeat("x", i*i)
				sent[byte(i%3)] += len(payload)
				wait(t, pub.Publish(kind+"/a", byte(i%3), false, payload))
			}
			for range 300 {
				m := receive(t, got)
				sent[m.Qos()] -= len(m.Payload())
			}
			if sent[0] != 0 || sent[1] != 0 || sent[2] != 0 {
				t.Errorf("bytes missing by QoS: %v", sent)
			}
		})
	}
}

func TestIntegration_Paho5TLS(t *testing.T) {
	d := startDoors(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got := make(chan *paho5.Publish, 100)
	nc, err := tls.Dial("tcp", d.ready["ssl.t"], d.ca.Client(d.alice))
	if err != nil {
		t.Fatal(err)
	}
	c := paho5.NewClient(paho5.ClientConfig{Conn: nc, OnPublishReceived: []func(paho5.PublishReceived) (bool, error){
		func(p paho5.PublishReceived) (bool, error) {
			got <- p.Packet
			return true, nil
		}}})
	if _, err := c.Connect(ctx, &paho5.Connect{ClientID: "five", KeepAlive: 30, CleanStart: true, UsernameFlag: true, Username: "mallory"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Subscribe(ctx, &paho5.Subscribe{Subscriptions: []paho5.SubscribeOptions{{Topic: "a/#", QoS: 2}}}); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		if _, err := c.Publish(ctx, &paho5.Publish{Topic: "a/b", QoS: byte(i % 3), Payload: []byte(strings.Repeat("x", i*1000))}); err != nil {
			t.Fatal(err)
		}
	}
	for range 30 {
		receive(t, got)
	}
	if !d.said("user=alice") || d.said("user=mallory") {
		t.Error("the certificate's name is not the username")
	}
	d.stop()
}

// TestIntegration_MQTTJS is the client that web pages use.
func TestIntegration_MQTTJS(t *testing.T) {
	dir := t.TempDir()
	install := exec.Command(tool(t, "npm"), "install", "--no-package-lock", "--no-save", "--no-audit", "--no-fund", "mqtt@5.16.0")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm: %v\n%s", err, out)
	}
	script, err := filepath.Abs(filepath.Join("testdata", "mqttjs.js"))
	if err != nil {
		t.Fatal(err)
	}
	d := startDoors(t)
	for _, url := range []string{"ws://" + d.ready["ws.t"] + "/mqtt", "wss://" + d.ready["wss.t"] + "/mqtt", "mqtts://" + d.ready["ssl.open"], "mqtt://" + d.ready["tcp.default"]} {
		for _, version := range []string{"4", "5"} {
			kind, _, _ := strings.Cut(url, ":")
			t.Run(kind+"/"+version, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, tool(t, "node"), script, url, version, d.ca.CertFile)
				cmd.Dir = dir
				cmd.Env = append(cmd.Environ(), "NODE_PATH="+filepath.Join(dir, "node_modules"))
				if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "done" {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}

// TestIntegration_CertificateReload: SIGHUP brings a new certificate without dropping the
// clients that are there.
func TestIntegration_CertificateReload(t *testing.T) {
	d := startDoors(t)
	dial := func() *tls.Conn {
		t.Helper()
		nc, err := tls.Dial("tcp", d.ready["ssl.open"], d.ca.Client())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = nc.Close() })
		return nc
	}
	before := dial()
	renewed := d.ca.Issue(t, "renewed", nil)
	certtest.Write(t, filepath.Dir(d.server.CertFile), "cert.pem", renewed.CertPEM)
	certtest.Write(t, filepath.Dir(d.server.KeyFile), "key.pem", renewed.KeyPEM)
	d.hangup()
	for end := time.Now().Add(10 * time.Second); dial().ConnectionState().PeerCertificates[0].Subject.CommonName != "renewed"; {
		if time.Now().After(end) {
			t.Fatal("the old certificate is shown")
		}
	}
	_ = before.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := before.Read(make([]byte, 1)); err == nil || !err.(net.Error).Timeout() {
		t.Errorf("a connection did not outlive the reload: %v", err)
	}
	d.stop()
}
