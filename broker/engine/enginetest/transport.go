package enginetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// transport makes connections of one kind.
type transport struct {
	name string
	pair func(t testing.TB) (server engine.NetConn, client net.Conn)
}

var (
	tcp  = transport{"tcp", func(t testing.TB) (engine.NetConn, net.Conn) { return dialed(t, "tcp", "127.0.0.1:0") }}
	unix = transport{"unix", pairUnix}
	pipe = transport{"pipe", func(testing.TB) (engine.NetConn, net.Conn) { return net.Pipe() }}
)

func pairUnix(t testing.TB) (engine.NetConn, net.Conn) {
	// t.TempDir is too long for the path of a socket.
	dir, err := os.MkdirTemp("", "e")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dialed(t, "unix", filepath.Join(dir, "s"))
}

func dialed(t testing.TB, network, address string) (server, client net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	// The system completes a connection before it is accepted.
	if client, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// encrypted returns TLS over TCP, the handshake being done.
func encrypted(cert tls.Certificate) transport {
	return transport{"tls", func(t testing.TB) (engine.NetConn, net.Conn) {
		t.Helper()
		s, c := dialed(t, "tcp", "127.0.0.1:0")
		server := tls.Server(s, &tls.Config{Certificates: []tls.Certificate{cert}})
		client := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		done := make(chan error, 1)
		go func() { done <- client.Handshake() }()
		if err := server.Handshake(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return server, client
	}}
}

func newCertificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
