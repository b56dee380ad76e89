package broker

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/listener"
	"github.com/lunemq/lunemq/conf/value"
)

// listenerStartFlags are the flags of listener start. Reference 4.3.
func listenerStartFlags() []admin.Flag {
	val := func(name, doc string) admin.Flag { return admin.Flag{Name: name, Kind: admin.FlagValue, Doc: doc} }
	on := func(name, doc string) admin.Flag { return admin.Flag{Name: name, Kind: admin.FlagBool, Doc: doc} }
	return []admin.Flag{
		{Name: "mountpoint", Short: "m", Kind: admin.FlagValue, Doc: "mountpoint of its clients"},
		val("max_connections", "connections at a time, 10000 unless given, 0 = unlimited"),
		val("nr_of_acceptors", "accepted and not needed"),
		val("allowed_protocol_versions", "level bytes separated by commas, 3,4,5,131 unless given"),
		on("allow_anonymous_override", "let clients in without asking plugins"),
		val("auth_plugins", "plugins that decide who may connect, in order"),
		val("authz_plugins", "plugins that decide about topics, in order"),
		on("forward_connection_opts", "tell plugins the listener and the certificate"),
		on("proxy_protocol", "demand a PROXY header, version 1 or 2"),
		on("proxy_protocol_use_cn_as_username", "the name in that header is the username; true unless given"),
		on("http", "serve HTTP instead of MQTT"),
		on("https", "as --http --ssl"),
		val("http_modules", "what HTTP serves, separated by commas, as http_modules says unless given"),
		val("config_mod", "accepted as vmq_http_config; --http_modules says what is served"),
		val("config_fun", "accepted as config; --http_modules says what is served"),
		on("websocket", "speak WebSocket, at the path /mqtt"),
		val("allowed_origins", "origins of web pages that may connect, separated by commas"),
		on("proxy_xff_support", "take the client's address from X-Forwarded-For"),
		val("proxy_xff_trusted_intermediate", "trusted proxies, with semicolons between"),
		on("proxy_xff_use_cn_as_username", "take the username from a header of the proxy"),
		val("proxy_xff_cn_header", "that header, x-ssl-client-cn unless given"),
		on("ssl", "speak TLS"),
		val("cafile", "authorities that sign clients' certificates"),
		val("certfile", "certificate of the broker"),
		val("keyfile", "key of certfile"),
		val("keypasswd", "password of keyfile"),
		val("depth", "intermediate authorities between client and cafile, 1 unless given"),
		val("ciphers", "cipher suites by OpenSSL's names, with colons between"),
		val("eccs", "curves, separated by commas"),
		val("crlfile", "lists of revoked certificates"),
		val("tls_version", "versions separated by commas, tlsv1.2,tlsv1.3 unless given"),
		val("tls_handshake_timeout", "milliseconds, 5000 unless given"),
		on("require_certificate", "let in only clients with a certificate"),
		on("use_identity_as_username", "the certificate's common name is the username"),
		on("psk_support", "refused: Go's TLS has no pre-shared keys"),
		val("pskfile", "accepted and not needed"),
	}
}

// startKind is what listener start opens.
type startKind struct{ web, secure, socket bool }

func (b *Broker) listenerStart(c *admin.Call) (admin.Result, error) {
	kind, err := kindFlags(c)
	if err != nil {
		return nil, err
	}
	client, err := clientFlags(c)
	if err != nil {
		return nil, err
	}
	modules, err := moduleFlags(c)
	if err != nil {
		return nil, err
	}
	var a value.Address
	if err := a.UnmarshalText([]byte(net.JoinHostPort(c.Arg("address"), c.Arg("port")))); err != nil {
		return nil, fmt.Errorf("%w: %v", admin.ErrUsage, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	all := listener.Config{Refresh: b.cfg.Listeners.Refresh, ConnectTimeout: b.cfg.Listeners.ConnectTimeout, MaxFrame: b.cfg.Listeners.MaxFrame}
	if err := declare(&all, c, kind, a, client, modules); err != nil {
		return nil, err
	}
	all.CheckConfig(func(_, text, remedy string) { err = fmt.Errorf("%s; %s", text, remedy) })
	if err != nil {
		return nil, err
	}
	select {
	case <-b.stopping:
		return nil, errShutdown
	default:
	}
	if d := all.Declared()[0]; d.HTTP == nil {
		_, err = b.open(d.Spec, client)
	} else {
		_, err = b.openWeb(d.Spec, *d.HTTP, true)
	}
	if err != nil {
		return nil, err
	}
	return admin.Done, nil
}

// webOnly and clientOnly are flags that one kind of listener has.
var (
	webOnly    = []string{"http_modules", "config_mod", "config_fun"}
	clientOnly = []string{"mountpoint", "allowed_protocol_versions", "allow_anonymous_override", "auth_plugins", "authz_plugins", "forward_connection_opts",
		"websocket", "allowed_origins", "proxy_xff_support", "proxy_xff_trusted_intermediate", "proxy_xff_use_cn_as_username", "proxy_xff_cn_header",
		"proxy_protocol_use_cn_as_username", "use_identity_as_username"}
)

// kindFlags says what is to be opened, and refuses flags that would have no
// effect on it.
func kindFlags(c *admin.Call) (k startKind, err error) {
	https := c.Bool("https", false)
	k = startKind{web: https || c.Bool("http", false), secure: https || c.Bool("ssl", false), socket: c.Bool("websocket", false)}
	other, why := webOnly, "a listener for MQTT; add --http or --https"
	if k.web {
		other, why = clientOnly, "a listener for HTTP"
	}
	for _, name := range other {
		if v, given := c.Flag(name); given && v != "false" {
			return k, fmt.Errorf("%w: --%s means nothing to %s", admin.ErrUsage, name, why)
		}
	}
	return k, nil
}

// moduleFlags reads what a listener for HTTP is to serve, nil for what the
// configuration says.
func moduleFlags(c *admin.Call) (modules []string, err error) {
	for flag, only := range map[string]string{"config_mod": "vmq_http_config", "config_fun": "config"} {
		if v, given := c.Flag(flag); given && v != only {
			return nil, fmt.Errorf("%w: --%s=%s would name a function in Erlang, which there is none of; --http_modules says what is served", admin.ErrUsage, flag, v)
		}
	}
	known := listener.ModuleNames()
	for _, name := range native(c.List("http_modules")) {
		switch {
		case slices.Contains(known, name):
			modules = append(modules, name)
		case name == "http_pub" || name == "web_ui":
			return nil, fmt.Errorf("--http_modules: the module %q is not built yet", name)
		default:
			return nil, fmt.Errorf("%w: --http_modules: %q is none of %s", admin.ErrUsage, name, strings.Join(known, ", "))
		}
	}
	return modules, nil
}

// declare adds the listener that the flags describe to a configuration.
func declare(all *listener.Config, c *admin.Call, kind startKind, a value.Address, client listener.Client, modules []string) error {
	name := c.Arg("address") + ":" + c.Arg("port")
	var options listener.TLS
	var socket listener.WebSocket
	var err error
	if kind.secure {
		if options, err = tlsFlags(c); err != nil {
			return err
		}
	}
	if kind.socket {
		if socket, err = webSocketFlags(c); err != nil {
			return err
		}
	}
	proxy := listener.Proxy{Header: c.Bool("proxy_protocol", false), UseName: c.Bool("proxy_protocol_use_cn_as_username", true)}
	identity := c.Bool("use_identity_as_username", false)
	web := listener.HTTP{Address: a, MaxConnections: client.MaxConnections, Proxy: proxy, RequestLimits: listener.RequestLimits{Line: 8000, Value: 4096}, Modules: modules}
	switch {
	case kind.web && kind.secure:
		all.HTTPS = map[string]listener.HTTPS{name: {HTTP: web, TLS: options}}
	case kind.web:
		all.HTTP = map[string]listener.HTTP{name: web}
	case kind.secure && kind.socket:
		all.WSS = map[string]listener.WSS{name: {Address: a, Client: client, Proxy: proxy, TLS: options, Identity: identity, WebSocket: socket}}
	case kind.socket:
		all.WS = map[string]listener.WS{name: {Address: a, Client: client, Proxy: proxy, WebSocket: socket}}
	case kind.secure:
		all.SSL = map[string]listener.SSL{name: {Address: a, Client: client, Proxy: proxy, TLS: options, Identity: identity}}
	default:
		all.TCP = map[string]listener.TCP{name: {Address: a, Client: client, Proxy: proxy}}
	}
	return nil
}

// webSocketFlags reads what a listener that speaks WebSocket has.
func webSocketFlags(c *admin.Call) (o listener.WebSocket, err error) {
	o.Origins, o.Line, o.Value = c.List("allowed_origins"), 8000, 4096
	o.On, o.UseName, o.NameHeader = c.Bool("proxy_xff_support", false), c.Bool("proxy_xff_use_cn_as_username", false), "x-ssl-client-cn"
	if h, given := c.Flag("proxy_xff_cn_header"); given {
		o.NameHeader = h
	}
	list, _ := c.Flag("proxy_xff_trusted_intermediate")
	for proxy := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ';' }) {
		var n listener.Network
		if err := n.UnmarshalText([]byte(strings.TrimSpace(proxy))); err != nil {
			return o, fmt.Errorf("%w: --proxy_xff_trusted_intermediate: %v", admin.ErrUsage, err)
		}
		o.Trusted = append(o.Trusted, n)
	}
	return o, nil
}

// clientFlags reads what all listeners for clients have.
func clientFlags(c *admin.Call) (client listener.Client, err error) {
	client = listener.Client{MaxConnections: 10000, Versions: []int{3, 4, 5, 131}, Anonymous: c.Bool("allow_anonymous_override", false),
		Forward: c.Bool("forward_connection_opts", false)}
	if l := c.List("auth_plugins"); l != nil {
		client.AuthPlugins = native(l)
	}
	if l := c.List("authz_plugins"); l != nil {
		client.AuthzPlugins = native(l)
	}
	if mp, given := c.Flag("mountpoint"); given && mp != "off" {
		client.Mountpoint = listener.Mountpoint(mp)
	}
	if client.MaxConnections, err = c.Int("max_connections", client.MaxConnections, 0); err != nil {
		return client, err
	}
	if list := c.List("allowed_protocol_versions"); list != nil {
		client.Versions = nil
		for _, s := range list {
			n, err := strconv.Atoi(s)
			if err != nil || n != 3 && n != 4 && n != 5 && n != 131 && n != 132 {
				return client, fmt.Errorf("%w: --allowed_protocol_versions: %q is none of 3, 4, 5, 131, 132", admin.ErrUsage, s)
			}
			client.Versions = append(client.Versions, n)
		}
	}
	return client, nil
}

// tlsFlags reads what a listener that speaks TLS has.
func tlsFlags(c *admin.Call) (o listener.TLS, err error) {
	if c.Bool("psk_support", false) {
		return o, errors.New("--psk_support: Go's TLS has no pre-shared keys; use client certificates (--require_certificate) or passwords")
	}
	text := func(name string) string { s, _ := c.Flag(name); return s }
	o = listener.TLS{CAFile: text("cafile"), CertFile: text("certfile"), KeyFile: text("keyfile"), KeyPassword: value.NewSecret(text("keypasswd")),
		CRLFile: text("crlfile"), Require: c.Bool("require_certificate", false), Versions: []string{"tlsv1.2", "tlsv1.3"}}
	if o.Depth, err = c.Int("depth", 1, 0); err != nil {
		return o, err
	}
	ms, err := c.Int("tls_handshake_timeout", 5000, 1)
	if err != nil {
		return o, err
	}
	o.HandshakeTimeout = time.Duration(ms) * time.Millisecond
	if list := c.List("tls_version"); list != nil {
		o.Versions = list
	}
	for _, v := range o.Versions {
		if !slices.Contains([]string{"tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"}, v) {
			return o, fmt.Errorf("%w: --tls_version: %q is none of tlsv1, tlsv1.1, tlsv1.2, tlsv1.3", admin.ErrUsage, v)
		}
	}
	if err := o.Ciphers.UnmarshalText([]byte(text("ciphers"))); err != nil {
		return o, fmt.Errorf("%w: --ciphers: %v", admin.ErrUsage, err)
	}
	if err := o.Curves.UnmarshalText([]byte(text("eccs"))); err != nil {
		return o, fmt.Errorf("%w: --eccs: %v", admin.ErrUsage, err)
	}
	return o, nil
}

// native takes VerneMQ's prefix off plugin names.
func native(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.TrimPrefix(strings.Trim(n, "[] "), "vmq_")
	}
	return out
}
