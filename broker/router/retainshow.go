package router

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/retain"
	"github.com/lunemq/lunemq/broker/topic"
)

// retainQuery is what retain show is asked for.
type retainQuery struct {
	limit      int            // rows, 0 = all
	filter     string         // of topics, unless there is names
	names      *regexp.Regexp // of topics, nil for none
	mountpoint string         // the only one, if only
	only       bool
	mounts     *regexp.Regexp // of mountpoints, nil for none
	columns    []string
}

// parseRetainQuery reads the flags of retain show.
func parseRetainQuery(c *admin.Call) (q retainQuery, err error) {
	if q.limit, err = c.Int("limit", 100, 0); err != nil {
		return q, err
	}
	q.filter, q.columns = "#", []string{"topic"}
	if c.Bool("payload", false) {
		q.columns = append(q.columns, "payload")
	}
	for _, o := range c.Options {
		expr, isRegexp := strings.CutPrefix(o.Value, "~")
		var re *regexp.Regexp
		if isRegexp {
			if re, err = regexp.Compile(expr); err != nil {
				return q, fmt.Errorf("%w: --%s=%s: %v", admin.ErrUsage, o.Name, o.Value, err)
			}
		}
		switch {
		case o.Name == "topic" && isRegexp:
			q.names = re
		case o.Name == "topic" && o.Value != "":
			if err := topic.ValidateFilter(o.Value, 0); err != nil {
				return q, fmt.Errorf("%w: %w", admin.ErrUsage, err)
			}
			q.filter = o.Value
		case o.Name == "mountpoint":
			q.mountpoint, q.only, q.mounts = o.Value, o.Set && !isRegexp, re
			if q.columns[len(q.columns)-1] != "mountpoint" {
				q.columns = append(q.columns, "mountpoint")
			}
		}
	}
	return q, nil
}

// in reports whether messages of a mountpoint are asked for.
func (q *retainQuery) in(mountpoint string) bool {
	return (!q.only || mountpoint == q.mountpoint) && (q.mounts == nil || q.mounts.MatchString(mountpoint))
}

func (r *Router) showRetained(c *admin.Call) (admin.Result, error) {
	q, err := parseRetainQuery(c)
	if err != nil {
		return nil, err
	}
	t := admin.Table{Columns: q.columns}
	r.eachRetained(time.Now(), &q, func(m *mqtt.Message) bool {
		if q.limit > 0 && len(t.Rows) == q.limit {
			t.Note = "there are more; --limit=0 shows all"
			return false
		}
		var cells []any
		for _, column := range q.columns {
			cells = append(cells, map[string]string{"topic": m.Topic, "payload": string(m.Payload), "mountpoint": m.Mountpoint}[column])
		}
		t.Rows = append(t.Rows, cells)
		return true
	})
	return t, nil
}

// eachRetained calls f with the messages that q asks for, by mountpoint and
// topic, until f returns false.
func (r *Router) eachRetained(now time.Time, q *retainQuery, f func(*mqtt.Message) bool) {
	if q.names != nil {
		r.retained.Each(func(m *mqtt.Message) bool {
			return m.Expired(now) || !q.in(m.Mountpoint) || !q.names.MatchString(m.Topic) || f(m)
		})
		return
	}
	var page []*mqtt.Message
	for _, mountpoint := range r.retained.Mountpoints() {
		if !q.in(mountpoint) {
			continue
		}
		var cursor retain.Cursor
		for more := true; more; {
			page, cursor, more = r.retained.Page(now, mountpoint, q.filter, cursor, 256, page[:0])
			for _, m := range page {
				if !f(m) {
					return
				}
			}
		}
	}
}
