package luaconv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/topic"
)

// maxDepth bounds the levels of topics that scripts make.
const maxDepth = 65535

// Plain interprets an answer without modifiers: true, false, or no opinion.
// table = it is a table, to be read by one of the others.
//
// Reference 2.3.
func Plain(v lua.LValue) (d hook.Decision, table *lua.LTable) {
	switch x := v.(type) {
	case lua.LBool:
		if x {
			return hook.OK, nil
		}
		return hook.Deny, nil
	case *lua.LTable:
		return hook.OK, x
	}
	return hook.Next, nil
}

// reader reads a table of modifiers; the first problem is kept.
type reader struct {
	t   *lua.LTable
	at  string // "" or "properties."
	err error
}

// fail keeps a problem with a key, "" = with the table itself.
func (r *reader) fail(key, format string, args ...any) {
	if r.err == nil {
		text := fmt.Sprintf(format, args...)
		if name := strings.TrimSuffix(r.at+key, "."); name != "" {
			text = fmt.Sprintf("modifier %.60s: %s", name, text)
		}
		r.err = errors.New("luaconv: " + text)
	}
}

// each calls f for each entry, whose key must be a string that f knows.
func (r *reader) each(f func(key string, v lua.LValue) (known bool)) {
	empty := true
	r.t.ForEach(func(k, v lua.LValue) {
		empty = false
		name, ok := k.(lua.LString)
		if r.err == nil && (!ok || !f(string(name), v)) {
			r.fail(k.String(), "there is none of this name for this hook")
		}
	})
	if empty {
		r.fail("", "the table is empty; return true to accept without modifiers")
	}
}

func (r *reader) str(key string, v lua.LValue, into **string) {
	if s, ok := v.(lua.LString); ok {
		out := string(s)
		*into = &out
		return
	}
	r.fail(key, "want a string, got %s", describe(v))
}

// property reads a string that has to fit into a property of a packet, whose
// length has 16 bits.
func (r *reader) property(key string, v lua.LValue, into **string) {
	if r.str(key, v, into); *into != nil && len(**into) > mostProperty {
		r.fail(key, "want at most %d bytes, got %d", mostProperty, len(**into))
	}
}

// Bounds of what properties an answer may add to a packet, in bytes.
const (
	mostProperty       = 1<<16 - 1
	mostUserProperties = 1 << 20
)

// items returns how many items an array has; a table with other keys is none.
func (r *reader) items(key string, t *lua.LTable) int {
	n := 0
	t.ForEach(func(lua.LValue, lua.LValue) { n++ })
	if n != t.Len() {
		r.fail(key, "want an array, got a table with other keys")
		return 0
	}
	return n
}

// oneOf reads one of some words.
func (r *reader) oneOf(key string, v lua.LValue, into **string, words ...string) {
	if r.str(key, v, into); *into != nil && !slices.Contains(words, **into) {
		r.fail(key, "want one of %s, got %s", strings.Join(words, ", "), describe(v))
	}
}

func (r *reader) boolean(key string, v lua.LValue, into **bool) {
	if b, ok := v.(lua.LBool); ok {
		out := bool(b)
		*into = &out
		return
	}
	r.fail(key, "want true or false, got %s", describe(v))
}

// integer reads a whole number from low to high.
func (r *reader) integer(key string, v lua.LValue, low, high int) int {
	n, ok := v.(lua.LNumber)
	if !ok || n != lua.LNumber(int(n)) || int(n) < low || int(n) > high {
		r.fail(key, "want a whole number from %d to %d, got %s", low, high, describe(v))
		return low
	}
	return int(n)
}

func (r *reader) count(key string, v lua.LValue, into **int) {
	n := r.integer(key, v, 0, 1<<31-1)
	*into = &n
}

func (r *reader) duration(key string, v lua.LValue, unit time.Duration, into **time.Duration) {
	d := time.Duration(r.integer(key, v, 0, 1<<31-1)) * unit
	*into = &d
}

func describe(v lua.LValue) string {
	switch x := v.(type) {
	case lua.LString:
		return fmt.Sprintf("the string %.40q", string(x))
	case lua.LNumber, lua.LBool:
		return x.String()
	}
	return "a " + v.Type().String()
}

// sub reads a table inside a table.
func (r *reader) sub(key string, v lua.LValue) (*reader, bool) {
	t, ok := v.(*lua.LTable)
	if !ok {
		r.fail(key, "want a table, got %s", describe(v))
		return nil, false
	}
	return &reader{t: t, at: r.at + key + "."}, true
}

// Register reads the modifiers of auth_on_register.
//
// Reference 1.6, 1.8.
func Register(t *lua.LTable, c *hook.Client) (*hook.RegisterResult, error) {
	out := &hook.RegisterResult{}
	r := &reader{t: t}
	v5 := c.Version == mqtt.V5
	r.each(func(key string, v lua.LValue) bool { return registerModifier(r, out, c.Key, v5, key, v) })
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

func registerModifier(r *reader, out *hook.RegisterResult, was mqtt.SessionKey, v5 bool, key string, v lua.LValue) bool {
	var ignored *bool
	switch key {
	case "subscriber_id":
		out.Key = r.subscriberID(key, v, was)
	case "username":
		r.str(key, v, &out.Username)
	case "clean_session", "clean_start":
		if v5 != (key == "clean_start") {
			return false
		}
		r.boolean(key, v, &out.CleanStart)
	case "max_message_size":
		r.count(key, v, &out.MaxMessageSize)
	case "max_message_rate":
		r.count(key, v, &out.MaxMessageRate)
	case "max_inflight_messages":
		r.count(key, v, &out.MaxInflight)
	case "max_connection_lifetime":
		r.duration(key, v, time.Second, &out.MaxConnectionLifetime)
	case "retry_interval":
		r.duration(key, v, time.Millisecond, &out.RetryInterval)
	case "upgrade_qos":
		r.boolean(key, v, &out.UpgradeQoS)
	case "max_online_messages", "max_offline_messages":
		n := r.integer(key, v, -1, 1<<31-1)
		if key == "max_online_messages" {
			out.MaxOnlineMessages = &n
		} else {
			out.MaxOfflineMessages = &n
		}
	case "queue_type":
		r.oneOf(key, v, &out.QueueType, "fifo", "lifo")
	case "shared_subscription_policy":
		r.oneOf(key, v, &out.SharedSubscriptionPolicy, "prefer_local", "local_only", "random", "prefer_online_before_local")
	case "allow_register", "allow_publish", "allow_subscribe", "allow_unsubscribe":
		r.boolean(key, v, &ignored) // they matter while members of a cluster are out of reach
	case "max_drain_time", "max_msgs_per_drain_step":
		r.integer(key, v, 0, 1<<31-1) // queues are not drained in steps here
	case "properties":
		if !v5 {
			return false
		}
		r.registerProperties(out, key, v)
	default:
		return false
	}
	return true
}

func (r *reader) registerProperties(out *hook.RegisterResult, key string, v lua.LValue) {
	p, ok := r.sub(key, v)
	if !ok {
		return
	}
	p.each(func(key string, v lua.LValue) bool {
		switch key {
		case "p_user_property":
			out.UserProperties = p.userProperties(key, v)
		case "p_session_expiry_interval":
			seconds := p.integer(key, v, 0, 1<<32-1)
			d := time.Duration(seconds) * time.Second
			if seconds == 1<<32-1 {
				d = forever
			}
			out.SessionExpiry = &d
		default:
			return false
		}
		return true
	})
	r.take(p)
}

// forever is store.Forever, the interval that never ends.
const forever = time.Duration(1<<63 - 1)

// take makes the problem of a table inside one's own.
func (r *reader) take(p *reader) {
	if r.err == nil {
		r.err = p.err
	}
}

func (r *reader) subscriberID(key string, v lua.LValue, was mqtt.SessionKey) *mqtt.SessionKey {
	p, ok := r.sub(key, v)
	if !ok {
		return nil
	}
	var mountpoint, id *string
	p.each(func(key string, v lua.LValue) bool {
		switch key {
		case "mountpoint":
			p.str(key, v, &mountpoint)
		case "client_id":
			p.str(key, v, &id)
		default:
			return false
		}
		return true
	})
	r.take(p)
	if r.err == nil && (mountpoint == nil || id == nil || *id == "") {
		r.fail(key, "want mountpoint and client_id")
	}
	if r.err != nil {
		return nil
	}
	return &mqtt.SessionKey{Mountpoint: *mountpoint, ClientID: *id}
}

func (r *reader) userProperties(key string, v lua.LValue) (list []mqtt.UserProperty) {
	t, ok := v.(*lua.LTable)
	if !ok {
		r.fail(key, "want an array of tables with one key, got %s", describe(v))
		return nil
	}
	size := 0
	n := r.items(key, t)
	for i := 1; i <= n; i++ {
		u, ok := userProperty(t.RawGetInt(i))
		if !ok {
			r.fail(key, "entry %d: want a table with one name and one string", i)
			return nil
		}
		size += len(u.Key) + len(u.Value)
		if max(len(u.Key), len(u.Value)) > mostProperty || size > mostUserProperties {
			r.fail(key, "entry %d: want at most %d bytes in a name or a string, and %d in all", i, mostProperty, mostUserProperties)
			return nil
		}
		list = append(list, u)
	}
	return list
}

// userProperty reads {k = v}.
func userProperty(v lua.LValue) (u mqtt.UserProperty, ok bool) {
	one, ok := v.(*lua.LTable)
	if !ok {
		return u, false
	}
	n := 0
	one.ForEach(func(k, v lua.LValue) {
		ks, okK := k.(lua.LString)
		vs, okV := v.(lua.LString)
		u, ok = mqtt.UserProperty{Key: string(ks), Value: string(vs)}, ok && okK && okV
		n++
	})
	return u, ok && n == 1
}

// topicName reads a topic name.
func (r *reader) topicName(key string, v lua.LValue, into **string) {
	r.str(key, v, into)
	if *into == nil {
		return
	}
	if err := topic.ValidateName(**into, maxDepth); err != nil {
		r.fail(key, "%v", err)
	}
}

func (r *reader) bytes(key string, v lua.LValue, into **[]byte) {
	var s *string
	if r.str(key, v, &s); s != nil {
		b := []byte(*s)
		*into = &b
	}
}
