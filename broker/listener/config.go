package listener

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

// Config is what the configuration says about all doors. A listener exists
// when a line gives its address.
type Config struct {
	_ struct{} `doc:"Listeners"`

	// ConnectTimeout is how long a connection may take to send a whole CONNECT.
	ConnectTimeout time.Duration `key:"mqtt_connect_timeout" default:"5000" unit:"ms" range:"1.." reload:"live" doc:"Time within which CONNECT must be complete, from when the connection was accepted."`
	// MaxTotal and MaxPerIP limit what Limits admits; 0 is unlimited.
	MaxTotal int `key:"global_max_connections" default:"0" range:"0.." words:"infinity=0" reload:"live" doc:"Client connections of all listeners together. Further ones are closed at once. 0 is unlimited."`
	MaxPerIP int `key:"max_connections_per_ip" default:"0" range:"0.." words:"infinity=0" reload:"live" doc:"Client connections from one IP address. Further ones are closed at once. 0 is unlimited."`

	// MaxFrame is of each WebSocket frame.
	MaxFrame value.ByteSize `key:"max_ws_frame_size" default:"268435456" range:"1.." reload:"live" doc:"Longest payload of a WebSocket frame. A packet may be sent in several."`
	// MaxHandshakes is for NewGate.
	MaxHandshakes int `key:"max_tls_handshakes" default:"0" range:"0.." reload:"restart" doc:"TLS handshakes in progress at a time; further ones wait. 0 is 64 for each CPU."`
	// Refresh is how often the files of TLS are looked at, CRLs among them.
	Refresh time.Duration `key:"crl_refresh_interval" default:"60000" unit:"ms" range:"0.." reload:"live" doc:"How often certificates, keys and lists of revoked certificates are looked at for changes. 0 = only when the configuration is reloaded."`

	TCP map[string]TCP `key:"listener.tcp.NAME" inherit:"true" port:"1883" reload:"restart" doc:"MQTT over TCP or a Unix socket." example:"default=127.0.0.1:1883"`
	SSL map[string]SSL `key:"listener.ssl.NAME" inherit:"true" port:"8883" reload:"restart" doc:"MQTT over TLS."`
	WS  map[string]WS  `key:"listener.ws.NAME" inherit:"true" port:"8080" reload:"restart" doc:"MQTT over WebSocket, at the path /mqtt."`
	WSS map[string]WSS `key:"listener.wss.NAME" inherit:"true" port:"8443" reload:"restart" doc:"MQTT over WebSocket over TLS, at the path /mqtt."`

	HTTP  map[string]HTTP  `key:"listener.http.NAME" inherit:"true" port:"8888" reload:"restart" doc:"Administration, health and metrics over HTTP." example:"default=127.0.0.1:8888"`
	HTTPS map[string]HTTPS `key:"listener.https.NAME" inherit:"true" port:"8889" reload:"restart" doc:"The same over TLS."`
	// HTTPModules and HTTPAuth are for HTTP listeners that say nothing else.
	HTTPModules []string              `key:"http_modules" native:"true" default:"metrics_http,http_mgmt_api,status_http,health_http,http_v2_api" enum:"metrics_http,http_mgmt_api,status_http,health_http,http_v2_api" reload:"restart" doc:"What HTTP listeners serve."`
	HTTPAuth    map[string]HTTPModule `key:"http_module.MODULE" native:"true" names:"metrics_http,http_mgmt_api,mgmt_api,status_http,health_http,http_v2_api,v2_api,http_pub,pub" reload:"restart"`
}

// TCP is one listener.tcp.NAME.
type TCP struct {
	Address value.Address `key:"" doc:"HOST:PORT, or local:/PATH:0 for a Unix socket. Port 0 lets the system choose."`
	Client
	Proxy
}

// SSL is one listener.ssl.NAME.
type SSL struct {
	Address value.Address `key:"" doc:"HOST:PORT, or local:/PATH:0 for a Unix socket. Port 0 lets the system choose."`
	Client
	Proxy
	TLS
	Identity bool `key:"use_identity_as_username" default:"off" reload:"live" doc:"The common name of the client's certificate is its username, whatever CONNECT says. Plugins are asked all the same."`
}

// WS is one listener.ws.NAME.
type WS struct {
	Address value.Address `key:"" doc:"HOST:PORT, or local:/PATH:0 for a Unix socket. Port 0 lets the system choose."`
	Client
	Proxy
	WebSocket
}

// WSS is one listener.wss.NAME.
type WSS struct {
	Address value.Address `key:"" doc:"HOST:PORT, or local:/PATH:0 for a Unix socket. Port 0 lets the system choose."`
	Client
	Proxy
	TLS
	Identity bool `key:"use_identity_as_username" default:"off" reload:"live" doc:"The common name of the client's certificate is its username, whatever CONNECT says. Plugins are asked all the same."`
	WebSocket
}

// Client is what all listeners for MQTT clients have.
type Client struct {
	// MaxConnections of 0 is unlimited.
	MaxConnections int           `key:"max_connections" default:"10000" range:"0.." words:"infinity=0" reload:"live" doc:"Connections at a time. Further ones wait, not yet accepted."`
	Lifetime       time.Duration `key:"max_connection_lifetime" default:"0" unit:"s" range:"0.." doc:"Ends connections that have lasted longer. 0 is unlimited."`
	Mountpoint     Mountpoint    `key:"mountpoint" default:"off" doc:"Prefix of all topics. Clients of different mountpoints do not see each other."`
	// Versions are protocol level bytes; 131 and 132 are 3 and 4 of bridges.
	Versions  []int `key:"allowed_protocol_versions" default:"3,4,5,131" enum:"3,4,5,131,132" doc:"3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0; 131 and 132 are bridges that speak 3.1 and 3.1.1."`
	Anonymous bool  `key:"allow_anonymous_override" default:"off" doc:"Lets clients of this listener in without asking any plugin."`
	// AuthPlugins and AuthzPlugins are nil when the global order is in force.
	AuthPlugins  []string `key:"auth_plugins" native:"true" doc:"Plugins that decide who may connect, in this order. Absent: all."`
	AuthzPlugins []string `key:"authz_plugins" native:"true" doc:"Plugins that decide about topics, in this order. Absent: all."`
	Forward      bool     `key:"forward_connection_opts" default:"off" doc:"Tells plugins the listener and the peer's certificate."`
	Buffers      Buffers  `key:"buffer_sizes" doc:"SEND,RECEIVE,USER: bytes of the socket's buffers. USER has no effect. Absent: the system chooses."`
}

// spec is the part of a Spec that all listeners for clients have.
func (c *Client) spec(name, kind string, a value.Address) Spec {
	return Spec{Name: name, Type: kind, Address: a, MaxConnections: c.MaxConnections, Buffers: c.Buffers}
}

// HTTP is one listener.http.NAME. It is served by whoever serves HTTP.
type HTTP struct {
	Address value.Address `key:"" doc:"HOST:PORT, or local:/PATH:0 for a Unix socket."`
	// MaxConnections of 0 is unlimited.
	MaxConnections int `key:"max_connections" default:"10000" range:"0.." words:"infinity=0" reload:"live" doc:"Connections at a time. Further ones wait, not yet accepted."`
	Proxy
	RequestLimits
	// Modules is nil when the global list is in force.
	Modules []string `key:"http_modules" native:"true" enum:"metrics_http,http_mgmt_api,status_http,health_http,http_v2_api" doc:"What is served. Absent: the global list."`
	// Auth is by native module name; a module without entry has the global mode.
	Auth map[string]HTTPModule `key:"http_module.MODULE" native:"true" names:"metrics_http,http_mgmt_api,mgmt_api,status_http,health_http,http_v2_api,v2_api,http_pub,pub"`
}

// HTTPModule is what a listener says about one of its modules.
type HTTPModule struct {
	// Auth is "" when the global mode is in force.
	Auth string `key:"auth.mode" enum:"noauth,apikey" doc:"Who may call. Absent: as for all listeners."`
}

// spec is the part of a Spec that HTTP and HTTPS share.
func (h *HTTP) spec(name, kind string) Spec {
	return Spec{Name: name, Type: kind, Address: h.Address, MaxConnections: h.MaxConnections, Proxy: h.Proxy}
}

// HTTPS is one listener.https.NAME.
type HTTPS struct {
	HTTP
	TLS
}

// Mountpoint is a mountpoint; "" is none, written off.
type Mountpoint string

// UnmarshalText parses the written form; empty text is none too.
func (m *Mountpoint) UnmarshalText(text []byte) error {
	if *m = Mountpoint(text); *m == "off" {
		*m = ""
	}
	return nil
}

// MarshalText returns the written form.
func (m Mountpoint) MarshalText() ([]byte, error) {
	if m == "" {
		return []byte("off"), nil
	}
	return []byte(m), nil
}

// Buffers are the sizes of a socket's buffers in bytes; 0 is the system's
// choice. Written SEND,RECEIVE,USER, where USER has no effect.
type Buffers struct{ Send, Receive, User int }

// UnmarshalText parses the written form; empty text is the zero value.
func (b *Buffers) UnmarshalText(text []byte) error {
	s := strings.TrimSuffix(strings.TrimPrefix(string(text), "["), "]")
	if s == "" {
		*b = Buffers{}
		return nil
	}
	parts := strings.Split(s, ",")
	var n [3]int
	for i, part := range parts {
		v, err := strconv.ParseUint(strings.TrimSpace(part), 10, 31)
		if err != nil || len(parts) != len(n) {
			return fmt.Errorf("listener: %q are not the sizes of three buffers; accepted: SEND,RECEIVE,USER in bytes", text)
		}
		n[i] = int(v)
	}
	*b = Buffers{Send: n[0], Receive: n[1], User: n[2]}
	return nil
}

// MarshalText returns the written form.
func (b Buffers) MarshalText() ([]byte, error) {
	if b == (Buffers{}) {
		return nil, nil
	}
	return fmt.Appendf(nil, "%d,%d,%d", b.Send, b.Receive, b.User), nil
}
