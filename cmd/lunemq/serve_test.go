package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/listener/certtest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/conf"
)

var rewrite = flag.Bool("rewrite", false, "write derived files anew")

// running is one lunemq serve in the test's process.
type running struct {
	t      *testing.T
	ready  map[string]string // KIND.NAME -> address
	hup    chan os.Signal
	stop   context.CancelFunc
	status chan int
	log    *brokertest.Output
	dir    string
}

// serveWith starts lunemq serve with a configuration file and waits for its
// ready line.
func serveWith(t *testing.T, file string, set ...string) *running {
	t.Helper()
	r := &running{t: t, ready: map[string]string{}, hup: make(chan os.Signal), status: make(chan int, 1), log: &brokertest.Output{}, dir: t.TempDir()}
	args := []string{"serve", "--conf", file}
	for _, s := range append([]string{"data_dir=" + filepath.Join(r.dir, "data"), "admin.socket=" + filepath.Join(r.dir, "run", "admin.sock")}, set...) {
		args = append(args, "--set", s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	out, in := io.Pipe()
	go func() {
		r.status <- run(ctx, r.hup, process{args: args, stdout: in, stderr: r.log})
		_ = in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("no ready line (%v):\n%s", err, r.log)
	}
	for _, part := range strings.Fields(line)[1:] {
		name, addr, _ := strings.Cut(part, "=")
		r.ready[name] = addr
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	t.Cleanup(func() { r.end(0) })
	return r
}

// end stops the broker and checks its exit status.
func (r *running) end(want int) {
	r.t.Helper()
	if r.stop == nil {
		return
	}
	r.stop()
	r.stop = nil
	if got := <-r.status; got != want {
		r.t.Errorf("exit status %d, want %d:\n%s", got, want, r.log)
	}
}

// admin runs one command over the admin socket.
func (r *running) admin(command string) string {
	r.t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", filepath.Join(r.dir, "run", "admin.sock"))
	}, DisableKeepAlives: true}}
	resp, err := client.Get("http://local/api/v1/" + command)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(body)
}

// logged waits until the log contains a text: lines are written a little later
// than what they tell.
func (r *running) logged(text string) {
	r.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(r.log.String(), text); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("the log lacks %q:\n%s", text, r.log)
		}
	}
}

// connect sends a CONNECT and returns the reason code of the CONNACK.
func (r *running) connect(c packet.Connect) mqtt.ReasonCode {
	r.t.Helper()
	nc, err := net.Dial("tcp", r.ready["tcp.default"])
	if err != nil {
		r.t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Write(c.Append(nil, c.Version)); err != nil {
		r.t.Fatal(err)
	}
	var in []byte
	dec := packet.Decoder{Version: c.Version}
	for buf := make([]byte, 1024); ; {
		n, err := nc.Read(buf)
		in = append(in, buf[:n]...)
		if p, k, derr := dec.Decode(in); k > 0 {
			return p.(*packet.Connack).Code
		} else if derr != nil || err != nil {
			r.t.Fatalf("no CONNACK: %v %v", derr, err)
		}
	}
}

var quickstart = filepath.Join("..", "..", "conf", "quickstart.conf")

var anyPort = []string{"listener.tcp.default=127.0.0.1:0", "listener.http.default=127.0.0.1:0"}

func TestServe_Quickstart(t *testing.T) {
	r := serveWith(t, quickstart, append(anyPort, "acl.acl_file=../../conf/quickstart.acl")...)
	if code := r.connect(packet.Connect{Version: mqtt.V5, CleanStart: true, ClientID: "a"}); code != mqtt.Success {
		t.Error(code)
	}
	resp, err := http.Get("http://" + r.ready["http.default"] + "/health")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
	if got := r.admin("listener/show"); !strings.Contains(got, `"status":"running"`) {
		t.Error(got)
	}
	second := &brokertest.Output{}
	args := []string{"serve", "--conf", quickstart, "--set", "data_dir=" + filepath.Join(r.dir, "data"), "--set", "admin.socket=" + filepath.Join(r.dir, "other.sock")}
	if status := run(t.Context(), nil, process{args: args, stdout: io.Discard, stderr: second}); status != 1 || !strings.Contains(second.String(), "in use by another lunemq") {
		t.Errorf("a second process on the same data_dir: status %d, %s", status, second)
	}
	r.end(0)
}

// TestServe_VerneMQ starts with the file that VerneMQ ships.
func TestServe_VerneMQ(t *testing.T) {
	dir := t.TempDir()
	acl, passwd := filepath.Join(dir, "vmq.acl"), filepath.Join(dir, "vmq.passwd")
	for _, f := range []struct{ path, text string }{{acl, "topic #\n"}, {passwd, ""}} {
		if err := os.WriteFile(f.path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := serveWith(t, "../../conf/testdata/vernemq.conf", append(anyPort, "vmq_acl.acl_file="+acl, "vmq_passwd.password_file="+passwd,
		"log.console=console", "listener.ws.default=127.0.0.1:0")...)
	if code := r.connect(packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a"}); code != mqtt.NotAuthorized {
		t.Errorf("an anonymous client got %v, want not_authorized", code)
	}
	if r.ready["ws.default"] == "" {
		t.Errorf("no WebSocket listener: %v", r.ready)
	}
	if !strings.Contains(r.log.String(), "warning") {
		t.Error("no warning about keys that have no effect")
	}
}

func TestReload(t *testing.T) {
	dir := t.TempDir()
	file, acl := filepath.Join(dir, "lunemq.conf"), filepath.Join(dir, "acl")
	write := func(path, text string) { // whole, since a reload may be reading
		t.Helper()
		err := os.WriteFile(path+".new", []byte(text), 0o600)
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(acl, "topic #\n")
	base := "listener.tcp.default = 127.0.0.1:0\nplugins.passwd = off\nacl.acl_file = " + acl + "\n"
	write(file, base)
	r := serveWith(t, file, "acl.acl_reload_interval=0")
	c := packet.Connect{Version: mqtt.V311, CleanStart: true, ClientID: "a"}
	if code := r.connect(c); code != mqtt.NotAuthorized {
		t.Errorf("got %v", code)
	}
	write(file, base+"allow_anonymous = on\n")
	r.hup <- os.Interrupt
	if got := r.admin("show/allow_anonymous"); !strings.Contains(got, `"value":"on"`) {
		t.Error(got)
	}
	if code := r.connect(c); code != mqtt.Success {
		t.Errorf("got %v after the reload", code)
	}
	write(file, base+"allow_anonymos = on\n")
	r.hup <- os.Interrupt
	if got := r.admin("show/allow_anonymous"); !strings.Contains(got, `"value":"on"`) {
		t.Error("a faulty file changed something:", got)
	}
	if !strings.Contains(r.log.String(), "allow_anonymos") {
		t.Error("the log does not name the faulty key")
	}
	if got := r.admin("alarm/show"); !strings.Contains(got, `"alarm":"config_reload_failed","severity":"warning","subject":"`+file+`"`) {
		t.Error("no alarm:", got)
	}
	write(file, base+"allow_anonymous = on\n")
	r.hup <- os.Interrupt
	r.hup <- os.Interrupt // taken when the first is done
	if got := r.admin("alarm/show"); got != `{"type":"table","table":[]}`+"\n" {
		t.Error("the alarm stays:", got)
	}
	r.logged("alarm cleared")
	before := r.log.String()
	write(file, base+"allow_anonymous = on\nlistener.ws.new = 127.0.0.1:0\nlistener.tcp.default.max_connections = 7\n")
	r.hup <- os.Interrupt
	r.hup <- os.Interrupt
	r.logged("listener.ws.new")
	log := strings.TrimPrefix(r.log.String(), before)
	for _, want := range []string{`takes effect only after a restart" key=listener.ws.new value=127.0.0.1:0`, `changed" key=listener.tcp.default.max_connections old=10000 new=7 for=live`} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in %s", want, log)
		}
	}
	if strings.Count(log, "\n") != 2 {
		t.Errorf("want two lines for two changes: %s", log)
	}
	write(file, base) // somebody shuts the door, a typing error elsewhere or not
	write(acl, "topc #\n")
	r.hup <- os.Interrupt
	r.hup <- os.Interrupt
	if got := r.admin("show/allow_anonymous"); !strings.Contains(got, `"value":"off"`) || !strings.Contains(r.log.String(), "topc") {
		t.Error("the log does not show the faulty ACL line, or it keeps other keys from changing:", got)
	}
	if got := r.admin("set?max_message_rate=5"); !strings.Contains(got, "Done") {
		t.Error(got)
	}
	write(file, base+"acl.acl_file = "+acl+".other\n")
	write(acl+".other", "topc #\n")
	r.hup <- os.Interrupt
	r.hup <- os.Interrupt
	if got := r.admin("show/acl.acl_file"); strings.Contains(got, ".other") {
		t.Error("another file that is wrong was taken:", got)
	}
}

func TestSet(t *testing.T) {
	r := serveWith(t, quickstart, append(anyPort, "acl.acl_file=../../conf/quickstart.acl")...)
	if got := r.admin("set?max_inflight_messages=5&--persist"); !strings.Contains(got, "Done") {
		t.Error(got)
	}
	if got := r.admin("show/max_inflight_messages"); !strings.Contains(got, `"value":"5"`) {
		t.Error(got)
	}
	if text, err := os.ReadFile(filepath.Join(r.dir, "data", conf.RuntimeFile)); err != nil || !strings.Contains(string(text), "max_inflight_messages") {
		t.Errorf("%s %v", text, err)
	}
	if got := r.admin("set?data_dir=/elsewhere"); !strings.Contains(got, "start") {
		t.Error("data_dir was set at run time:", got)
	}
	if got := r.admin("set?max_inflight_mesages=5"); !strings.Contains(got, "max_inflight_messages") {
		t.Error("no suggestion:", got)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "l.conf")
	if err := os.WriteFile(file, []byte("allow_anonymous = maybe\n\nmax_inflight_mesages = 5\nacl.acl_file = /nowhere\ndata_dir =\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status := run(t.Context(), nil, process{args: []string{"check", "--conf", file}, stdout: &out, stderr: &out}); status != 1 {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{file + ":1: error:", file + ":3: error:", "max_inflight_messages", file + ":5: error: data_dir"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	out.Reset()
	if status := run(t.Context(), nil, process{args: []string{"check", "--conf", quickstart, "--set", "acl.acl_file=../../conf/quickstart.acl"}, stdout: &out, stderr: &out}); status != 0 {
		t.Errorf("status %d\n%s", status, &out)
	}
	out.Reset()
	if status := run(t.Context(), nil, process{args: []string{"config", "--conf", quickstart, "--changed"}, stdout: &out, stderr: &out}); status != 0 || !strings.Contains(out.String(), "allow_anonymous = on  ## "+quickstart+":7") {
		t.Errorf("status %d\n%s", status, &out)
	}
	if strings.Contains(out.String(), "## default") {
		t.Errorf("keys at their default are shown as changed:\n%s", &out)
	}
}

// What only several keys together show is found before a listener is opened.
func TestCheck_Listeners(t *testing.T) {
	file := filepath.Join(t.TempDir(), "l.conf")
	text := "listener.tcp.a = 127.0.0.1:1\nlistener.tcp.b = 127.0.0.1:1\nlistener.ssl.c = 127.0.0.1:2\n" +
		"listener.tcp.a.auth_plugins = [passwd,nope]\nlistener.tcp.a.authz_plugins = [acl,acl]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status := run(t.Context(), nil, process{args: []string{"check", "--conf", file}, stdout: &out, stderr: &out}); status != 1 {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{
		":2: error: \"127.0.0.1:1\" is the address of listener.tcp.a too", ":3: error: listener.ssl.c has no certificate",
		":4: error: listener.tcp.a.auth_plugins names \"nope\"", ":5: error: listener.tcp.a.authz_plugins names \"acl\" twice",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

// What is wrong in a file that the configuration names is shown with the line
// that names it, then with its own.
func TestCheck_Files(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "l.conf")
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	acl, passwd, cert := write("acl", "topic #\ntopc #\n\ntopic a/#/b\n"), write("passwd", "ann:secret\n"),
		write("cert.pem", "mine\n-----BEGIN CERTIFICATE-----\nMTIz\n-----END CERTIFICATE-----\n")
	ca := certtest.NewAuthority(t, "authority")
	server, other := ca.Issue(t, "a", nil), ca.Issue(t, "b", nil)
	text := []string{"acl.acl_file = " + acl, "vmq_passwd.password_file = " + passwd,
		"listener.ssl.certfile = " + server.CertFile, "listener.ssl.keyfile = " + server.KeyFile,
		"listener.ssl.good = 127.0.0.1:1", "listener.ssl.ca = 127.0.0.1:2", "listener.ssl.ca.cafile = " + cert,
		"listener.ssl.key = 127.0.0.1:3", "listener.ssl.key.keyfile = " + other.KeyFile,
		"listener.ssl.cert = 127.0.0.1:4", "listener.ssl.cert.certfile = /nowhere"}
	write("l.conf", strings.Join(text, "\n"))
	var out bytes.Buffer
	if status := run(t.Context(), nil, process{args: []string{"check", "--conf", file}, stdout: &out, stderr: &out}); status != 1 {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{
		file + ":1: error: acl.acl_file: " + acl + ":2: unknown word topc",
		file + ":1: error: acl.acl_file: " + acl + ":4: ",
		file + ":2: error: passwd.password_file: " + passwd + ":1: ",
		file + ":7: error: listener.ssl.ca.cafile: ssl.ca: cafile: " + cert + ":2: x509",
		file + ":9: error: listener.ssl.key.keyfile: ssl.key: keyfile " + other.KeyFile,
		file + ":11: error: listener.ssl.cert.certfile: ssl.cert: certfile: open /nowhere",
		": 6 errors, 0 warnings",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	out.Reset()
	write("l.conf", "data_dir = "+dir+"\nplugins.acl = off\npasswd.password_file = "+passwd+"\nadmin.socket = "+dir+"/s\n")
	if status := run(t.Context(), nil, process{args: []string{"serve", "--conf", file}, stdout: &out, stderr: &out}); status != 1 ||
		!strings.Contains(out.String(), "lunemq: not started: "+file+":3: error: passwd.password_file: "+passwd+":1: ") {
		t.Errorf("status %d, %s", status, &out)
	}
	out.Reset()
	if run(t.Context(), nil, process{args: []string{"check", "--conf", write("empty.conf", "plugins.acl = off\n")}, stdout: &out, stderr: &out}); !strings.Contains(out.String(),
		"empty.conf: error: passwd.password_file (/etc/lunemq/lunemq.passwd by default): ") {
		t.Error(&out)
	}
}

func TestRun_Usage(t *testing.T) {
	for _, c := range []struct {
		args string
		want int
	}{{"", 2}, {"frobnicate", 2}, {"serve --nonsense", 2}, {"serve extra", 2}, {"version", 0}, {"version x", 2}, {"help", 0}, {"serve --conf /nowhere", 1}, {"check --conf /nowhere", 1}} {
		var out bytes.Buffer
		if got := run(t.Context(), nil, process{args: strings.Fields(c.args), stdout: &out, stderr: &out}); got != c.want || out.Len() == 0 {
			t.Errorf("lunemq %s: status %d, want %d; %s", c.args, got, c.want, &out)
		}
	}
}

// TestShippedConf: conf/lunemq.conf is what the structures say. go test
// ./cmd/lunemq -run ShippedConf -rewrite writes it anew.
func TestShippedConf(t *testing.T) {
	var want bytes.Buffer
	if err := conf.WriteExample(&want, sections()...); err != nil {
		t.Fatal(err)
	}
	const path = "../../conf/lunemq.conf"
	if *rewrite {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is stale (%v): run go test ./cmd/lunemq -run ShippedConf -rewrite", path, err)
	}
}

// TestPluginCommands: a plugin is switched on that no line has named yet.
func TestPluginCommands(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lunemq.conf")
	write := "listener.tcp.default = 127.0.0.1:0\nplugins.passwd = off\nplugins.acl = off\nscript.script_dir = " + filepath.Join(dir, "lua") + "\n"
	if err := os.WriteFile(file, []byte(write), 0o600); err != nil {
		t.Fatal(err)
	}
	r := serveWith(t, file)
	defer r.end(0)
	for _, tt := range []struct{ command, want string }{
		{"plugin/enable?--name=nothing", "plugin_not_found"},
		{"plugin/disable?--name=lua", "already_disabled"},
		{"plugin/enable?--name=vmq_diversity", "Done"},
		{"plugin/enable?--name=lua", "already_enabled"},
		{"plugin/enable?--path=/x", "Erlang"},
		{"script/show", `"table":[]`},
		{"plugin/disable?--name=lua", "Done"},
		{"script/show", "the plugin lua is off"},
	} {
		if got := r.admin(tt.command); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %q", tt.command, got, tt.want)
		}
	}
}
