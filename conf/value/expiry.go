package value

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Expiry is how long something may last: a duration, or never, which sets no
// limit. Written as an integer and one unit: s, min, h, d, w, m (a month of 28
// days) or y (12 such months). The zero value is a limit of 0 s.
type Expiry struct {
	limit time.Duration
	never bool
}

// Cap bounds what a client asks for: a duration written as Expiry is, or client,
// which sets no bound. The zero value is a bound of 0 s.
type Cap struct {
	limit  time.Duration
	client bool
}

const day = 24 * time.Hour

// expiryUnits is ordered: the biggest unit comes first for printing.
var expiryUnits = []struct {
	name string
	d    time.Duration
}{
	{"y", 12 * 28 * day}, {"m", 28 * day}, {"w", 7 * day}, {"d", day},
	{"h", time.Hour}, {"min", time.Minute}, {"s", time.Second},
}

// ExpiryOf returns the Expiry with the given limit.
func ExpiryOf(d time.Duration) Expiry { return Expiry{limit: d} }

// Limit returns the duration; ok is false for never.
func (e Expiry) Limit() (d time.Duration, ok bool) { return e.limit, !e.never }

// Limit returns the duration; ok is false for client.
func (c Cap) Limit() (d time.Duration, ok bool) { return c.limit, !c.client }

// UnmarshalText parses the written form.
func (e *Expiry) UnmarshalText(text []byte) (err error) {
	e.limit, e.never, err = parseExpiry(string(text), "never")
	return err
}

// UnmarshalText parses the written form.
func (c *Cap) UnmarshalText(text []byte) (err error) {
	c.limit, c.client, err = parseExpiry(string(text), "client")
	return err
}

// parseExpiry reads a duration, or the word that stands for none.
func parseExpiry(s, word string) (d time.Duration, none bool, err error) {
	if s == word {
		return 0, true, nil
	}
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	n, err := digits(number)
	for _, u := range expiryUnits {
		if err == nil && s[len(number):] == u.name && n <= math.MaxInt64/int64(u.d) {
			return time.Duration(n) * u.d, false, nil
		}
	}
	return 0, false, fmt.Errorf("value: %q is not a duration; accepted: %s, or a number with one unit of s, min, h, d, w, m (28 days), y, such as 7d", s, word)
}

// String returns never, or the number with the biggest unit that divides the
// limit.
func (e Expiry) String() string { return formatExpiry(e.limit, e.never, "never") }

// String returns client, or as Expiry does.
func (c Cap) String() string { return formatExpiry(c.limit, c.client, "client") }

func formatExpiry(d time.Duration, none bool, word string) string {
	if none {
		return word
	}
	for _, u := range expiryUnits {
		if d != 0 && d%u.d == 0 {
			return fmt.Sprintf("%d%s", d/u.d, u.name)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// MarshalText returns String.
func (e Expiry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// MarshalText returns String.
func (c Cap) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
