package broker_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/hook"
)

// quarantine is a plugin written in Go: what is published below quarantine/ by
// others than the user inspector is refused. plugins.quarantine = on switches it
// on, once compiledIn of cmd/lunemq returns it.
type quarantine struct {
	api *broker.API
}

// Name is the NAME of plugins.NAME.
func (*quarantine) Name() string { return "quarantine" }

// Start is called when the plugin is switched on.
func (q *quarantine) Start(api *broker.API) error {
	q.api = api
	return nil
}

// Configure is called after a reload of the configuration.
func (*quarantine) Configure() error { return nil }

// Close is called when the plugin is switched off.
func (*quarantine) Close() {}

// Plugin says which hooks there are: those that the type has methods for. None
// of them waits for anything, so they are called on the connection's loop.
func (q *quarantine) Plugin() hook.Plugin { return hook.Plugin{Name: "quarantine", Hooks: q} }

// AuthOnPublish implements hook.AuthOnPublish.
func (q *quarantine) AuthOnPublish(_ context.Context, p *hook.Publish) (hook.Verdict, *hook.PublishResult) {
	if strings.HasPrefix(p.Message.Topic, "quarantine/") && p.Client.Username != "inspector" {
		return hook.Verdict{Decision: hook.Deny, Reason: "only the inspector publishes there"}, nil
	}
	return hook.Verdict{}, nil // no opinion: the next plugin is asked
}

func ExampleExtension() {
	var x broker.Extension = &quarantine{}
	p := x.Plugin()
	fmt.Println(x.Name(), p.Points())
	// Output: quarantine [auth_on_publish]
}
