package value

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Expiry is how long something may last: a duration, or one of the words
// never and client, which both set no limit. Written as an integer and one
// unit: s, min, h, d, w, m (a month of 28 days) or y (12 such months). The
// zero value is a limit of 0 s.
type Expiry struct {
	limit time.Duration
	word  string // "never", "client", or "" when there is a limit
}

const day = 24 * time.Hour

// expiryUnits is ordered: "min" before "m" would not matter, both are matched
// whole; the biggest unit comes first for printing.
var expiryUnits = []struct {
	name string
	d    time.Duration
}{
	{"y", 12 * 28 * day}, {"m", 28 * day}, {"w", 7 * day}, {"d", day},
	{"h", time.Hour}, {"min", time.Minute}, {"s", time.Second},
}

// ExpiryOf returns the Expiry with the given limit.
func ExpiryOf(d time.Duration) Expiry { return Expiry{limit: d} }

// Limit returns the duration; ok is false when there is no limit (never,
// client).
func (e Expiry) Limit() (d time.Duration, ok bool) { return e.limit, e.word == "" }

// UnmarshalText parses the written form.
func (e *Expiry) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "never" || s == "client" {
		*e = Expiry{word: s}
		return nil
	}
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	n, err := digits(number)
	for _, u := range expiryUnits {
		if err == nil && s[len(number):] == u.name && n <= math.MaxInt64/int64(u.d) {
			*e = Expiry{limit: time.Duration(n) * u.d}
			return nil
		}
	}
	return fmt.Errorf("value: %q is not a duration; accepted: never, client, or a number with one unit of s, min, h, d, w, m (28 days), y, such as 7d", s)
}

// String returns the word, or the number with the biggest unit that divides
// the limit.
func (e Expiry) String() string {
	if e.word != "" {
		return e.word
	}
	for _, u := range expiryUnits {
		if e.limit != 0 && e.limit%u.d == 0 {
			return fmt.Sprintf("%d%s", e.limit/u.d, u.name)
		}
	}
	return fmt.Sprintf("%ds", e.limit/time.Second)
}

// MarshalText returns String.
func (e Expiry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }
