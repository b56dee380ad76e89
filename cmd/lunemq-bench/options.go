package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// options are the flags of a scenario. Immutable once parsed.
type options struct {
	scenario    string
	targets     []*net.TCPAddr
	pids        []int
	pairs       int
	publishers  int
	subscribers int
	qos         mqtt.QoS
	size        int // bytes of a payload
	duration    time.Duration
	warmup      time.Duration
	rate        float64 // messages per second and publisher, 0 = as fast as the window allows
	window      int     // messages of a publisher under way
	single      bool    // one packet per write
	durable     bool
	version     mqtt.Version
	json        bool

	count       int // connections, filters or messages, as the scenario says
	concurrency int
	entries     int // of one SUBSCRIBE
	pattern     string
	relay       string
	sources     int
	threads     int
	prefix      string // of client identifiers and topics
	bare        bool   // the other side is a relay and speaks no MQTT
	patience    time.Duration
}

// defaults differ between scenarios.
type defaults struct {
	pairs, publishers, subscribers, count, window, size int
	qos                                                 int
	rate                                                float64
}

// list is a flag that may be repeated or hold several values.
type list []string

// String implements flag.Value.
func (l *list) String() string { return strings.Join(*l, ",") }

// Set implements flag.Value.
func (l *list) Set(s string) error {
	*l = append(*l, strings.Split(s, ",")...)
	return nil
}

// raw are flags that are not options as they stand.
type raw struct {
	urls, pids              list
	pidfile, version, batch string
	qos                     int
	clean, durable          bool
}

// parseOptions reads the flags of a scenario.
func parseOptions(s *scenario, args []string, stderr io.Writer) (*options, error) {
	o, r, d := &options{scenario: s.name}, &raw{}, s.defaults
	f := flag.NewFlagSet("lunemq-bench "+s.name, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Var(&r.urls, "url", "broker as `tcp://HOST:PORT`; connections are spread over several (default tcp://127.0.0.1:1883)")
	f.Var(&r.pids, "pid", "`PID` of the broker, to read its CPU time and memory; several are added up")
	f.StringVar(&r.pidfile, "pidfile", "", "`FILE` with the broker's process id")
	f.IntVar(&o.pairs, "pairs", d.pairs, "publishers with a subscriber each")
	f.IntVar(&o.publishers, "publishers", d.publishers, "publishing connections")
	f.IntVar(&o.subscribers, "subscribers", d.subscribers, "subscribing connections")
	f.IntVar(&r.qos, "qos", d.qos, "quality of service, 0 to 2")
	f.IntVar(&o.size, "size", d.size, "payload in `bytes`, at least 20")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "how long is measured")
	f.DurationVar(&o.warmup, "warmup", 500*time.Millisecond, "traffic before that")
	f.Float64Var(&o.rate, "rate", d.rate, "messages per second and publisher, sent at times fixed beforehand (open loop); 0 = as fast as the window allows")
	f.IntVar(&o.window, "window", d.window, "messages of one publisher under way, when there is no rate")
	f.StringVar(&r.batch, "batch", "many", "packets per write of a publisher: one, or as many as are due")
	f.BoolVar(&r.clean, "clean", true, "subscribers begin a session that ends with the connection")
	f.BoolVar(&r.durable, "durable", false, "subscribers have a session that outlives the connection")
	f.StringVar(&r.version, "version", "3.1.1", "protocol, 3.1, 3.1.1 or 5.0")
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	f.IntVar(&o.count, "count", d.count, s.countDoc)
	f.IntVar(&o.concurrency, "concurrency", 20, "connections being made at a time")
	f.IntVar(&o.entries, "entries", 100, "filters of one SUBSCRIBE")
	f.StringVar(&o.pattern, "pattern", "pair", "what limit does: "+strings.Join(limitPatterns, ", "))
	f.StringVar(&o.relay, "relay", "epoll", "the relay of limit: epoll or goroutine (one per socket)")
	f.IntVar(&o.sources, "sources", 1, "source addresses 127.0.0.1 to 127.0.0.N, so that many short connections find a port")
	f.IntVar(&o.threads, "threads", 1, "threads of the generator that share the pairs, so that it is not the slower side")
	f.StringVar(&o.prefix, "prefix", "bench-"+strconv.Itoa(os.Getpid()), "beginning of client identifiers and topics")
	f.DurationVar(&o.patience, "patience", 5*time.Second, "how long nothing may arrive before what is under way counts as lost")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return o, o.complete(r)
}

// complete checks and converts what the flags left.
func (o *options) complete(r *raw) (err error) {
	if o.version, err = parseVersion(r.version); err != nil {
		return err
	}
	if r.qos < 0 || r.qos > 2 {
		return fmt.Errorf("--qos %d: 0, 1 or 2", r.qos)
	}
	o.qos = mqtt.QoS(r.qos)
	if o.size < stampSize {
		return fmt.Errorf("--size %d: the payload holds a time stamp and needs %d bytes", o.size, stampSize)
	}
	if r.batch != "one" && r.batch != "many" {
		return fmt.Errorf("--batch %q: one or many", r.batch)
	}
	o.single = r.batch == "one"
	o.durable = r.durable || !r.clean
	for name, n := range map[string]int{"pairs": o.pairs, "publishers": o.publishers, "subscribers": o.subscribers, "window": o.window,
		"count": o.count, "concurrency": o.concurrency, "entries": o.entries, "sources": o.sources, "threads": o.threads} {
		if n < 0 || n == 0 && name != "count" && name != "subscribers" {
			return fmt.Errorf("--%s %d: must be positive", name, n)
		}
	}
	if o.rate < 0 || o.duration <= 0 || o.warmup < 0 {
		return errors.New("--rate, --duration and --warmup must not be negative")
	}
	if len(r.urls) == 0 {
		r.urls = list{"tcp://127.0.0.1:1883"}
	}
	for _, u := range r.urls {
		a, err := parseURL(u)
		if err != nil {
			return err
		}
		o.targets = append(o.targets, a)
	}
	return o.processes(r)
}

// processes finds the broker's process ids.
func (o *options) processes(r *raw) error {
	if r.pidfile != "" {
		text, err := os.ReadFile(r.pidfile)
		if err != nil {
			return fmt.Errorf("--pidfile: %w", err)
		}
		r.pids = append(r.pids, strings.TrimSpace(string(text)))
	}
	for _, p := range r.pids {
		n, err := strconv.Atoi(p)
		if err != nil || n <= 0 {
			return fmt.Errorf("--pid %q: not a process id", p)
		}
		o.pids = append(o.pids, n)
	}
	return nil
}

func parseVersion(s string) (mqtt.Version, error) {
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
		if s == v.String() || v == mqtt.V5 && s == "5" {
			return v, nil
		}
	}
	return 0, fmt.Errorf("--version %q: 3.1, 3.1.1 or 5.0", s)
}

func parseURL(s string) (*net.TCPAddr, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "tcp" && u.Scheme != "mqtt" || u.Host == "" {
		return nil, fmt.Errorf("--url %q: tcp://HOST:PORT is wanted", s)
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "1883")
	}
	a, err := net.ResolveTCPAddr("tcp", host)
	if err != nil {
		return nil, fmt.Errorf("--url %q: %w", s, err)
	}
	return a, nil
}
