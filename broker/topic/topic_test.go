package topic

import (
	"errors"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

func TestMatch(t *testing.T) {
	cases := []struct {
		filter, name string
		want         bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a", false}, {"a/b", "a/b/c", false},
		{"sport/tennis/player1/#", "sport/tennis/player1", true},           // [MQTT-4.7.1-1]
		{"sport/tennis/player1/#", "sport/tennis/player1/score/wim", true}, // §4.7.1.2
		{"#", "a/b/c", true}, {"#", "$SYS/a", false}, {"+/a", "$SYS/a", false}, // [MQTT-4.7.2-1]
		{"$SYS/#", "$SYS/a", true}, {"$SYS/+", "$SYS/a", true},
		{"sport/+", "sport", false}, {"sport/+", "sport/", true}, {"+/+", "/finance", true},
		{"/+", "/finance", true}, {"+", "/finance", false}, {"+", "finance", true},
		{"a/+/c", "a//c", true}, {"a", "A", false}, {"/a", "a", false}, {"a/", "a", false},
		{"+/#", "a", true}, {"+/b/#", "a/b", true},
	}
	for _, c := range cases {
		if got := Match(c.filter, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %v, want %v", c.filter, c.name, got, c.want)
		}
	}
}

func TestValidate(t *testing.T) {
	f := func(err error, code mqtt.ReasonCode, what string) {
		t.Helper()
		var e *mqtt.Error
		switch {
		case code == mqtt.Success && err != nil:
			t.Errorf("%s: %v", what, err)
		case code != mqtt.Success && (!errors.As(err, &e) || e.Code != code):
			t.Errorf("%s: got %v, want %v", what, err, code)
		}
	}
	for _, s := range []string{"a", "/", "a/b", " ", "$SYS/x", "ä/ö", strings.Repeat("x", MaxLength)} {
		f(ValidateName(s, 10), mqtt.Success, s)
	}
	for _, s := range []string{"", "a/+", "#", "a\x00b", "\xff", strings.Repeat("x", MaxLength+1), strings.Repeat("/", 10)} {
		f(ValidateName(s, 10), mqtt.TopicNameInvalid, s)
	}
	for _, s := range []string{"#", "+", "a/#", "+/+/#", "/", "+//#"} {
		f(ValidateFilter(s, 10), mqtt.Success, s)
	}
	for _, s := range []string{"", "a#", "a/#/b", "a+/b", "#/", "##", "a\x00", "\xc0\x80", strings.Repeat("+/", 10) + "#"} {
		f(ValidateFilter(s, 10), mqtt.TopicFilterInvalid, s)
	}
	f(ValidateFilter(strings.Repeat("+/", 100)+"#", 0), mqtt.Success, "no depth limit")
}

func TestSplit(t *testing.T) {
	cases := []struct{ in, share, filter string }{
		{"a/b", "", "a/b"}, {"$share/g/a/#", "g", "a/#"}, {"$share/g//a", "g", "/a"}, {"$shared/x", "", "$shared/x"},
	}
	for _, c := range cases {
		share, filter, err := Split(c.in)
		if err != nil || share != c.share || filter != c.filter {
			t.Errorf("Split(%q) = %q, %q, %v", c.in, share, filter, err)
		}
		if got := Join(share, filter); got != c.in {
			t.Errorf("Join = %q, want %q", got, c.in)
		}
	}
	for _, in := range []string{"$share", "$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a", "$share/g#/a"} {
		if _, _, err := Split(in); err == nil {
			t.Errorf("Split(%q) succeeded", in)
		}
	}
}
