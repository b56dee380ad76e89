package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/listener/certtest"
)

// TestServe_HTTPLimits: PROXY headers, and limits of requests.
func TestServe_HTTPLimits(t *testing.T) {
	r := serveWith(t, quickstart, append(anyPort, "acl.acl_file=../../conf/quickstart.acl", "listener.http.p=127.0.0.1:0", "listener.http.p.proxy_protocol=on",
		"listener.http.p.max_request_line_length=100", "listener.http.p.max_header_value_length=100")...)
	const get = "GET /health/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	for text, want := range map[string]string{
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + get + "\r\n":                                          "HTTP/1.1 200",
		"PROXY UNKNOWN\r\n" + get + "X-Long: " + strings.Repeat("x", 101) + "\r\n\r\n":                   "HTTP/1.1 431",
		"PROXY UNKNOWN\r\n" + strings.Replace(get, "ping", "ping?"+strings.Repeat("x", 100), 1) + "\r\n": "HTTP/1.1 414",
		get + "\r\n": "",
	} {
		nc, err := net.Dial("tcp", r.ready["http.p"])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = nc.Write([]byte(text))
		answer, _ := io.ReadAll(nc)
		nc.Close()
		if got := string(answer); want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%.60q: got %q, want %q", text, got, want)
		}
	}
}

// TestListenerStart_HTTP: a listener for HTTP that is opened, and removed,
// while the broker runs.
func TestListenerStart_HTTP(t *testing.T) {
	r := serveWith(t, quickstart, append(anyPort, "acl.acl_file=../../conf/quickstart.acl")...)
	if got := r.admin("listener/start?address=127.0.0.1&port=0&--http&--http_modules=vmq_metrics_http"); !strings.Contains(got, "not built yet") {
		t.Error(got)
	}
	if got := r.admin("listener/start?address=127.0.0.1&port=0&--http&--http_modules=vmq_health_http"); !strings.Contains(got, "Done") {
		t.Fatal(got)
	}
	var shown struct {
		Table []struct {
			Type string
			Port int
		}
	}
	if err := json.Unmarshal([]byte(r.admin("listener/show")), &shown); err != nil || len(shown.Table) != 3 || shown.Table[2].Type != "http" {
		t.Fatal(shown, err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", shown.Table[2].Port)
	for path, want := range map[string]int{"/health": http.StatusOK, "/api/v1/listener/show": http.StatusNotFound} {
		resp, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	at := strings.Replace("?address=127.0.0.1&port=PORT", "PORT", strings.TrimPrefix(addr, "127.0.0.1:"), 1)
	for _, command := range []string{"listener/stop", "listener/restart", "listener/stop", "listener/delete"} {
		if got := r.admin(command + at); !strings.Contains(got, "Done") {
			t.Error(command, got)
		}
	}
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("the deleted listener answers")
	}
	r.end(0)
	if strings.Contains(r.log.String(), "http listener ended") {
		t.Error(r.log)
	}
}

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
