package value

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ByteSize is a number of bytes, 0 or more. Written 4096, 64kB, 10MB or 1GB,
// where the unit's case does not matter and each is a power of 1024.
type ByteSize int64

// The units of a ByteSize.
const (
	KB ByteSize = 1 << 10
	MB ByteSize = 1 << 20
	GB ByteSize = 1 << 30
)

var sizeUnits = []struct {
	suffix string
	factor ByteSize
}{{"GB", GB}, {"MB", MB}, {"kB", KB}}

// UnmarshalText parses the written form.
func (b *ByteSize) UnmarshalText(text []byte) error {
	s, factor := string(text), ByteSize(1)
	for _, u := range sizeUnits {
		if n := len(s) - len(u.suffix); n > 0 && strings.EqualFold(s[n:], u.suffix) {
			s, factor = s[:n], u.factor
			break
		}
	}
	n, err := digits(s)
	if err != nil || n > math.MaxInt64/int64(factor) {
		return fmt.Errorf("value: %q is not a size in bytes; accepted: a number, or one with kB, MB or GB, such as 4096 or 10MB", text)
	}
	*b = ByteSize(n) * factor
	return nil
}

// String returns the number with the biggest unit that divides it.
func (b ByteSize) String() string {
	for _, u := range sizeUnits {
		if b != 0 && b%u.factor == 0 {
			return strconv.FormatInt(int64(b/u.factor), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalText returns String.
func (b ByteSize) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// Percent is a whole number of hundredths, 0 to 100. Written 10%.
type Percent int

// UnmarshalText parses the written form.
func (p *Percent) UnmarshalText(text []byte) error {
	s, ok := strings.CutSuffix(string(text), "%")
	n, err := digits(s)
	if !ok || err != nil || n > 100 {
		return fmt.Errorf("value: %q is not a percentage; accepted: 0%% to 100%%", text)
	}
	*p = Percent(n)
	return nil
}

// String returns the written form.
func (p Percent) String() string { return strconv.Itoa(int(p)) + "%" }

// MarshalText returns String.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Share is a part of something whose size the reader knows, such as memory or
// a disk: either a number of bytes or a percentage. Written like a ByteSize or
// a Percent. The zero value is 0 bytes.
type Share struct {
	Percent Percent  // used when Bytes is 0
	Bytes   ByteSize // 0 when given as a percentage
}

// Of returns the share in bytes of a whole of total bytes.
func (s Share) Of(total ByteSize) ByteSize {
	if s.Bytes != 0 {
		return s.Bytes
	}
	return total/100*ByteSize(s.Percent) + total%100*ByteSize(s.Percent)/100
}

// UnmarshalText parses the written form.
func (s *Share) UnmarshalText(text []byte) error {
	var next Share
	if next.Percent.UnmarshalText(text) != nil && next.Bytes.UnmarshalText(text) != nil {
		return fmt.Errorf("value: %q is neither a percentage nor a size; accepted: such as 70%% or 2GB", text)
	}
	*s = next
	return nil
}

// String returns the written form.
func (s Share) String() string {
	if s.Bytes != 0 || s.Percent == 0 {
		return s.Bytes.String()
	}
	return s.Percent.String()
}

// MarshalText returns String.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// digits parses a number without sign; strconv alone would take "+5".
func digits(s string) (int64, error) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(s, 10, 64)
}
