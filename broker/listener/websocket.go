package listener

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gobwas/ws"
)

// WebSocket is what a listener that speaks WebSocket is told. All of it can
// change while the listener runs, for connections that come then.
type WebSocket struct {
	Origins []string `key:"allowed_origins" reload:"live" doc:"Origins of web pages that may connect, such as https://example.org, with commas between. Absent: all. Clients that are no browsers send none and may connect."`
	Forwarded
	RequestLimits
	// MaxFrame is of all listeners together, in bytes.
	MaxFrame int64
}

// RequestLimits bound the head of an HTTP request.
type RequestLimits struct {
	Line  int `key:"max_request_line_length" default:"8000" range:"64..1048576" unit:"bytes" reload:"restart" doc:"Longest request line that HTTP and WebSocket clients may send."`
	Value int `key:"max_header_value_length" default:"4096" range:"64..1048576" unit:"bytes" reload:"restart" doc:"Longest value of a header that HTTP and WebSocket clients may send."`
}

// Further limits of a request's head, which need no key.
const (
	maxHeaders    = 100
	maxHeaderName = 256 // bytes
)

// webSocketPath is fixed, as VerneMQ has it.
const webSocketPath = "/mqtt"

// subprotocols by which clients name MQTT. The version is in CONNECT.
var subprotocols = []string{"mqtt", "mqttv3.1"}

// upgrade takes a client's request to speak WebSocket. Compression is not
// offered.
//
// timeout counts from when the client could begin to speak.
//
// Spec: RFC 6455 §4.2; MQTT 5.0 §6 [MQTT-6.0.0-3] [MQTT-6.0.0-4].
func (e *entry) upgrade(o *WebSocket, timeout time.Duration) error {
	r := &request{Conn: e.conn, limits: o.RequestLimits}
	offered := ""
	u := ws.Upgrader{
		OnRequest: func(uri []byte) error {
			if path, _, _ := strings.Cut(string(uri), "?"); path != webSocketPath {
				return reject(http.StatusNotFound, fmt.Sprintf("nothing at %.100q; MQTT is at %s", path, webSocketPath))
			}
			return nil
		},
		OnHeader: func(key, value []byte) error {
			r.note(o, string(key), string(value))
			return nil
		},
		Protocol: func(name []byte) bool {
			if slices.Contains(subprotocols, string(name)) {
				offered = string(name)
			}
			return offered != ""
		},
		OnBeforeUpgrade: func() (ws.HandshakeHeader, error) {
			if offered == "" {
				return nil, reject(http.StatusBadRequest, "no subprotocol among mqtt and mqttv3.1 is offered")
			}
			return nil, e.judge(o, r)
		},
	}
	e.deadline(e.peer.Since.Add(timeout))
	if _, err := u.Upgrade(r); err != nil {
		r.complain(err)
		if e.limit != Admitted {
			return e.limit
		}
		return fmt.Errorf("websocket: %w", err)
	}
	e.conn = newWSConn(e.conn, r.rest, o.MaxFrame)
	return nil
}

// judge decides by a request's headers whether it may be upgraded, and takes
// over what a trusted proxy says of the client.
func (e *entry) judge(o *WebSocket, r *request) error {
	allowed := func(origin string) bool { return strings.EqualFold(origin, r.origin) }
	if len(o.Origins) > 0 && r.origin != "" && !slices.ContainsFunc(o.Origins, allowed) {
		return reject(http.StatusForbidden, fmt.Sprintf("origin %.100q is not among allowed_origins", r.origin))
	}
	if !o.On {
		return nil
	}
	if !o.trusts(e.peer.Remote.Addr()) {
		return reject(http.StatusForbidden, "the connection does not come from a trusted proxy (proxy_xff_trusted_intermediate)")
	}
	if o.UseName && len(r.names) > 0 {
		if len(r.names) > 1 || r.names[0] == "" {
			return reject(http.StatusBadRequest, fmt.Sprintf("header %s is empty or there twice", o.NameHeader))
		}
		e.peer.Identity = r.names[0]
	}
	if len(r.forwarded) == 0 {
		return nil // the proxy speaks for itself
	}
	from, ok := client(r.forwarded)
	if !ok {
		return reject(http.StatusBadRequest, fmt.Sprintf("X-Forwarded-For: %.100q does not begin with an address", r.forwarded[0]))
	}
	if e.rename(from) != Admitted {
		return reject(http.StatusServiceUnavailable, e.limit.Error())
	}
	return nil
}

func reject(status int, why string) error {
	return ws.RejectConnectionError(ws.RejectionStatus(status), ws.RejectionReason(why))
}

// request is the head of an HTTP request: it is read to its end and no further,
// within limits, and what matters of it is noted.
type request struct {
	net.Conn
	limits RequestLimits
	rest   []byte // came behind the head

	origin           string
	forwarded, names []string

	line   int  // number of the present one; 0 is the request line
	length int  // of the line, or of the part of it that is bounded, in bytes
	value  bool // behind a header's colon
	done   bool
	wrote  bool
}

// errTooLong is the cause of a refusal with 414 or 431.
type errTooLong struct{ status int }

// Error implements error.
func (e errTooLong) Error() string { return http.StatusText(e.status) }

// note remembers a header.
func (r *request) note(o *WebSocket, key, value string) {
	switch {
	case strings.EqualFold(key, "Origin"):
		r.origin = value
	case strings.EqualFold(key, "X-Forwarded-For"):
		r.forwarded = append(r.forwarded, value)
	}
	if strings.EqualFold(key, o.NameHeader) {
		r.names = append(r.names, value)
	}
}

// Read returns bytes of the head only.
func (r *request) Read(p []byte) (int, error) {
	if r.done {
		return 0, io.EOF
	}
	n, err := r.Conn.Read(p)
	for i, b := range p[:n] {
		if err := r.scan(b); err != nil {
			return 0, err
		}
		if r.done {
			r.rest = slices.Clone(p[i+1 : n])
			return i + 1, nil
		}
	}
	return n, err
}

// scan looks at one byte.
func (r *request) scan(b byte) error {
	switch {
	case b == '\n':
		r.done = r.line > 0 && r.length == 0 && !r.value
		r.line++
		r.length, r.value = 0, false
		if r.line > maxHeaders {
			return errTooLong{http.StatusRequestHeaderFieldsTooLarge}
		}
		return nil
	case b == '\r':
		return nil
	case b == ':' && r.line > 0 && !r.value:
		r.value, r.length = true, 0
		return nil
	case r.value && r.length == 0 && (b == ' ' || b == '\t'):
		return nil
	}
	r.length++
	switch {
	case r.line == 0 && r.length > r.limits.Line:
		return errTooLong{http.StatusRequestURITooLong}
	case r.value && r.length > r.limits.Value, r.line > 0 && !r.value && r.length > maxHeaderName:
		return errTooLong{http.StatusRequestHeaderFieldsTooLarge}
	}
	return nil
}

// Write notes that there is an answer.
func (r *request) Write(p []byte) (int, error) {
	r.wrote = true
	return r.Conn.Write(p)
}

// complain answers a request that was refused before anybody else could.
func (r *request) complain(err error) {
	status := http.StatusBadRequest
	var long errTooLong
	switch {
	case r.wrote || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed):
		return
	case errors.As(err, &long):
		status = long.status
	}
	_, _ = fmt.Fprintf(r.Conn, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status, http.StatusText(status))
}

// Spec returns what Open needs for the listener of this name. Limits and
// callbacks are the caller's to add.
func (s WS) Spec(name string) Spec {
	spec := s.Client.spec("ws."+name, "mqttws", s.Address)
	spec.WebSocket, spec.Proxy = &s.WebSocket, s.Proxy
	return spec
}

// Spec returns what Open needs for the listener of this name. Limits and
// callbacks are the caller's to add.
func (s WSS) Spec(name string) Spec {
	spec := s.Client.spec("wss."+name, "mqttwss", s.Address)
	spec.TLS, spec.Identity, spec.WebSocket, spec.Proxy = &s.TLS, s.Identity, &s.WebSocket, s.Proxy
	return spec
}
