package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/mqtt"
)

// Commands are those about sessions. node is the name shown in column node.
//
// Reference 4.3, 4.4.
func Commands(r *Registry, node string) []admin.Command {
	mountpoint := admin.Flag{Name: "mountpoint", Short: "m", Kind: admin.FlagValue, Doc: "mountpoint of the client, the default one unless given"}
	cleanup := admin.Flag{Name: "cleanup", Short: "c", Kind: admin.FlagBool, Doc: "end the session as well, with its subscriptions and messages"}
	show := admin.Command{
		Path: "session show",
		Doc: "Show sessions and their connections, subscriptions and messages\n\n--FIELD shows a column, --FIELD=VALUE shows only rows with that value,\n" +
			"--FIELD=~REGEX those that match. Fields of subscriptions and messages\ngive one row each.",
		Flags: []admin.Flag{
			{Name: "limit", Kind: admin.FlagValue, Doc: "rows at most, 100 unless given, 0 = all"},
			{Name: "rowtimeout", Kind: admin.FlagValue, Doc: "accepted and not needed: no row is ever skipped"},
		},
		Run: func(_ context.Context, c *admin.Call) (admin.Result, error) {
			q, err := parseQuery(c)
			if err != nil {
				return nil, err
			}
			return r.show(node, q), nil
		},
	}
	for _, f := range fields {
		show.Columns = append(show.Columns, f.name)
		show.Flags = append(show.Flags, admin.Flag{Name: f.name, Kind: admin.FlagOptional, Doc: "column, or filter"})
	}
	return []admin.Command{show,
		{
			Path: "session disconnect", Doc: "End the connection of a client", Changes: true,
			Args:  []admin.Arg{{Name: "client-id", Doc: "client identifier", Required: true}},
			Flags: []admin.Flag{mountpoint, cleanup},
			Run: func(ctx context.Context, c *admin.Call) (admin.Result, error) {
				return r.disconnectAll(ctx, c, []string{c.Arg("client-id")})
			},
		},
		{
			Path: "session disconnect clients", Doc: "End the connections of several clients", Changes: true,
			Args:  []admin.Arg{{Name: "client-ids", Doc: "client identifiers, separated by commas", Required: true}},
			Flags: []admin.Flag{mountpoint, cleanup},
			Run: func(ctx context.Context, c *admin.Call) (admin.Result, error) {
				return r.disconnectAll(ctx, c, strings.Split(c.Arg("client-ids"), ","))
			},
		},
	}
}

// disconnectAll ends the connections of the named clients; those that have
// none are named in the error. It returns when what that changes is stored.
func (r *Registry) disconnectAll(ctx context.Context, c *admin.Call, ids []string) (admin.Result, error) {
	mountpoint, _ := c.Flag("mountpoint")
	cleanup := c.Bool("cleanup", false)
	stored := make(chan error, len(ids))
	var missing []string
	for _, id := range ids {
		key := mqtt.SessionKey{Mountpoint: mountpoint, ClientID: id}
		if !r.disconnect(time.Now(), key, mqtt.AdministrativeAction, cleanup, func(err error) { stored <- err }) {
			missing = append(missing, id)
		}
	}
	for range len(ids) - len(missing) {
		select {
		case err := <-stored:
			if err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("not found: %s", strings.Join(missing, ", "))
	}
	return admin.Done, nil
}
