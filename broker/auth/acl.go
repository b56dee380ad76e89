package auth

import (
	"context"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/topic"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// ACL is the plugin acl: it permits publishing and subscribing by the rules of
// a file. Rules only permit; what none permits is passed on to the next
// plugin, and refused when there is none. Safe for concurrent use; its hooks
// neither block nor allocate.
type ACL struct {
	file[rules]
}

// StartACL reads the rules and watches their file until ctx or Close ends it.
// An error names the file, or each of its bad lines as a *LineError.
func StartACL(ctx context.Context, c ACLConfig, d Deps) (*ACL, error) {
	a := &ACL{file[rules]{
		what:    "access control file",
		missing: "create %s (the line `topic #` permits everything to everybody), or set plugins.acl = off",
		key:     "acl.acl_file",
		alarm:   alarm.ACLReloadFailed,
		parse:   parseRules, deps: d,
	}}
	if err := a.start(ctx, c.File, c.Reload); err != nil {
		return nil, err
	}
	return a, nil
}

// Configure changes to another file or interval. On an error nothing changes. If
// the file stays the same it is read, and what is wrong with it is reported as
// by the watch: it does not stand in the way of other changes.
func (a *ACL) Configure(c ACLConfig) error {
	return a.ask(request{path: c.File, interval: c.Reload})
}

// Plugin returns a as an entry of a hook.Chain.
func (a *ACL) Plugin() hook.Plugin { return hook.Plugin{Name: "acl", Hooks: a} }

// PermitsEverything reports whether the rules in force permit everything to
// everybody, but for topics that begin with "$". A plugin behind this one is
// then never asked whether somebody may publish or subscribe, of which an
// operator should be warned.
func (a *ACL) PermitsEverything() bool { return a.current.Load().everybody.plain.under == readWrite }

// AuthOnPublish permits a message whose topic matches a rule with write: one
// for everybody, a pattern, or one of the client's user.
func (a *ACL) AuthOnPublish(_ context.Context, p *hook.Publish) (hook.Verdict, *hook.PublishResult) {
	if a.current.Load().permit(p.Message.Topic, write, p.Client) {
		return hook.Accept, nil
	}
	return hook.Verdict{}, nil
}

// AuthOnSubscribe permits a SUBSCRIBE if each of its filters is covered by a
// rule with read: whatever the filter can match, the rule matches too. So a/+
// needs a/+, a/# or #, and a/# needs a/# or #. Of "$share/NAME/FILTER" the
// filter counts. One that is not covered leaves all of them to the next
// plugin, since the answer is one for the packet. Entries that are refused
// already are passed over.
func (a *ACL) AuthOnSubscribe(_ context.Context, s *hook.Subscribe) (hook.Verdict, *hook.SubscribeResult) {
	r := a.current.Load()
	for i := range s.Topics {
		t := &s.Topics[i]
		if t.Code.IsError() {
			continue
		}
		_, filter, err := topic.Split(t.Filter)
		if err != nil || !r.permit(filter, read, s.Client) {
			return hook.Verdict{}, nil
		}
	}
	return hook.Accept, nil
}
