package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// dialTimeout bounds the connecting; a command itself may take its time.
const dialTimeout = 5 * time.Second

// send posts the call to the broker and returns its answer, as text unless the
// call asks for JSON. All words travel in the body: they may be secrets, which
// have no place in an access log, and may hold what a path cannot.
func send(o options, words []string, bold bool) (*http.Response, error) {
	base, where := "http://localhost", o.socket
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, DisableKeepAlives: true}
	if o.url != "" {
		base, where = strings.TrimRight(o.url, "/"), o.url
		if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("--url %s is not of the form http://HOST:PORT", o.url)
		}
	} else {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", o.socket)
		}
	}
	tokens := make([]string, len(words))
	for i, w := range words {
		tokens[i] = url.QueryEscape(w)
	}
	req, err := http.NewRequest(http.MethodPost, base+"/api/v1/", strings.NewReader(strings.Join(tokens, "&")))
	if err != nil {
		return nil, fmt.Errorf("--url %s: %w", o.url, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "text/plain")
	if bold {
		req.Header.Set("Accept", "text/plain;style=bold")
	}
	if o.url != "" && o.key != "" {
		req.Header.Set("X-Api-Key", o.key)
	}
	client := http.Client{
		Transport: transport,
		// A redirect would carry the key to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, explain(where, err)
	}
	return resp, nil
}

// explain says what an operator can do about a broker that cannot be reached.
func explain(where string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		hint = "; is it running, and is this its address? (--socket PATH or --url URL)"
	case errors.Is(err, fs.ErrPermission):
		hint = "; run this as the broker's user or a member of its group"
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("cannot reach the broker at %s: %w%s", where, err, hint)
}
