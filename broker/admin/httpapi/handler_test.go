package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixture is a handler over a small registry with one key per scope given.
func fixture(t *testing.T, changed *int) Options {
	t.Helper()
	reg := admin.NewRegistry()
	table := func(_ context.Context, c *admin.Call) (admin.Result, error) {
		v, _ := c.Flag("client_id")
		return admin.Table{Columns: []string{"path", "id"}, Rows: [][]any{{c.Command.Path, v}}}, nil
	}
	err := reg.Add(
		admin.Command{Path: "session show", Doc: "d", Run: table, Flags: []admin.Flag{{Name: "client_id", Kind: admin.FlagOptional}}},
		admin.Command{Path: "cluster show", Doc: "d", Run: table},
		admin.Command{Path: "set", Doc: "d", FreeArgs: true, Changes: true, Run: func(_ context.Context, c *admin.Call) (admin.Result, error) {
			*changed++
			return admin.Text(fmt.Sprint(c.Keys, c.Args)), nil
		}},
		admin.Command{Path: "fail", Doc: "d", Run: func(context.Context, *admin.Call) (admin.Result, error) {
			return nil, errors.New("it failed")
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := admin.OpenKeys(filepath.Join(t.TempDir(), "k"), admin.KeysConfig{}, rand.Reader)
	if err == nil {
		err = keys.Add(now, "good", []string{"mgmt"}, time.Time{})
	}
	if err == nil {
		err = keys.Add(now, "old", []string{"mgmt"}, now.Add(time.Second))
	}
	if err == nil {
		err = keys.Add(now, "other", []string{"metrics"}, time.Time{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return Options{Registry: reg, Keys: keys, Modules: DefaultModules(), Now: func() time.Time { return now.Add(time.Minute) }}
}

func do(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestCommand_Answers(t *testing.T) {
	var n int
	h := NewLocal(fixture(t, &n))
	f := func(target string, status int, want string) {
		t.Helper()
		w := do(h, "GET", target)
		if got := strings.TrimSpace(w.Body.String()); w.Code != status || !strings.Contains(got, want) || !json.Valid([]byte(got)) {
			t.Errorf("%s:\n got %d %s\nwant %d %s", target, w.Code, got, status, want)
		}
	}
	f("/api/v1/session/show?--client_id=a%26b", 200, `{"type":"table","table":[{"path":"session show","id":"a&b"}]}`)
	f("/api/v1/sessions?--client_id", 200, `"path":"session show"`)
	f("/api/v1/sessions/show", 200, `"path":"session show"`)
	f("/api/v1/cluster", 200, `"path":"cluster show"`)
	f("/api/v1/set?b=2&a=1+1", 200, `{"type":"text","text":"[b a] map[a:1 1 b:2]"}`)
	f("/api/v1/fail", 200, `{"type":"alert","alert":["it failed"]}`)
	f("/api/v1/session/shwo", 400, `{"type":"alert","alert":["usage: unknown command \"session shwo\", did you mean \"show\"?"]}`)
	f("/api/v1/", 400, "no command given")
	f("/api/v1/?--help", 200, "session show")
	f("/api/v1/set?a=%zz", 400, "%zz")
	f("/health", 200, `{"status":"OK"}`)
}

func TestCommand_PlainText(t *testing.T) {
	var n int
	h := NewLocal(fixture(t, &n))
	w := do(h, "GET", "/api/v1/cluster/show", "Accept", "text/plain;style=bold")
	if got := w.Body.String(); !strings.Contains(got, "| \x1b[1mpath\x1b[0m") || w.Header().Get("X-LuneMQ-Result") != "table" {
		t.Errorf("got %q", got)
	}
	w = do(h, "GET", "/api/v1/cluster/show?--format=json", "Accept", "text/plain")
	if got := w.Body.String(); !strings.HasPrefix(got, `{"type":"table"`) {
		t.Errorf("--format=json: got %q", got)
	}
}

func TestCommand_Methods(t *testing.T) {
	var n int
	h := NewLocal(fixture(t, &n))
	post := func(contentType, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/api/v1/set?a=1", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := post("application/x-www-form-urlencoded", "b=2"); w.Code != 200 || !strings.Contains(w.Body.String(), "[a b]") {
		t.Errorf("POST of a form: got %d %s", w.Code, w.Body)
	}
	if w := post("application/json", "{}"); w.Code != 400 {
		t.Errorf("POST of JSON: got %d", w.Code)
	}
	if w := post("application/x-www-form-urlencoded", strings.Repeat("x", maxBody+1)); w.Code != 400 {
		t.Errorf("POST of too much: got %d", w.Code)
	}
	if w := do(h, "DELETE", "/api/v1/set"); w.Code != 405 || w.Header().Get("Allow") == "" {
		t.Errorf("DELETE: got %d", w.Code)
	}
	before := n
	if w := do(h, "HEAD", "/api/v1/set?a=1"); w.Code != 405 || n != before {
		t.Errorf("HEAD of a change: got %d, %d changes", w.Code, n-before)
	}
}

func TestAuth(t *testing.T) {
	var n int
	h := New(fixture(t, &n))
	basic := func(key string) []string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(key, "")
		return []string{"Authorization", r.Header.Get("Authorization")}
	}
	for name, c := range map[string]struct {
		header []string
		want   int
	}{
		"none":        {nil, 401},
		"header":      {[]string{"X-Api-Key", "good"}, 200},
		"basic":       {basic("good"), 200},
		"unknown":     {[]string{"X-Api-Key", "bad"}, 401},
		"empty":       {basic(""), 401},
		"expired":     {[]string{"X-Api-Key", "old"}, 401},
		"wrong scope": {[]string{"X-Api-Key", "other"}, 401},
		"bearer":      {[]string{"Authorization", "Bearer good"}, 401},
	} {
		w := do(h, "GET", "/api/v1/cluster/show", c.header...)
		if w.Code != c.want || (c.want == 401) != (w.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, c.want)
		}
	}
	if w := do(h, "GET", "/health/ping"); w.Code != 200 {
		t.Errorf("/health/ping without a key: got %d", w.Code)
	}
	o := fixture(t, &n)
	o.Keys = nil
	if w := do(New(o), "GET", "/api/v1/cluster/show", "X-Api-Key", "good"); w.Code != 401 {
		t.Errorf("without a key store: got %d", w.Code)
	}
}

func TestModules(t *testing.T) {
	var n int
	o := fixture(t, &n)
	o.Status = func() any { return []any{map[string]int{"num_online": 1}} }
	o.Routes = []Route{{"metrics", "/metrics", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "m") })}}
	o.Modules = Modules{"metrics": APIKey, "status": NoAuth}
	h := New(o)
	f := func(target, key string, want int) {
		t.Helper()
		if w := do(h, "GET", target, "X-Api-Key", key); w.Code != want {
			t.Errorf("%s: got %d, want %d", target, w.Code, want)
		}
	}
	f("/api/v1/cluster/show", "good", 404)
	f("/health", "", 404)
	f("/metrics", "good", 401)
	f("/metrics", "other", 200)
	f("/status.json", "", 200)
	f("/", "", 404)
	for name, want := range map[string]string{"vmq_http_mgmt_api": "mgmt", "mgmt": "mgmt", "vmq_http_pub": "httppub", "http_v2_api": "api2", "health": "health"} {
		if got, ok := ModuleByName(name); got != want || !ok {
			t.Errorf("ModuleByName(%s): got %q, want %q", name, got, want)
		}
	}
	if _, ok := ModuleByName("vmq_web_ui"); ok {
		t.Error("vmq_web_ui is known")
	}
	if DefaultMode("mgmt") != APIKey || DefaultMode("httppub") != APIKey || DefaultMode("health") != NoAuth {
		t.Error("default modes are wrong")
	}
}

func TestCrossOrigin(t *testing.T) {
	var n int
	o := fixture(t, &n)
	keyed := New(o)
	o.Modules = Modules{"mgmt": NoAuth}
	open := New(o)
	f := func(h http.Handler, want int, header ...string) {
		t.Helper()
		if w := do(h, "GET", "http://host/api/v1/set?a=1", header...); w.Code != want {
			t.Errorf("%v: got %d, want %d", header, w.Code, want)
		}
	}
	f(open, 200)
	f(open, 200, "Sec-Fetch-Site", "same-origin")
	f(open, 200, "Origin", "http://host")
	f(open, 403, "Sec-Fetch-Site", "cross-site")
	f(open, 403, "Origin", "http://evil")
	f(open, 403, "Origin", "null")
	f(keyed, 200, "Origin", "http://ui", "X-Api-Key", "good")
	w := do(keyed, "OPTIONS", "/api/v1/set", "Origin", "http://ui", "Access-Control-Request-Method", "POST")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "x-api-key") ||
		w.Header().Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("preflight: got %d %v", w.Code, w.Header())
	}
	w = do(open, "OPTIONS", "/api/v1/set")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight without keys: got %d %v", w.Code, w.Header())
	}
}

func TestHealth(t *testing.T) {
	var n int
	o := fixture(t, &n)
	var notReady, down []string
	o.Health = Health{Ready: func() []string { return notReady }, Listeners: func() []string { return down }}
	h := New(o)
	f := func(path string, status int, want string) {
		t.Helper()
		if w := do(h, "GET", path); w.Code != status || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s: got %d %s, want %d %s", path, w.Code, w.Body, status, want)
		}
	}
	const ok = `{"status":"OK"}`
	f("/health", 200, ok)
	notReady = []string{"store is loading"}
	f("/health", 503, `{"reasons":["store is loading"],"status":"DOWN"}`)
	f("/health/ready", 503, `{"reasons":["store is loading"],"status":"DOWN"}`)
	f("/health/listeners", 200, ok)
	f("/health/ping", 200, ok)
	notReady, down = nil, []string{"tcp.default is stopped"}
	f("/health", 503, `{"reasons":["tcp.default is stopped"],"status":"DOWN"}`)
	f("/health/ready", 200, ok)
	f("/health/listeners", 503, `{"reasons":["tcp.default is stopped"],"status":"DOWN"}`)
}
