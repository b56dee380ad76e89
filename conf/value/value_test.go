package value

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	_ encoding.TextUnmarshaler = (*Secret)(nil)
	_ encoding.TextMarshaler   = Secret{}
)

func TestSecret_NeverPrints(t *testing.T) {
	const text = "hunter2"
	s := NewSecret(text)
	type holder struct {
		Public Secret
		hidden Secret
		list   []Secret
	}
	h := holder{s, s, []Secret{s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", s, h, &h)
	}
	fmt.Fprint(&out, s, s.String(), s.GoString(), fmt.Errorf("bad: %w %v", fmt.Errorf("%v", s), s))
	j, err := json.Marshal(map[string]any{"a": s, "b": &s, "c": h})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "h", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", s, "h", h)
	if got := out.String(); strings.Contains(got, text) || strings.Contains(got, fmt.Sprintf("%x", text)) {
		t.Errorf("the secret leaks: %s", got)
	}
	if s.Reveal() != text || !s.Equal(NewSecret(text)) || s.Equal(Secret{}) || !reflect.DeepEqual(s, NewSecret(text)) {
		t.Error("Reveal or Equal is wrong")
	}
	if got := (Secret{}).String(); got != "" || !NewSecret("").IsZero() {
		t.Errorf("empty secret: got %q", got)
	}
}

func TestRoundTrip(t *testing.T) {
	tests := []struct {
		into encoding.TextUnmarshaler
		in   string
		want string // "" is an error
	}{
		{new(ByteSize), "4096", "4kB"},
		{new(ByteSize), "4097", "4097"},
		{new(ByteSize), "0", "0"},
		{new(ByteSize), "10MB", "10MB"},
		{new(ByteSize), "10mb", "10MB"},
		{new(ByteSize), "64KB", "64kB"},
		{new(ByteSize), "2GB", "2GB"},
		{new(ByteSize), "10 MB", ""},
		{new(ByteSize), "MB", ""},
		{new(ByteSize), "-1", ""},
		{new(ByteSize), "+1", ""},
		{new(ByteSize), "99999999999GB", ""},
		{new(ByteSize), "", ""},
		{new(Percent), "10%", "10%"},
		{new(Percent), "100%", "100%"},
		{new(Percent), "101%", ""},
		{new(Percent), "10", ""},
		{new(Share), "70%", "70%"},
		{new(Share), "2GB", "2GB"},
		{new(Share), "0", "0"},
		{new(Share), "much", ""},
		{new(Expiry), "never", "never"},
		{new(Expiry), "client", ""},
		{new(Cap), "client", "client"},
		{new(Cap), "never", ""},
		{new(Cap), "10min", "10min"},
		{new(Expiry), "90s", "90s"},
		{new(Expiry), "120s", "2min"},
		{new(Expiry), "5min", "5min"},
		{new(Expiry), "7d", "1w"},
		{new(Expiry), "1m", "1m"},
		{new(Expiry), "28d", "1m"},
		{new(Expiry), "12m", "1y"},
		{new(Expiry), "0s", "0s"},
		{new(Expiry), "5", ""},
		{new(Expiry), "m", ""},
		{new(Expiry), "1h30min", ""},
		{new(Expiry), "-1d", ""},
		{new(Expiry), "999999999y", ""},
		{new(Address), "127.0.0.1:1883", "127.0.0.1:1883"},
		{new(Address), "0.0.0.0:0", "0.0.0.0:0"},
		{new(Address), "localhost", "localhost"},
		{new(Address), "[::]:1883", "[::]:1883"},
		{new(Address), "[fe80::1%eth0]:1883", "[fe80::1%eth0]:1883"},
		{new(Address), "[::1]", "[::1]"},
		{new(Address), ":1883", ":1883"},
		{new(Address), "local:/run/mqtt.sock:0", "local:/run/mqtt.sock:0"},
		{new(Address), "local:data/mqtt.sock", "local:data/mqtt.sock:0"},
		{new(Address), "::1", ""},
		{new(Address), "[::1", ""},
		{new(Address), "[host]:1", ""},
		{new(Address), "1883", ""},
		{new(Address), "1.2.3:1", ""},
		{new(Address), "1.2.3.256:1", ""},
		{new(Address), "host:65536", ""},
		{new(Address), "host:+1", ""},
		{new(Address), "ho st:1", ""},
		{new(Address), "local:", ""},
	}
	for _, tt := range tests {
		err := tt.into.UnmarshalText([]byte(tt.in))
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), "accepted:") || !strings.Contains(err.Error(), fmt.Sprintf("%q", tt.in)) {
				t.Errorf("%T %q: got error %v, want one with the input and what is accepted", tt.into, tt.in, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%T %q: %v", tt.into, tt.in, err)
			continue
		}
		got, _ := tt.into.(encoding.TextMarshaler).MarshalText()
		if string(got) != tt.want {
			t.Errorf("%T %q: got %q, want %q", tt.into, tt.in, got, tt.want)
		}
		again := reflect.New(reflect.TypeOf(tt.into).Elem())
		if err := again.Interface().(encoding.TextUnmarshaler).UnmarshalText(got); err != nil ||
			!reflect.DeepEqual(again.Interface(), tt.into) {
			t.Errorf("%T %q: %q does not read back (%v)", tt.into, tt.in, got, err)
		}
	}
}

func TestExpiry_Month(t *testing.T) {
	var e Expiry
	_ = e.UnmarshalText([]byte("1m"))
	if d, ok := e.Limit(); d != 28*24*time.Hour || !ok || e != ExpiryOf(d) {
		t.Errorf("1m: got %v, %v", d, ok)
	}
	_ = e.UnmarshalText([]byte("never"))
	if _, ok := e.Limit(); ok {
		t.Error("never: got a limit")
	}
}

func TestAddress_Parts(t *testing.T) {
	var a Address
	_ = a.UnmarshalText([]byte("[::1]"))
	if got := a.WithPort(1883); got.HostPort() != "[::1]:1883" || got.Network() != "tcp" || got.WithPort(9) != got {
		t.Errorf("got %+v", got)
	}
	_ = a.UnmarshalText([]byte("local:/a:0"))
	if a.HostPort() != "/a" || a.Network() != "unix" || a.IsZero() {
		t.Errorf("got %+v", a)
	}
}

func TestShare_Of(t *testing.T) {
	if got := (Share{Percent: 70}).Of(1 << 62); got != 1<<62/100*70+1<<62%100*70/100 {
		t.Errorf("70%%: got %d", got)
	}
	if got := (Share{Bytes: 5}).Of(100); got != 5 {
		t.Errorf("5 bytes: got %d", got)
	}
}
