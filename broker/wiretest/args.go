package wiretest

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// args are the words of a command: NAME=VALUE, or a bare word. Values may be
// quoted as in Go; x*100 is a hundred times x. Reading takes a word away, so
// that what is left over is an error.
type args struct {
	words []string
	err   error
}

// split cuts a command into words at spaces outside of quotes.
func split(s string) (out []string) {
	var word strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted && i+1 < len(s):
			word.WriteString(s[i : i+2])
			i++
		case c == ' ' && !quoted:
			if word.Len() > 0 {
				out = append(out, word.String())
			}
			word.Reset()
		default:
			quoted = quoted != (c == '"')
			word.WriteByte(c)
		}
	}
	if word.Len() > 0 {
		out = append(out, word.String())
	}
	return out
}

// value resolves quotes and repetition.
func value(s string) (string, error) {
	if strings.HasPrefix(s, `"`) {
		return strconv.Unquote(s)
	}
	if len(s) > 2 && s[1] == '*' {
		if n, err := strconv.Atoi(s[2:]); err == nil {
			return strings.Repeat(s[:1], n), nil
		}
	}
	return s, nil
}

// take removes NAME=VALUE.
func (a *args) take(name string) (v string, ok bool) {
	for i, w := range a.words {
		if k, raw, has := strings.Cut(w, "="); has && k == name {
			a.words = append(a.words[:i:i], a.words[i+1:]...)
			v, err := value(raw)
			a.fail(err)
			return v, true
		}
	}
	return "", false
}

func (a *args) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// str is a value with a default.
func (a *args) str(name, def string) string {
	if v, ok := a.take(name); ok {
		return v
	}
	return def
}

// num is a number with a default; has reports whether it was given.
func (a *args) num(name string, def uint32) (n uint32, has bool) {
	v, ok := a.take(name)
	if !ok {
		return def, false
	}
	x, err := strconv.ParseUint(v, 0, 32)
	a.fail(err)
	return uint32(x), true
}

func (a *args) small(name string, def uint16) uint16 {
	n, _ := a.num(name, uint32(def))
	return uint16(n)
}

// flag removes a bare word and reports whether it was there.
func (a *args) flag(name string) bool {
	for i, w := range a.words {
		if w == name {
			a.words = append(a.words[:i:i], a.words[i+1:]...)
			return true
		}
	}
	return false
}

// user takes all user=K:V.
func (a *args) user() (out []mqtt.UserProperty) {
	for {
		v, ok := a.take("user")
		if !ok {
			return out
		}
		k, val, _ := strings.Cut(v, ":")
		out = append(out, mqtt.UserProperty{Key: k, Value: val})
	}
}

// code takes code=NAME or code=0x80.
func (a *args) code() mqtt.ReasonCode {
	v, ok := a.take("code")
	if !ok {
		return mqtt.Success
	}
	if c, known := mqtt.ParseReasonCode(v); known {
		return c
	}
	x, err := strconv.ParseUint(v, 0, 8)
	a.fail(err)
	return mqtt.ReasonCode(x)
}

// rest takes the bare words that are left.
func (a *args) rest() (out []string) {
	out, a.words = a.words, nil
	return out
}

// done reports the first error, or words nobody took.
func (a *args) done() error {
	if a.err != nil {
		return a.err
	}
	if len(a.words) > 0 {
		return fmt.Errorf("what is %q", a.words)
	}
	return nil
}

// rawBytes reads hexadecimal bytes and quoted text; x*100 repeats.
func rawBytes(words []string) (out []byte, err error) {
	for _, w := range words {
		if strings.HasPrefix(w, `"`) || len(w) > 2 && w[1] == '*' {
			s, err := value(w)
			if err != nil {
				return nil, err
			}
			out = append(out, s...)
			continue
		}
		b, err := hex.DecodeString(w)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", w, err)
		}
		out = append(out, b...)
	}
	return out, nil
}
