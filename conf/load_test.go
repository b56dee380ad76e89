package conf

import (
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

func sample(t testing.TB) *Schema {
	t.Helper()
	s, err := New(sampleSections()...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files is a ReadFile over a map.
func files(m map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if text, ok := m[path]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
}

func load(t testing.TB, text string) *Result {
	t.Helper()
	res, err := sample(t).Load(Sources{File: "a.conf", ReadFile: files(map[string]string{"a.conf": text})})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func loadGood(t testing.TB, text string) *Result {
	t.Helper()
	res := load(t, text)
	if err := res.Err(); err != nil {
		t.Fatal(err)
	}
	return res
}

func TestLoad_Types(t *testing.T) {
	res := loadGood(t, `# a comment
allow_anonymous = on
  max_inflight_messages=5   ## trailing
retry_interval = off
mqtt_connect_timeout = 2s
persistent_client_expiration = 1m`+"\r\n"+`
queue_type = lifo
queue_type = fifo
max_message_size = 10kB
snmp.community.ops = a=b#c
memory_limit = 2GB
`)
	c, h := Section[sessionConfig](res), Section[houseConfig](res)
	if !c.AllowAnonymous || c.MaxInflight != 5 || c.RetryInterval != 0 || c.ConnectTimeout != 2*time.Second ||
		c.PersistentExpiry != value.ExpiryOf(28*24*time.Hour) || c.QueueType != "fifo" || c.MaxMessageSize != 10<<10 ||
		c.MaxOnline != 1000 || h.Memory.Bytes != 2<<30 {
		t.Errorf("got %+v", c)
	}
	if got := h.Community["ops"].Reveal(); got != "a=b#c" {
		t.Errorf("community: got %q", got)
	}
	for key, want := range map[string]string{
		"queue_type": "fifo a.conf:9", "max_inflight_messages": "5 a.conf:3", "topic_max_depth": "10 default",
		"retry_interval": "off a.conf:4", "mqtt_connect_timeout": "2000 a.conf:5", "snmp.community.ops": "******** a.conf:11",
	} {
		if v, ok := res.Get(key); !ok || v.Value+" "+v.Origin.String() != want {
			t.Errorf("%s: got %q %q, want %q", key, v.Value, v.Origin, want)
		}
	}
}

func TestLoad_Precedence(t *testing.T) {
	const key = "max_client_id_size"
	src := Sources{
		File: "a.conf",
		Env: []string{
			"lunemq_max_client_id_size=3", "DOCKER_VERNEMQ_MAX_CLIENT_ID_SIZE=2", "LUNEMQ_ADMIN_SOCKET=x",
			"LUNEMQ_SERVICE_HOST=10.0.0.1", "LUNEMQ_PORT_1883_TCP=x", "DOCKER_VERNEMQ_ACCEPT_EULA=yes", "HOME=/",
			"DOCKER_VERNEMQ_VMQ_ACL__ACL_FILE=/x", "LUNEMQ_LISTENER__TCP__DEFAULT=127.0.0.1:1",
		},
		Set: []string{key + "=5", key + " = 6"}, RunTime: []string{key + "=7"},
		ReadFile: files(map[string]string{"a.conf": "data_dir = /d\n" + key + " = 1", "/d/runtime.conf": key + " = 4"}),
	}
	check := func(src Sources, want string) {
		t.Helper()
		res, err := sample(t).Load(src)
		if err != nil || res.Err() != nil {
			t.Fatal(err, res.Err())
		}
		if v, _ := res.Get(key); v.Value+" "+v.Origin.String() != want {
			t.Errorf("got %q %q, want %q", v.Value, v.Origin, want)
		}
	}
	check(src, "7 set")
	src.RunTime = nil
	check(src, "6 --set")
	src.Set = nil
	check(src, "4 /d/runtime.conf:1")
	src.ReadFile = files(map[string]string{"a.conf": key + " = 1"})
	check(src, "3 env lunemq_max_client_id_size")
	src.Env = src.Env[1:]
	check(src, "2 env DOCKER_VERNEMQ_MAX_CLIENT_ID_SIZE")
	res, _ := sample(t).Load(src)
	if v, _ := res.Get("acl.acl_file"); v.Value != "/x" {
		t.Errorf("alias in the environment: got %+v", v)
	}
	if v, _ := res.Get("listener.tcp.default"); v.Value != "127.0.0.1:1" {
		t.Errorf("listener in the environment: got %+v", v)
	}
	src.Env = nil
	check(src, "1 a.conf:1")
	src.File = ""
	check(src, "100 default")
	src.File = "absent"
	if _, err := sample(t).Load(src); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("absent file: got %v", err)
	}
	// The data directory may come from --set, but not from the runtime file.
	src.Set = []string{"data_dir=/e"}
	src.File = "a.conf"
	src.ReadFile = files(map[string]string{"a.conf": "data_dir = /d", "/e/runtime.conf": key + " = 9\ndata_dir = /f"})
	check(src, "9 /e/runtime.conf:1")
}

func TestLoad_Listeners(t *testing.T) {
	res := loadGood(t, `
listener.max_connections = 7
listener.tcp.max_connections = 8
listener.tcp.a = 127.0.0.1
listener.tcp.a.mountpoint = x
listener.tcp.a.auth_plugins = [vmq_passwd, vmq_diversity]
listener.tcp.b = [::1]:1
listener.tcp.b.max_connections = infinity
listener.tcp.u = local:/run/x:0
listener.cafile = /ca
listener.ssl.a = :0
listener.ws.a = localhost:1
listener.ws.a.proxy_xff_trusted_intermediate = 10.0.0.1;10.0.0.2
listener.http.default = 127.0.0.1
listener.http.http_module.vmq_http_mgmt_api.auth.mode = apikey
listener.http.default.http_module.vmq_status_http.auth.mode = noauth
`)
	c := Section[listenersConfig](res)
	a, b := c.TCP["a"], c.TCP["b"]
	if len(c.TCP) != 3 || a.Addr.HostPort() != "127.0.0.1:1883" || a.MaxConnections != 8 || a.Mountpoint != "x" ||
		!reflect.DeepEqual(a.AuthPlugins, []string{"passwd", "lua"}) || !reflect.DeepEqual(a.Versions, []int{3, 4, 5, 131}) {
		t.Errorf("a: got %+v", a)
	}
	if b.Addr.HostPort() != "[::1]:1" || b.MaxConnections != 0 || b.Mountpoint != "off" || c.TCP["u"].Addr.Network() != "unix" {
		t.Errorf("b: got %+v", b)
	}
	if s := c.SSL["a"]; s.TLS.CAFile != "/ca" || s.Client.MaxConnections != 7 || s.Client.Addr.Port != 0 {
		t.Errorf("ssl: got %+v", s)
	}
	if w := c.WS["a"]; len(w.XFFFrom) != 2 || w.TLS.CAFile != "/ca" {
		t.Errorf("ws: got %+v", w)
	}
	m := c.HTTP["default"].Modules
	if len(m) != 2 || m["http_mgmt_api"].Auth != "apikey" || m["status_http"].Auth != "noauth" {
		t.Errorf("http modules: got %+v", m)
	}
	for key, want := range map[string]string{
		"listener.tcp.a.max_connections": "8 a.conf:3", "listener.tcp.b.max_connections": "infinity a.conf:8",
		"listener.tcp.a": "127.0.0.1:1883 a.conf:4", "listener.tcp.a.auth_plugins": "passwd,lua a.conf:6",
	} {
		if v, _ := res.Get(key); v.Value+" "+v.Origin.String() != want {
			t.Errorf("%s: got %q %q, want %q", key, v.Value, v.Origin, want)
		}
	}
}

func TestLoad_Plugins(t *testing.T) {
	res := loadGood(t, "plugins.vmq_passwd = off\nplugins.passwd.priority = 3\nplugins.vmq_acl.priority = 4")
	want := map[string]pluginConfig{"acl": {true, 4}, "passwd": {false, 3}}
	if got := Section[houseConfig](res).Plugins; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if v, _ := res.Get("plugins.vmq_acl"); v.Value != "on" || v.Default != "on" || v.Origin.Kind != FromDefault {
		t.Errorf("plugins.acl: got %+v", v)
	}
}

func TestLoad_Problems(t *testing.T) {
	tests := []struct{ line, want string }{
		{"max_inflight_mesages = 5", `unknown key "max_inflight_mesages"; did you mean "max_inflight_messages"?`},
		{"Allow_Anonymous = on", `unknown key "Allow_Anonymous"; did you mean "allow_anonymous"?`},
		{"entirely.else = on", "unknown key \"entirely.else\"; `lunemq config` lists all keys"},
		{"vmq_acl.acl_fiel = x", `unknown key "vmq_acl.acl_fiel"; did you mean "acl.acl_file"?`},
		{"nonsense", `"nonsense" assigns nothing; write KEY = VALUE, or # before a comment`},
		{"a b = c", `"a b" is not a key: ' ' cannot stand in it; write KEY = VALUE, or # before a comment`},
		{"= c", `"" is not a key: a part between two dots is empty; write KEY = VALUE, or # before a comment`},
		{"allow_anonymous = yes", `allow_anonymous: "yes" is not a flag; accepted: on, off`},
		{"max_inflight_messages = 70000", `max_inflight_messages: "70000" is not a whole number; accepted: whole numbers from 0 to 65535`},
		{"max_client_id_size = 0", `max_client_id_size: "0" is out of range; accepted: whole numbers from 1 to 65535`},
		{"max_online_messages = -2", `max_online_messages: "-2" is out of range; accepted: whole numbers from -1`},
		{"retry_interval = soon", `retry_interval: "soon" is not a duration; accepted: whole numbers of s from 0 to 3600, off`},
		{"retry_interval = 2h", `retry_interval: "2h" is out of range; accepted: whole numbers of s from 0 to 3600, off`},
		{"queue_type = filo", `queue_type: "filo" is not one of its values; accepted: fifo, lifo`},
		{"max_message_size = big", `max_message_size: "big" is not a size in bytes; accepted: a number, or one with kB, MB or GB, such as 4096 or 10MB`},
		{"listener.tcp.x = 1883", `listener.tcp.x: "1883" is not an address (the host is missing, write for instance 0.0.0.0:1883); accepted: HOST:PORT, [IPV6]:PORT or local:/PATH:0`},
		{"listener.tcp.x.mountpoint = m", `"listener.tcp.x.mountpoint" belongs to nothing: no line gives "listener.tcp.x", so there is no listener "x"; add a line listener.tcp.x = HOST:PORT or remove this one`},
		{"listener.tcp.x.mountpiont = m", `unknown key "listener.tcp.x.mountpiont"; did you mean "listener.tcp.x.mountpoint"?`},
		{"listener.tcp.max_conections = 5", `unknown key "listener.tcp.max_conections"; did you mean "listener.tcp.max_connections"?`},
		{"listener.max_conections = 5", `unknown key "listener.max_conections"; did you mean "listener.max_connections"?`},
		{"listener.tcp.cafile = x", `unknown key "listener.tcp.cafile"; did you mean "listener.cafile"?`},
		{"listener.tpc.x = 127.0.0.1:1", `unknown key "listener.tpc.x"; did you mean "listener.tcp.x"?`},
		{"listener.max_connections = many", `listener.max_connections: "many" is not a whole number; accepted: whole numbers, infinity`},
	}
	for _, tt := range tests {
		res := load(t, "\n  "+tt.line+"\nallow_anonymous = on")
		var got []string
		for _, p := range res.Problems {
			got = append(got, p.String())
		}
		if strings.HasPrefix(tt.line, "listener.max_connections") {
			got = got[:1] // tcp has a range in its text, http has none
			tt.want = `listener.max_connections: "many" is not a whole number; accepted: whole numbers from 0, infinity`
		}
		if tt.line == "allow_anonymous = yes" {
			if len(got) != 0 {
				t.Errorf("an overridden line is a problem: %q", got)
			}
			got = nil
			for _, p := range load(t, "\n"+tt.line).Problems {
				got = append(got, p.String())
			}
		}
		if want := "a.conf:2: error: " + tt.want; len(got) != 1 || got[0] != want {
			t.Errorf("%s:\n got %q\nwant %q", tt.line, got, want)
		}
	}
}

func TestLoad_AllProblems(t *testing.T) {
	res, err := sample(t).Load(Sources{
		File: "a.conf", Env: []string{"LUNEMQ_NOSUCH__KEY=1", "DOCKER_VERNEMQ_USER_BOB=x"}, Set: []string{"max_client_id_size=x", "what"},
		ReadFile: files(map[string]string{"a.conf": "b0rk\nnosuch = 1\nqueue_type = x\n"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	errors, warnings, _ := Report(&b, res.Problems)
	for _, want := range []string{
		"a.conf:1: error:", "a.conf:2: error:", "a.conf:3: error:", "env LUNEMQ_NOSUCH__KEY: error: unknown key",
		"env DOCKER_VERNEMQ_USER_BOB: error:", "--set max_client_id_size: error:", "--set what: error:",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no line %q in\n%s", want, &b)
		}
	}
	if errors != 7 || warnings != 0 || !res.Failed() || !strings.Contains(res.Err().Error(), "and 6 more") {
		t.Errorf("got %d errors, %d warnings, %v", errors, warnings, res.Err())
	}
	if p := res.Problems[1]; p.Line != 2 || p.Column != 1 || p.Token != "nosuch" {
		t.Errorf("got %+v", p)
	}
}

func TestSet(t *testing.T) {
	res := loadGood(t, "max_inflight_messages = 5\nsnmp.community.ops = hunter2")
	next, changes, err := res.Set("max_inflight_messages=6", "allow_anonymous = on", "max_online_messages=1000", "listener.tcp.x=:1")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(changes[:2])
	if want := "[{allow_anonymous off on live false} {listener.tcp.x  :1 restart true}]"; got != want || len(changes) < 4 {
		t.Errorf("got %s, want %s", got, want)
	}
	if Section[sessionConfig](next).MaxInflight != 6 || Section[sessionConfig](res).MaxInflight != 5 {
		t.Error("the old result changed, or the new one did not")
	}
	again, err := sample(t).Load(next.Sources())
	if err != nil || len(Changes(next, again)) != 0 {
		t.Errorf("a reload forgets what was set: %v %v", Changes(next, again), err)
	}
	if list := Changes(next, res); len(list) != len(changes) {
		t.Errorf("back: got %v", list)
	}
	for assign, want := range map[string]string{
		"max_inflight_mesages=6": `conf: unknown key "max_inflight_mesages"; did you mean "max_inflight_messages"?`,
		"queue_type=x":           `conf: queue_type: "x" is not one of its values; accepted: fifo, lifo`,
		"queue_type":             `conf: "queue_type" assigns nothing; write KEY=VALUE`,
		"listener.tcp.y.proxy_protocol=on": `conf: "listener.tcp.y.proxy_protocol" belongs to nothing: no line gives "listener.tcp.y", ` +
			`so there is no listener "y"; add a line listener.tcp.y = HOST:PORT or remove this one`,
	} {
		if _, _, err := res.Set(assign); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", assign, err, want)
		}
	}
	_, changes, err = res.Set("snmp.community.ops=other")
	if err != nil || len(changes) != 1 || strings.Contains(fmt.Sprint(changes), "other") {
		t.Errorf("secret: got %v, %v", changes, err)
	}
}
