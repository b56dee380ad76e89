package registry

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/mqtt"
)

// row is one line of session show: a session, with one of its subscriptions or
// messages when fields of these are asked for.
type row struct {
	Info
	node   string
	filter string // as the client sent it
	sub    *mqtt.Subscription
	item   *mqtt.Queued
}

// field is one column.
type field struct {
	name string
	get  func(*row) any
}

// fields are the columns of session show, with VerneMQ's names. What has no
// meaning here (process identifiers) is blank.
//
// Reference 4.4.
var fields = []field{
	{"node", func(r *row) any { return r.node }},
	{"mountpoint", func(r *row) any { return r.Key.Mountpoint }},
	{"client_id", func(r *row) any { return r.Key.ClientID }},
	{"queue_pid", func(*row) any { return "" }},
	{"queue_size", func(r *row) any { return r.Queued + r.Inflight }},
	{"session_pid", func(*row) any { return "" }},
	{"is_offline", func(r *row) any { return !r.Online }},
	{"is_online", func(r *row) any { return r.Online }},
	{"statename", func(r *row) any { return state(r.Online) }},
	{"deliver_mode", func(*row) any { return "fanout" }},
	{"offline_messages", func(r *row) any { return countIf(!r.Online, r.Queued+r.Inflight) }},
	{"online_messages", func(r *row) any { return countIf(r.Online, r.Queued) }},
	{"num_sessions", func(r *row) any { return countIf(r.Online, 1) }},
	{"clean_session", func(r *row) any { return !r.Durable }},
	{"is_plugin", func(*row) any { return false }},
	{"queue_started_at", func(r *row) any { return r.Since.Unix() }},
	{"user", func(r *row) any { return r.Username }},
	{"peer_host", func(r *row) any { return host(r) }},
	{"peer_port", func(r *row) any { return port(r) }},
	{"protocol", func(r *row) any { return protocol(r) }},
	{"waiting_acks", func(r *row) any { return r.Inflight }},
	{"session_started_at", func(r *row) any { return started(r) }},
	{"topic", func(r *row) any { return r.filter }},
	{"qos", func(r *row) any { return ofSub(r, func(s *mqtt.Subscription) any { return int(s.QoS) }) }},
	{"rap", func(r *row) any { return ofSub(r, func(s *mqtt.Subscription) any { return s.RetainAsPublished }) }},
	{"no_local", func(r *row) any { return ofSub(r, func(s *mqtt.Subscription) any { return s.NoLocal }) }},
	{"msg_ref", func(r *row) any { return ofItem(r, func(q *mqtt.Queued) any { return q.Number }) }},
	{"msg_qos", func(r *row) any { return ofItem(r, func(q *mqtt.Queued) any { return int(q.Delivery.QoS) }) }},
	{"routing_key", func(r *row) any { return ofItem(r, func(q *mqtt.Queued) any { return q.Message.Topic }) }},
	{"dup", func(r *row) any { return ofItem(r, func(*mqtt.Queued) any { return false }) }},
	{"payload", func(r *row) any { return ofItem(r, func(q *mqtt.Queued) any { return text(q.Message.Payload) }) }},
}

// subFields and itemFields multiply the rows.
var (
	subFields  = []string{"topic", "qos", "rap", "no_local"}
	itemFields = []string{"msg_ref", "msg_qos", "routing_key", "dup", "payload"}
	shown      = []string{"client_id", "is_online", "mountpoint", "peer_host", "peer_port", "user"}
)

func state(online bool) string {
	if online {
		return "online"
	}
	return "offline"
}

func countIf(is bool, n int) int {
	if is {
		return n
	}
	return 0
}

func host(r *row) any {
	if r.Online && r.Client != nil && r.Client.Peer.IsValid() {
		return r.Client.Peer.Addr().String()
	}
	return ""
}

func port(r *row) any {
	if r.Online && r.Client != nil && r.Client.Peer.IsValid() {
		return int(r.Client.Peer.Port())
	}
	return ""
}

func protocol(r *row) any {
	if !r.Online || r.Client == nil {
		return ""
	}
	return int(r.Client.Version)
}

func started(r *row) any {
	if !r.Online {
		return ""
	}
	return r.Started.Unix()
}

func ofSub(r *row, f func(*mqtt.Subscription) any) any {
	if r.sub == nil {
		return ""
	}
	return f(r.sub)
}

func ofItem(r *row, f func(*mqtt.Queued) any) any {
	if r.item == nil {
		return ""
	}
	return f(r.item)
}

// text shows a payload: as it is when printable, else in hexadecimal.
func text(p []byte) string {
	for _, c := range string(p) {
		if c == '�' || c < ' ' && c != '\n' && c != '\t' {
			return "0x" + hex.EncodeToString(p)
		}
	}
	return string(p)
}

// query is a parsed call of session show.
type query struct {
	columns []int // indices of fields
	filters []filter
	limit   int
	subs    bool
	items   bool
}

// filter compares one field.
type filter struct {
	field int
	want  string
	re    *regexp.Regexp
}

func (f filter) matches(r *row) bool {
	got := fmt.Sprint(fields[f.field].get(r))
	if f.re != nil {
		return f.re.MatchString(got)
	}
	return got == f.want
}

// parseQuery reads the flags: --FIELD shows a column, --FIELD=VALUE and
// --FIELD=~REGEX filter.
func parseQuery(c *admin.Call) (q query, err error) {
	if q.limit, err = c.Int("limit", 100, 0); err != nil {
		return q, err
	}
	for _, o := range c.Options {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == o.Name })
		if i < 0 {
			continue
		}
		q.subs = q.subs || slices.Contains(subFields, o.Name)
		q.items = q.items || slices.Contains(itemFields, o.Name)
		if !o.Set {
			q.columns = append(q.columns, i)
			continue
		}
		if _, isBool := fields[i].get(&row{}).(bool); isBool && o.Value != "true" && o.Value != "false" {
			return q, fmt.Errorf("%w: --%s=%s: the field is true or false", admin.ErrUsage, o.Name, o.Value)
		}
		x := filter{field: i, want: o.Value}
		if expr, isRegex := strings.CutPrefix(o.Value, "~"); isRegex {
			if x.re, err = regexp.Compile(expr); err != nil {
				return q, fmt.Errorf("%w: --%s=%s: %v", admin.ErrUsage, o.Name, o.Value, err)
			}
		}
		q.filters = append(q.filters, x)
	}
	if len(q.columns) == 0 {
		for _, name := range shown {
			q.columns = append(q.columns, slices.IndexFunc(fields, func(f field) bool { return f.name == name }))
		}
	}
	return q, nil
}

// exact returns the session a query is about when it compares client_id (and
// perhaps mountpoint) with a value, so that no scan is needed.
func (q query) exact() (key mqtt.SessionKey, ok bool) {
	for _, f := range q.filters {
		switch {
		case f.re != nil:
		case fields[f.field].name == "client_id":
			key.ClientID, ok = f.want, true
		case fields[f.field].name == "mountpoint":
			key.Mountpoint = f.want
		}
	}
	return key, ok
}

// show runs a query. Rows are in the order of mountpoint and client
// identifier.
func (r *Registry) show(node string, q query) admin.Table {
	t := admin.Table{}
	for _, i := range q.columns {
		t.Columns = append(t.Columns, fields[i].name)
	}
	var hits []*row
	take := func(c *Client) bool {
		for _, x := range c.rows(node, q) {
			if !slices.ContainsFunc(q.filters, func(f filter) bool { return !f.matches(x) }) {
				hits = append(hits, x)
			}
		}
		return true
	}
	if key, ok := q.exact(); ok && key.Mountpoint != "" {
		if c := r.Get(key); c != nil {
			take(c)
		}
	} else {
		r.Each(take)
	}
	slices.SortStableFunc(hits, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.Key.Mountpoint, b.Key.Mountpoint), cmp.Compare(a.Key.ClientID, b.Key.ClientID), cmp.Compare(a.filter, b.filter))
	})
	if q.limit > 0 && len(hits) > q.limit {
		t.Note = strconv.Itoa(len(hits)-q.limit) + " more rows; --limit=0 shows all"
		hits = hits[:q.limit]
	}
	for _, x := range hits {
		var cells []any
		for _, i := range q.columns {
			cells = append(cells, fields[i].get(x))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// rows returns the lines of one client: one, or one per subscription and
// message when these are asked for.
func (c *Client) rows(node string, q query) []*row {
	info, ok := c.Info(q.subs)
	if !ok {
		return nil
	}
	out := []*row{{Info: info, node: node}}
	if q.subs && len(info.Subscriptions) > 0 {
		out = out[:0]
		for sent, sub := range info.Subscriptions {
			out = append(out, &row{Info: info, node: node, filter: sent, sub: &sub})
		}
	}
	if !q.items {
		return out
	}
	c.mu.Lock()
	var items []mqtt.Queued
	if !c.dead {
		c.st.Each(func(it mqtt.Queued) { items = append(items, it) })
	}
	c.mu.Unlock()
	if len(items) == 0 {
		return out
	}
	var product []*row
	for _, x := range out {
		for i := range items {
			y := *x
			y.item = &items[i]
			product = append(product, &y)
		}
	}
	return product
}
