package listener

import (
	"strings"
	"testing"

	"github.com/lunemq/lunemq/conf/value"
)

func TestBuffers(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "1,2,3": "1,2,3", "[4096, 16384,32768]": "4096,16384,32768",
		"1,2": "error", "a,b,c": "error", "-1,2,3": "error", "1,2,3,4": "error", "1,2,": "error",
	} {
		var b Buffers
		err := b.UnmarshalText([]byte(text))
		got, _ := b.MarshalText()
		switch {
		case want == "error" && err == nil:
			t.Errorf("%q: got %q, want an error", text, got)
		case want != "error" && (err != nil || string(got) != want):
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

func TestMountpoint(t *testing.T) {
	for text, want := range map[string]Mountpoint{"off": "", "": "", "tenant": "tenant"} {
		var m Mountpoint
		if err := m.UnmarshalText([]byte(text)); err != nil || m != want {
			t.Errorf("%q: got %q, %v", text, m, err)
		}
		if back, _ := m.MarshalText(); text != "" && string(back) != text {
			t.Errorf("%q is written %q", text, back)
		}
	}
}

func TestCheckConfig_SameAddress(t *testing.T) {
	at := func(port int) value.Address { return value.Address{Host: "127.0.0.1", Port: port} }
	c := Config{
		TCP: map[string]TCP{
			"a": {Address: at(1)}, "b": {Address: at(2)}, "c": {Address: at(0)}, "d": {Address: at(0)},
			"u": {Address: value.Address{Path: "/s"}}, "v": {Address: value.Address{Path: "/s"}},
		},
		HTTP: map[string]HTTP{"h": {Address: at(2)}, "i": {Address: at(3)}},
	}
	var got []string
	c.CheckConfig(func(key, text, _ string) { got = append(got, key+": "+text) })
	want := []string{
		`listener.tcp.v: "local:/s:0" is the address of listener.tcp.u too`,
		`listener.http.h: "127.0.0.1:2" is the address of listener.tcp.b too`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTCP_Spec(t *testing.T) {
	c := TCP{Address: value.Address{Port: 1883}, Client: Client{MaxConnections: 7, Buffers: Buffers{Send: 1}}}
	s := c.Spec("default")
	if s.Name != "tcp.default" || s.Type != "mqtt" || s.Address.Port != 1883 || s.MaxConnections != 7 || s.Buffers.Send != 1 {
		t.Errorf("got %+v", s)
	}
}
