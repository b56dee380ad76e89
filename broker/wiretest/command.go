package wiretest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/registry"
)

// command runs one command. One that sends through a client puts the bytes
// together and returns the client.
func (r *run) command(text string, say func(string, ...any)) (*client, error) {
	words := split(text)
	a := &args{words: words[1:]}
	switch words[0] {
	case "advance":
		for _, w := range a.rest() {
			d, err := time.ParseDuration(w)
			if err != nil {
				return nil, err
			}
			r.sleep(d)
		}
		return nil, nil
	case "metrics":
		return nil, r.metrics(a.rest(), say)
	case "sessions":
		r.sessions(say)
		return nil, a.done()
	case "store":
		return nil, r.storage(a.rest())
	case "expel": // as an operator does
		key := mqtt.SessionKey{ClientID: a.str("id", "")}
		r.broker.Registry.Disconnect(time.Now(), key, mqtt.AdministrativeAction, a.flag("cleanup"))
		return nil, a.done()
	case "inject": // a message of the broker's own
		m := &mqtt.Message{Topic: a.str("topic", ""), Payload: []byte(a.str("payload", "")), Retain: a.flag("retain")}
		r.broker.Server.Inject(time.Now(), nil, m, false)
		return nil, a.done()
	case "stop":
		r.stop()
		return nil, a.done()
	case "restart":
		r.stop()
		r.start()
		return nil, a.done()
	case "crash": // kill -9: what is not in the store is lost
		r.crash()
		r.start()
		return nil, a.done()
	case "probe":
		return nil, r.probe(a, say)
	}
	return r.clientCommand(words[0], a)
}

// clientCommand is a command whose first word is a client's name.
func (r *run) clientCommand(verb string, a *args) (*client, error) {
	if len(a.words) == 0 {
		return nil, fmt.Errorf("%s needs a client", verb)
	}
	name := a.words[0]
	a.words = a.words[1:]
	c := r.clients[name]
	if verb == "connect" || verb == "dial" {
		c = r.fresh(name, a)
		if verb == "connect" {
			c.send(connectPacket(name, a))
		}
		return c, a.done()
	}
	if c == nil {
		return nil, fmt.Errorf("no client %q", name)
	}
	switch verb {
	case "close":
		c.pipe.hangUp()
		c.dropped = true
		return nil, a.done()
	case "stall", "flow":
		c.pipe.stall(verb == "stall")
		return nil, a.done()
	case "raw":
		b, err := rawBytes(a.rest())
		c.out = append(c.out, b...)
		return c, err
	}
	build, known := builders[verb]
	if !known {
		return nil, fmt.Errorf("no command %q", verb)
	}
	c.send(build(a))
	return c, a.done()
}

// fresh returns the open connection of that name, or a new one.
func (r *run) fresh(name string, a *args) *client {
	v := r.version
	if s, ok := a.take("v"); ok {
		v = versions[s]
	}
	auto, quiet := a.flag("auto"), a.flag("quiet")
	if c := r.clients[name]; c != nil {
		if c.live() {
			return c
		}
		r.order = slices.DeleteFunc(r.order, func(x *client) bool { return x == c })
	}
	c := &client{name: name, version: v, auto: auto || quiet, quiet: quiet, dec: packet.Decoder{Version: v}, pipe: r.dial()}
	r.clients[name] = c
	r.order = append(r.order, c)
	return c
}

// probe sends raw bytes through a connection of its own, behind a CONNECT
// unless the first word is "first", and says how the broker took it.
func (r *run) probe(a *args, say func(string, ...any)) error {
	first := a.flag("first")
	b, err := rawBytes(a.rest())
	if err != nil {
		return err
	}
	r.probes++
	c := &client{version: r.version, dec: packet.Decoder{Version: r.version}, pipe: r.dial()}
	if !first {
		c.send(&packet.Connect{Version: r.version, CleanStart: true, ClientID: "probe" + strconv.Itoa(r.probes)})
		c.flush()
		r.sleep(0)
		if got := c.received(); len(got) != 1 {
			return fmt.Errorf("probe not connected: %q", got)
		}
	}
	c.out = b
	c.flush()
	r.sleep(0)
	answers := c.received()
	if c.closed {
		answers = append(answers, "closed")
	} else {
		answers = append(answers, "open")
	}
	say("%s", strings.Join(answers, ", "))
	c.pipe.hangUp()
	c.dropped = true
	r.sleep(0)
	return nil
}

// metrics prints counters: NAME, or NAME{LABEL=VALUE}.
func (r *run) metrics(names []string, say func(string, ...any)) error {
	r.asked++
	snap := r.broker.Catalogue.Snapshot(time.Now().Add(time.Duration(r.asked) * 2 * time.Second))
	for _, n := range names {
		name, label, _ := strings.Cut(strings.TrimSuffix(n, "}"), "{")
		key, want, _ := strings.Cut(label, "=")
		sum, found := int64(0), false
		for i := range snap.Rows {
			row := &snap.Rows[i]
			if row.Name != name || label != "" && row.Label(key) != want {
				continue
			}
			if label == "" && row.Labels == nil { // the metric itself, or the sum of its rows
				sum, found = row.Value, true
				break
			}
			sum, found = sum+row.Value, true
		}
		if !found {
			return fmt.Errorf("no metric %q", n)
		}
		say("%s %d", n, sum)
	}
	return nil
}

// sessions prints one line per session.
func (r *run) sessions(say func(string, ...any)) {
	var lines []string
	r.broker.Registry.Each(func(c *registry.Client) bool {
		i, ok := c.Info(true)
		if !ok {
			return true
		}
		l := &line{}
		l.WriteString(quoteEmpty(i.Key.ClientID))
		if strings.HasPrefix(i.Key.ClientID, "anon-") {
			l.Reset()
			l.WriteString("<assigned>")
		}
		l.flag(i.Online, "online")
		l.flag(!i.Online, "offline")
		l.flag(i.Durable, "durable")
		l.add(i.Queued > 0, "queued=%d", i.Queued)
		l.add(i.Inflight > 0, "inflight=%d", i.Inflight)
		for _, f := range slices.Sorted(maps.Keys(i.Subscriptions)) {
			l.add(true, "%s:%d", f, i.Subscriptions[f].QoS)
		}
		lines = append(lines, l.String())
		return true
	})
	slices.Sort(lines)
	for _, l := range lines {
		say("%s", l)
	}
}

func (r *run) storage(words []string) error {
	modes := map[string]storeMode{"works": storeWorks, "fails": storeFails, "breaks": storeBreaks, "holds": storeHolds}
	if len(words) != 1 {
		return fmt.Errorf("store works, fails, breaks or holds")
	}
	m, known := modes[words[0]]
	if !known {
		return fmt.Errorf("store works, fails, breaks or holds, not %q", words[0])
	}
	r.store.set(m)
	return nil
}
