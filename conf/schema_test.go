package conf

import (
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

func TestNew_Errors(t *testing.T) {
	type dup struct {
		A string `key:"a" reload:"live" doc:"x"`
		B string `key:"b" alias:"a" reload:"live" doc:"x"`
	}
	type other struct {
		A string `key:"a" reload:"live" doc:"x"`
	}
	tests := []struct {
		section any
		want    string
	}{
		{sessionConfig{}, "not a pointer to a struct"},
		{nil, "not a pointer to a struct"},
		{&dup{}, `key "a" is declared twice`},
		{&struct {
			A int `key:"a" reload:"live"`
		}{}, `key "a" has no doc tag`},
		{&struct {
			A int `key:"a" doc:"x"`
		}{}, `reload is ""`},
		{&struct {
			A int `key:"a" doc:"x" reload:"live" default:"x"`
		}{}, `default: "x" is not a whole number`},
		{&struct {
			A int `key:"a" doc:"x" reload:"live" range:"1..5" default:"6"`
		}{}, `"6" is out of range`},
		{&struct {
			A int `key:"a" doc:"x" reload:"live" range:"1-5"`
		}{}, `range "1-5" is not LO..HI`},
		{&struct {
			A string `key:"a" doc:"x" reload:"live" range:"1..5"`
		}{}, "has no range"},
		{&struct {
			A time.Duration `key:"a" doc:"x" reload:"live"`
		}{}, `unit is ""`},
		{&struct {
			A float64 `key:"a" doc:"x" reload:"live" default:"1"`
		}{}, "cannot have type float64"},
		{&struct {
			A value.Secret `key:"a" doc:"x" reload:"live" default:"1"`
		}{}, "a secret has no default"},
		{&struct {
			A map[string]string `key:"a" doc:"x" reload:"live"`
		}{}, "a map needs string keys"},
		{&struct {
			A map[string]string `key:"a.name" doc:"x" reload:"live"`
		}{}, "a map needs string keys"},
	}
	for _, tt := range tests {
		if _, err := New(tt.section); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%T: got %v, want %q", tt.section, err, tt.want)
		}
	}
	if _, err := New(&other{}, &other{}); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("got %v", err)
	}
}

func TestKeys(t *testing.T) {
	want := map[string]string{
		"listener.tcp.NAME":                               "",
		"listener.ssl.NAME.cafile":                        "listener.ssl.cafile listener.cafile",
		"listener.http.NAME.http_module.MODULE.auth.mode": "listener.http.http_module.MODULE.auth.mode listener.http_module.MODULE.auth.mode",
		"snmp.community.NAME":                             "",
		"plugins.NAME.priority":                           "",
		"acl.acl_file":                                    "",
	}
	for _, k := range sample(t).Keys() {
		inherited, ok := want[k.Pattern]
		if !ok {
			continue
		}
		delete(want, k.Pattern)
		if got := strings.Join(k.Inherited, " "); got != inherited {
			t.Errorf("%s: got inherited %q, want %q", k.Pattern, got, inherited)
		}
		if k.Pattern == "listener.tcp.NAME" && !k.Required || k.Pattern == "acl.acl_file" && k.Aliases[0] != "acl.file" {
			t.Errorf("%s: got %+v", k.Pattern, k)
		}
	}
	if len(want) != 0 {
		t.Errorf("missing: %v", want)
	}
}

type clusterConfig struct {
	Secret value.Secret `key:"cluster.secret" alias:"distributed_cookie" reload:"restart" doc:"Shared by all nodes."`
	Mode   string       `key:"cluster.etcd.mode" default:"off" enum:"off,external" reload:"restart" doc:"Membership."`
	Link   map[string]struct {
		Addr value.Address `key:"" doc:"Address."`
		Max  int           `key:"max_connections" default:"9" doc:"Connections."`
	} `key:"listener.link.NAME" alias:"listener.vmq.NAME" inherit:"true" port:"44053" reload:"restart"`
}

func (c *clusterConfig) CheckConfig(report func(key, text, remedy string)) {
	if c.Mode != "off" && c.Secret.Reveal() == "vmq" {
		report("cluster.secret", "the secret that everybody knows guards a cluster", "choose another")
	}
}

// A struct's key wins over the rules, under VerneMQ's names too.
func TestLoad_StructBeatsRule(t *testing.T) {
	s, err := New(&clusterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	text := "cluster.etcd.mode = external\ndistributed_cookie = vmq\nlistener.vmq.clustering = 0.0.0.0\nlistener.vmq.max_connections = 5\nlistener.vmq.clustering.high_watermark = 8192"
	res, err := s.Load(Sources{File: "f", ReadFile: files(map[string]string{"f": text})})
	if err != nil {
		t.Fatal(err)
	}
	c := Section[clusterConfig](res)
	if l := c.Link["clustering"]; c.Secret.Reveal() != "vmq" || l.Addr.HostPort() != "0.0.0.0:44053" || l.Max != 5 {
		t.Errorf("got %+v", c)
	}
	if len(res.Problems) != 2 || res.Problems[0].String() != "f:2: error: the secret that everybody knows guards a cluster; choose another" ||
		res.Problems[1].Severity != Warning {
		t.Errorf("got %v", res.Problems)
	}
}
