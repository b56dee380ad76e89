package broker

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/listener"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/conf/value"
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
				{Name: "tls", Short: "t", Kind: admin.FlagBool, Doc: "accepted; no listener speaks TLS"},
			},
			Columns: []string{"type", "status", "address", "port", "mountpoint", "max_conns", "active_conns", "all_conns", "allowed_protocol_versions", "allow_anonymous_override"},
			Run:     func(_ context.Context, c *admin.Call) (admin.Result, error) { return b.listenerShow(c), nil },
		},
		{
			Path: "listener start", Doc: "Open a listener for MQTT over TCP, until the next restart of the broker", Args: at, Changes: true,
			Flags: []admin.Flag{
				{Name: "mountpoint", Short: "m", Kind: admin.FlagValue, Doc: "mountpoint of its clients"},
				{Name: "max_connections", Kind: admin.FlagValue, Doc: "connections at a time, 10000 unless given, 0 = unlimited"},
				{Name: "nr_of_acceptors", Kind: admin.FlagValue, Doc: "accepted and not needed"},
				{Name: "allowed_protocol_versions", Kind: admin.FlagValue, Doc: "level bytes separated by commas, 3,4,5,131 unless given"},
				{Name: "allow_anonymous_override", Kind: admin.FlagBool, Doc: "let clients in without asking plugins"},
				{Name: "auth_plugins", Kind: admin.FlagValue, Doc: "plugins that decide who may connect, in order"},
				{Name: "authz_plugins", Kind: admin.FlagValue, Doc: "plugins that decide about topics, in order"},
				{Name: "forward_connection_opts", Kind: admin.FlagBool, Doc: "tell plugins the listener"},
			},
			Run: func(_ context.Context, c *admin.Call) (admin.Result, error) { return b.listenerStart(c) },
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

func (b *Broker) listenerShow(c *admin.Call) admin.Table {
	t := admin.Table{Columns: []string{"type", "status", "address", "port", "mountpoint", "max_conns", "active_conns", "all_conns"}}
	about := c.Bool("mqtt", false)
	if about {
		t.Columns = append(t.Columns, "allowed_protocol_versions", "allow_anonymous_override")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.doors {
		l := d.listener
		host, port := split(l.Addr())
		row := []any{l.Type(), l.State().String(), host, port, string(d.client.Mountpoint), l.MaxConnections(), l.Active(), l.Total()}
		if about {
			row = append(row, strings.Trim(strings.ReplaceAll(fmt.Sprint(d.client.Versions), " ", ","), "[]"), d.client.Anonymous)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// split returns host and port of an address; of a Unix socket its path and 0.
func split(a net.Addr) (host string, port string) {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String(), "0"
	}
	return host, port
}

// withDoor runs f on the listener that address= and port= name.
func (b *Broker) withDoor(c *admin.Call, f func(*door) error) (admin.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.doors {
		if host, port := split(d.listener.Addr()); host == c.Arg("address") && port == c.Arg("port") {
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

func (b *Broker) listenerStart(c *admin.Call) (admin.Result, error) {
	client := listener.Client{MaxConnections: 10000, Versions: []int{3, 4, 5, 131}, Anonymous: c.Bool("allow_anonymous_override", false),
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
	var err error
	if client.MaxConnections, err = c.Int("max_connections", client.MaxConnections, 0); err != nil {
		return nil, err
	}
	if list := c.List("allowed_protocol_versions"); list != nil {
		client.Versions = nil
		for _, s := range list {
			n, err := strconv.Atoi(s)
			if err != nil || n != 3 && n != 4 && n != 5 && n != 131 && n != 132 {
				return nil, fmt.Errorf("%w: --allowed_protocol_versions: %q is none of 3, 4, 5, 131, 132", admin.ErrUsage, s)
			}
			client.Versions = append(client.Versions, n)
		}
	}
	var a value.Address
	if err := a.UnmarshalText([]byte(net.JoinHostPort(c.Arg("address"), c.Arg("port")))); err != nil {
		return nil, fmt.Errorf("%w: %v", admin.ErrUsage, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name := "tcp." + c.Arg("address") + ":" + c.Arg("port")
	if _, err := b.open(listener.Spec{Name: name, Type: "mqtt", Address: a}, client); err != nil {
		return nil, err
	}
	return admin.Done, nil
}

// native takes VerneMQ's prefix off plugin names.
func native(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.TrimPrefix(strings.Trim(n, "[] "), "vmq_")
	}
	return out
}
