package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// KeyCommands returns "api-key create", "add", "delete" and "show". now is the
// clock that expiry is judged by.
func KeyCommands(keys *Keys, now func() time.Time) []Command {
	scope := Arg{Name: "scope", Doc: "comma list of " + strings.Join(Scopes(), ", ") + "; default mgmt"}
	expires := Arg{Name: "expires", Doc: "YYYY-MM-DDThh:mm:ss in UTC; default never"}
	return []Command{
		{
			Path:    "api-key create",
			Doc:     "Make a new API key and print it\n\nOnly a hash of it is kept: this is the one time it can be seen.",
			Args:    []Arg{scope, expires},
			Changes: true,
			Run: func(_ context.Context, c *Call) (Result, error) {
				at, err := parseExpiry(c.Arg("expires"))
				if err != nil {
					return nil, err
				}
				key, err := keys.Create(now(), scopesOf(c), at)
				if err != nil {
					return nil, err
				}
				return Text(key), nil
			},
		},
		{
			Path:    "api-key add",
			Doc:     "Add an API key of your own",
			Args:    []Arg{{Name: "key", Doc: "the key, without \":\"", Required: true}, scope, expires},
			Changes: true,
			Run: func(_ context.Context, c *Call) (Result, error) {
				at, err := parseExpiry(c.Arg("expires"))
				if err != nil {
					return nil, err
				}
				return Text("ok"), keys.Add(now(), c.Arg("key"), scopesOf(c), at)
			},
		},
		{
			Path:    "api-key delete",
			Doc:     "Delete an API key",
			Args:    []Arg{{Name: "key", Doc: "the key or its ID as api-key show prints it", Required: true}, {Name: "scope", Doc: "only this scope; default all"}},
			Changes: true,
			Run: func(_ context.Context, c *Call) (Result, error) {
				n, err := keys.Delete(c.Arg("key"), c.Arg("scope"))
				if err == nil && n == 0 {
					err = fmt.Errorf("admin: no such API key")
				}
				return Text("ok"), err
			},
		},
		{
			Path:    "api-key show",
			Doc:     "Show the API keys\n\nKeys are kept as hashes: the column Key holds the ID that api-key delete takes.",
			Args:    []Arg{{Name: "scope", Doc: "only these scopes, a comma list"}},
			Columns: keyColumns,
			Run: func(_ context.Context, c *Call) (Result, error) {
				return showKeys(keys.List(), c.Arg("scope"), now()), nil
			},
		},
	}
}

var keyColumns = []string{"Key", "Scope", "Expires (UTC)", "has expired"}

func showKeys(keys []Key, scope string, now time.Time) Table {
	t := Table{Columns: keyColumns}
	for _, k := range keys {
		if scope != "" && !slices.Contains(strings.Split(scope, ","), k.Scope) {
			continue
		}
		var expires any = "never"
		if !k.Expires.IsZero() {
			expires = k.Expires
		}
		t.Rows = append(t.Rows, []any{k.ID, k.Scope, expires, k.expired(now)})
	}
	return t
}

func scopesOf(c *Call) []string {
	if s := c.Arg("scope"); s != "" {
		return strings.Split(s, ",")
	}
	return []string{"mgmt"}
}

func parseExpiry(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(timeLayout, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: expires=%s is not of the form YYYY-MM-DDThh:mm:ss", ErrUsage, s)
	}
	return t, nil
}
