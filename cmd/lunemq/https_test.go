package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/listener/certtest"
)

// TestServe_HTTPS: the administration over TLS, with client certificates, its
// modules and modes chosen per listener.
func TestServe_HTTPS(t *testing.T) {
	ca := certtest.NewAuthority(t, "authority")
	server := ca.Issue(t, "web", nil)
	r := serveWith(t, quickstart, append(anyPort, "acl.acl_file=../../conf/quickstart.acl", "listener.https.t=127.0.0.1:0", "listener.https.t.cafile="+ca.CertFile,
		"listener.https.t.certfile="+server.CertFile, "listener.https.t.keyfile="+server.KeyFile, "listener.https.t.require_certificate=on",
		"listener.https.t.http_modules=[vmq_health_http,vmq_http_mgmt_api]", "listener.https.t.http_module.vmq_http_mgmt_api.auth.mode=noauth",
		"listener.https.default=127.0.0.1:0", "listener.https.certfile="+server.CertFile, "listener.https.keyfile="+server.KeyFile,
		"http_module.vmq_health_http.auth.mode=apikey")...)
	status := func(name, path string, pairs ...*certtest.Pair) int {
		t.Helper()
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: ca.Client(pairs...), DisableKeepAlives: true}}
		resp, err := client.Get("https://" + r.ready[name] + path)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	admin := ca.Issue(t, "admin", nil)
	for _, c := range []struct {
		name, path string
		pairs      []*certtest.Pair
		want       int
	}{
		{"https.t", "/health/ping", nil, 0},
		{"https.t", "/api/v1/listener/show", []*certtest.Pair{admin}, http.StatusOK},
		{"https.t", "/health/ping", []*certtest.Pair{admin}, http.StatusUnauthorized},
		{"https.t", "/status.json", []*certtest.Pair{admin}, http.StatusNotFound},
		{"https.default", "/api/v1/listener/show", nil, http.StatusUnauthorized},
		{"https.default", "/health/ping", nil, http.StatusUnauthorized},
	} {
		if got := status(c.name, c.path, c.pairs...); got != c.want {
			t.Errorf("%s%s: got %d, want %d", c.name, c.path, got, c.want)
		}
	}
	got := r.admin("listener/show")
	for _, want := range []string{`"type":"http"`, `"type":"https"`, `"type":"mqtt"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}
