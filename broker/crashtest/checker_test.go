package crashtest

import (
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// TestChecker_Identifiers: a QoS 1 message comes again as a repeat, under the
// identifier it had, unless its publisher repeated it.
func TestChecker_Identifiers(t *testing.T) {
	for name, c := range map[string]struct {
		id         uint16
		dup, again bool
		want       bool // that something is said
	}{
		"as it should":       {7, true, false, false},
		"another identifier": {8, true, false, true},
		"no DUP":             {7, false, false, true},
		"sent twice":         {8, false, true, false},
	} {
		check := NewChecker(1)
		check.Sent(0, mqtt.AtLeastOnce, 1)
		if c.again {
			check.SentAgain(0, mqtt.AtLeastOnce, 1)
		}
		check.Got(0, 0, mqtt.AtLeastOnce, 1)
		check.Under(0, 0, 1, 7, false)
		check.Got(0, 0, mqtt.AtLeastOnce, 1)
		check.Under(0, 0, 1, c.id, c.dup)
		if got := len(check.Verdict()) > 0; got != c.want {
			t.Errorf("%s: said something: %v, want %v", name, got, c.want)
		}
	}
}

// TestChecker_PlantedFaults: the judge says what is wrong, and nothing when
// nothing is.
func TestChecker_PlantedFaults(t *testing.T) {
	play := func(got ...int) []string {
		c := NewChecker(1)
		for seq := 1; seq <= 4; seq++ {
			c.Sent(0, mqtt.ExactlyOnce, seq)
			if seq < 4 { // the last was sent and not acknowledged
				c.Acked(0, mqtt.ExactlyOnce, seq)
			}
		}
		for _, seq := range got {
			c.Got(0, 0, mqtt.ExactlyOnce, seq)
		}
		return c.Verdict()
	}
	for _, ok := range [][]int{{1, 2, 3}, {1, 2, 3, 4}} {
		if v := play(ok...); len(v) != 0 {
			t.Errorf("%v: %v", ok, v)
		}
	}
	for _, c := range []struct {
		got  []int
		want string
	}{{[]int{1, 3}, "lost"}, {[]int{1, 2, 2, 3}, "2 times"}, {[]int{1, 3, 2}, "first came after"}, {[]int{1, 2, 3, 9}, "never sent"}} {
		if v := strings.Join(play(c.got...), "\n"); !strings.Contains(v, c.want) {
			t.Errorf("%v: %q, want %q", c.got, v, c.want)
		}
	}
}
