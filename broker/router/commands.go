package router

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/topic"
)

// Commands are those about retained messages. Deletions are committed to st.
//
// Reference 4.3.
func Commands(r *Router, st store.Committer) []admin.Command {
	mountpoint := admin.Flag{Name: "mountpoint", Short: "m", Kind: admin.FlagValue, Doc: "mountpoint, the default one unless given"}
	return []admin.Command{
		{
			Path: "retain show", Doc: "Show retained messages\n\nThose of all mountpoints are shown unless --mountpoint names one. Topics that\nbegin with $ are shown when --topic begins so, or is a regular expression.",
			Flags: []admin.Flag{
				{Name: "limit", Kind: admin.FlagValue, Doc: "rows at most, 100 unless given, 0 = all"},
				{Name: "payload", Kind: admin.FlagBool, Doc: "show payloads too"},
				{Name: "topic", Kind: admin.FlagOptional, Doc: "topic filter, # unless given, or ~REGEX"},
				{Name: "mountpoint", Short: "m", Kind: admin.FlagOptional, Doc: "show the mountpoint; with a value: only of that one, or ~REGEX"},
			},
			Columns: []string{"topic", "payload", "mountpoint"},
			Run:     func(_ context.Context, c *admin.Call) (admin.Result, error) { return r.showRetained(c) },
		},
		{
			Path: "retain delete", Doc: "Delete the retained message of a topic", Changes: true,
			Args:  []admin.Arg{{Name: "topic", Doc: "topic name"}},
			Flags: []admin.Flag{{Name: "topic", Short: "t", Kind: admin.FlagValue, Doc: "topic name"}, mountpoint},
			Run:   func(_ context.Context, c *admin.Call) (admin.Result, error) { return r.deleteRetained(c, st) },
		},
		{
			Path: "retain delete-expired", Doc: "Delete retained messages that have expired; they are deleted by themselves within five minutes", Changes: true,
			Run: func(context.Context, *admin.Call) (admin.Result, error) {
				return admin.Text(strconv.Itoa(r.PurgeExpired(time.Now(), st, func(error) {})) + " deleted"), nil
			},
		},
	}
}

func (r *Router) deleteRetained(c *admin.Call, st store.Committer) (admin.Result, error) {
	name, given := c.Flag("topic")
	if !given {
		name = c.Arg("topic")
	}
	if name == "" {
		return nil, fmt.Errorf("%w: retain delete needs topic=NAME", admin.ErrUsage)
	}
	if err := topic.ValidateName(name, 0); err != nil {
		return nil, fmt.Errorf("%w: %w", admin.ErrUsage, err)
	}
	mp, _ := c.Flag("mountpoint")
	old := r.retained.Delete(mp, name)
	if old == nil {
		return nil, fmt.Errorf("no retained message on topic %q", name)
	}
	done := make(chan error, 1)
	st.Commit(&store.Batch{Ops: []store.Op{{Kind: store.DropRetained, Message: old}}, Sync: true}, func(err error) { done <- err })
	if err := <-done; err != nil {
		r.retained.TakeBack(&mqtt.Message{Mountpoint: mp, Topic: name}, old)
		return nil, err
	}
	return admin.Done, nil
}
