package lualib

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

var httpRequest = []Param{
	{"pool_id", "string", "a pool"}, {"url", "string", "http://... or https://..."},
	{"body", "string|table?", "what is sent; a table is sent as a form"}, {"headers", "table?", "values by name"},
}

func httpFunction(name string) Function {
	return Function{Name: name, Params: httpRequest, Returns: "table|boolean",
		Doc: "Sends a " + strings.ToUpper(name) + " request and returns {status, headers, ref}, or false if the server could not be reached. A body longer than script.http_max_response is an error."}
}

var httpModule = Module{
	Name: "http", Waits: true, Doc: "Talks to HTTP servers. Certificates are verified; redirects are followed as far as script.http_max_redirects permits.",
	Functions: []Function{
		{Name: "ensure_pool", Params: []Param{{"options", "table", "pool_id (pool_http) and size (10): connections per server"}}, Returns: "boolean", Doc: "Makes a pool of connections."},
		httpFunction("get"), httpFunction("put"), httpFunction("post"), httpFunction("delete"),
		{Name: "body", Params: []Param{{"ref", "string", "ref of an answer"}}, Returns: "string", Doc: "Returns the body of an answer."},
	},
	open: func(b *binding) map[string]lua.LGFunction {
		f := map[string]lua.LGFunction{
			"ensure_pool": b.httpEnsure,
			"body": func(L *lua.LState) int {
				L.Push(L.Get(1)) // ref is the body
				return 1
			},
		}
		for _, name := range []string{"get", "put", "post", "delete"} {
			f[name] = func(L *lua.LState) int { return b.httpDo(L, "http."+name, strings.ToUpper(name)) }
		}
		return f
	},
}

type httpOptions struct{ size, redirects int }

// httpPool is connections to any number of servers.
type httpPool struct{ client *http.Client }

// Close ends idle connections.
func (p *httpPool) Close() { p.client.CloseIdleConnections() }

func newHTTPPool(o httpOptions) (*httpPool, error) {
	return &httpPool{&http.Client{
		Transport: &http.Transport{
			DialContext: new(Dialers).DialContext, MaxConnsPerHost: o.size, MaxIdleConnsPerHost: o.size, MaxIdleConns: 10 * o.size,
			IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > o.redirects {
				return fmt.Errorf("more than %d redirects", o.redirects)
			}
			return nil
		},
	}}, nil
}

func (b *binding) httpEnsure(L *lua.LState) int {
	o := ReadOptions(L, b.state, "http.ensure_pool")
	name, size := o.Pool("pool_http", 10)
	o.Done()
	if err := b.http.Ensure(name, httpOptions{size, b.Config.httpRedirects()}, newHTTPPool); err != nil {
		L.RaiseError("http.ensure_pool: %s", err.Error())
	}
	L.Push(lua.LTrue)
	return 1
}

// httpDo sends a request. What the caller got wrong raises an error, what the
// network does is logged and gives false.
func (b *binding) httpDo(L *lua.LState, what, method string) int {
	pool, release, err := b.http.Use(text(L, 1))
	if err != nil {
		L.RaiseError("%s: %s", what, err.Error())
	}
	defer release()
	ctx, cancel := b.state.Context()
	defer cancel()
	r := b.httpRequest(L, ctx, what, method)
	answer, err := pool.client.Do(r)
	if err != nil {
		var of *url.Error // whose text has the whole address, perhaps with secrets
		if errors.As(err, &of) {
			err = of.Err
		}
		b.Log.Warn("a request of the script failed", "script", b.script, "method", method, "host", r.URL.Host, "error", err)
		L.Push(lua.LFalse)
		return 1
	}
	defer answer.Body.Close()
	body, ok := b.httpBody(L, what, answer)
	if !ok {
		L.Push(lua.LFalse)
		return 1
	}
	t := NewTable(L, b.state, 0, 3)
	t.RawSetString("status", lua.LNumber(answer.StatusCode))
	headers := NewTable(L, b.state, 0, len(answer.Header))
	for name, values := range answer.Header {
		headers.RawSetString(name, Text(L, b.state, strings.Join(values, ", ")))
	}
	t.RawSetString("headers", headers)
	t.RawSetString("ref", body)
	L.Push(t)
	return 1
}

// What parts of a request cost, in bytes for each of their own: a URL is taken
// apart and put together, a header is encoded.
const (
	costURL    = 4
	costHeader = 4
)

func (b *binding) httpRequest(L *lua.LState, ctx context.Context, what, method string) *http.Request {
	var body io.Reader
	form := false
	switch x := L.Get(3).(type) {
	case *lua.LTable:
		w := buffer{L: L, s: b.state}
		w.form(Copy(L, b.state, what+": body", x).(*Table))
		body, form = bytes.NewReader(w.b), true
	case lua.LString, lua.LNumber:
		body = strings.NewReader(x.String())
	}
	b.state.Charge(L, costURL*len(text(L, 2)))
	r, err := http.NewRequestWithContext(ctx, method, text(L, 2), body)
	if err != nil || r.URL.Scheme != "http" && r.URL.Scheme != "https" || r.URL.Host == "" {
		L.RaiseError("%s: url: want http://... or https://...", what)
	}
	r.Header.Set("User-Agent", "lunemq")
	switch {
	case form:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case body != nil:
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	if t, ok := L.Get(4).(*lua.LTable); ok {
		for _, e := range Copy(L, b.state, what+": headers", t).(*Table).Keys {
			name, v := fmt.Sprint(e.Key), formValue(e.Value)
			b.state.Charge(L, costHeader*(len(name)+len(v)))
			r.Header.Set(name, v)
		}
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	return r
}

// firstRead is what a body of unknown length begins with, in bytes.
const firstRead = 4 << 10

// httpBody reads the body into memory that is charged.
func (b *binding) httpBody(L *lua.LState, what string, answer *http.Response) (lua.LValue, bool) {
	limit := b.Config.httpMaxResponse()
	if answer.ContentLength > int64(limit) {
		L.RaiseError("%s: the answer has %d bytes, script.http_max_response is %d", what, answer.ContentLength, limit)
	}
	w := buffer{L: L, s: b.state}
	w.room(int(max(answer.ContentLength, firstRead)) + 1) // and its end
	for {
		w.room(1)
		n, err := answer.Body.Read(w.b[len(w.b):cap(w.b)])
		w.b = w.b[:len(w.b)+n]
		if len(w.b) > limit {
			L.RaiseError("%s: the answer is longer than script.http_max_response, %d bytes", what, limit)
		}
		if err == io.EOF {
			return w.value(), true
		}
		if err != nil {
			b.Log.Warn("the answer to a request of the script ended early", "script", b.script, "host", answer.Request.URL.Host, "error", err)
			return nil, false
		}
	}
}
