package broker

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/listener"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// listenerCommands are show, start, stop, restart and delete. Reference 4.3.
func (b *Broker) listenerCommands() []admin.Command {
	at := []admin.Arg{{Name: "address", Doc: "host or IP address", Required: true}, {Name: "port", Doc: "port", Required: true}}
	kill := admin.Flag{Name: "kill_sessions", Short: "k", Kind: admin.FlagBool, Doc: "end the listener's connections too"}
	return []admin.Command{
		{
			Path: "listener show", Doc: "Show the listeners",
			Flags: []admin.Flag{
				{Name: "mqtt", Short: "m", Kind: admin.FlagBool, Doc: "columns about MQTT"},
				{Name: "tls", Short: "t", Kind: admin.FlagBool, Doc: "columns about TLS"},
			},
			Columns: slices.Concat(doorColumns, mqttColumns, tlsColumns),
			Run:     func(_ context.Context, c *admin.Call) (admin.Result, error) { return b.listenerShow(c), nil },
		},
		{
			Path: "listener start", Doc: "Open a listener for MQTT or HTTP, until the next restart of the broker", Args: at, Changes: true,
			Flags: listenerStartFlags(),
			Run:   func(_ context.Context, c *admin.Call) (admin.Result, error) { return b.listenerStart(c) },
		},
		{
			Path: "listener stop", Doc: "Stop accepting connections; those there are stay", Args: at, Flags: []admin.Flag{kill}, Changes: true,
			Run: func(_ context.Context, c *admin.Call) (admin.Result, error) {
				return b.withDoor(c, func(d *door) error {
					d.listener.Pause()
					if c.Bool("kill_sessions", false) {
						b.endConnections(d.name)
					}
					return nil
				})
			},
		},
		{
			Path: "listener restart", Doc: "Accept connections again", Args: at, Changes: true,
			Run: func(_ context.Context, c *admin.Call) (admin.Result, error) {
				return b.withDoor(c, func(d *door) error { return d.listener.Resume() })
			},
		},
		{
			Path: "listener delete", Doc: "Remove a stopped listener", Args: at, Changes: true,
			Run: func(_ context.Context, c *admin.Call) (admin.Result, error) { return b.withDoor(c, b.removeDoor) },
		},
	}
}

// The columns of listener show: those of all listeners, and those that flags
// add.
var (
	doorColumns = []string{"type", "status", "address", "port", "mountpoint", "max_conns", "active_conns", "all_conns"}
	mqttColumns = []string{"allowed_protocol_versions", "allow_anonymous_override"}
	tlsColumns  = []string{"tls_version", "certfile", "cafile", "keyfile", "require_certificate", "use_identity_as_username", "psk_support", "pskfile"}
)

func (b *Broker) listenerShow(c *admin.Call) admin.Table {
	t := admin.Table{Columns: slices.Clone(doorColumns)}
	mqtt, secure := c.Bool("mqtt", false), c.Bool("tls", false)
	if mqtt {
		t.Columns = append(t.Columns, mqttColumns...)
	}
	if secure {
		t.Columns = append(t.Columns, tlsColumns...)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.doors {
		l := d.listener
		host, port := split(l.Addr())
		row := []any{l.Type(), l.State().String(), host, port, string(d.client.Mountpoint), l.MaxConnections(), l.Active(), l.Total()}
		if mqtt {
			row = append(row, strings.Trim(strings.ReplaceAll(fmt.Sprint(d.client.Versions), " ", ","), "[]"), d.client.Anonymous)
		}
		if secure {
			row = append(row, tlsRow(d.spec)...)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// tlsRow returns the values of tlsColumns.
func tlsRow(s listener.Spec) []any {
	if s.TLS == nil {
		return []any{"", "", "", "", false, false, false, ""}
	}
	return []any{strings.Join(s.TLS.Versions, ","), s.TLS.CertFile, s.TLS.CAFile, s.TLS.KeyFile, s.TLS.Require, s.Identity, false, ""}
}

// split returns host and port of an address; of a Unix socket its path and 0.
func split(a net.Addr) (host string, port int) {
	host, text, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String(), 0
	}
	port, _ = strconv.Atoi(text)
	return host, port
}

// withDoor runs f on the listener that address= and port= name, as listener show
// does or as the configuration does (localhost).
func (b *Broker) withDoor(c *admin.Call, f func(*door) error) (admin.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.doors {
		host, port := split(d.listener.Addr())
		if at := c.Arg("address"); (host == at || d.spec.Address.Host == at && at != "") && strconv.Itoa(port) == c.Arg("port") {
			if err := f(d); err != nil {
				return nil, err
			}
			return admin.Done, nil
		}
	}
	return nil, fmt.Errorf("no listener at %s:%s; listener show lists all", c.Arg("address"), c.Arg("port"))
}

func (b *Broker) removeDoor(d *door) error {
	if d.listener.State() == listener.Running {
		return fmt.Errorf("listener %s runs; stop it first", d.name)
	}
	d.close()
	for _, n := range []alarm.Name{alarm.CertificateReloadFailed, alarm.CertificateExpiring, alarm.CertificateExpired} {
		b.Alarms.Clear(n, d.name)
	}
	for i, x := range b.doors {
		if x == d {
			b.doors = append(b.doors[:i:i], b.doors[i+1:]...)
		}
	}
	return nil
}

// endConnections ends all connections of one listener.
func (b *Broker) endConnections(name string) {
	now := time.Now()
	b.Registry.Each(func(c *registry.Client) bool {
		if i, ok := c.Info(false); ok && i.Online && i.Client.Listener.Name == name {
			b.Registry.Disconnect(now, c.Key(), mqtt.AdministrativeAction, false)
		}
		return true
	})
}
