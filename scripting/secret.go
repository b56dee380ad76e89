package scripting

import (
	"errors"
	"strconv"
	"strings"
	"unicode"

	"github.com/lunemq/lunemq/scripting/sandbox"
)

// hidden stands in texts for a client's password.
const hidden = "[password]"

// shortSecret is the length up to which a secret is taken out only where it stands
// alone: as part of words it would stand in any text. needle is how much of a
// longer one is looked for, since texts may be cut.
const (
	shortSecret = 2
	needle      = 12
)

// luaQuoted writes what string.format("%q") does.
var luaQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", "\\\n", "\r", `\r`, "\x00", `\0`)

// hide takes a client's password out of an error: scripts and databases like to
// say which value was wrong.
func hide(err error, secret []byte) error {
	var limit *sandbox.LimitError
	if errors.As(err, &limit) { // says nothing of the client's
		return err
	}
	text := err.Error()
	clean := redact(text, string(secret))
	if clean == text {
		return err
	}
	var inLua *sandbox.ScriptError
	stack := ""
	if errors.As(err, &inLua) {
		stack = redact(inLua.Stack, string(secret))
	}
	return &sandbox.ScriptError{Message: clean, Stack: stack}
}

// redact replaces a secret in a text, as it is, as it stands within quotes, and
// where it was cut.
func redact(text, secret string) string {
	if secret == "" {
		return text
	}
	quoted := strconv.Quote(secret)
	for _, form := range []string{secret, quoted[1 : len(quoted)-1], luaQuoted.Replace(secret)} {
		begin := form[:min(len(form), needle)]
		var out strings.Builder
		rest := text
		for {
			i := strings.Index(rest, begin)
			if i < 0 {
				break
			}
			n := len(begin)
			if len(secret) <= shortSecret && !alone(rest, i, i+n) {
				out.WriteString(rest[:i+n])
				rest = rest[i+n:]
				continue
			}
			for n < len(form) && i+n < len(rest) && rest[i+n] == form[n] {
				n++
			}
			out.WriteString(rest[:i] + hidden)
			rest = rest[i+n:]
		}
		text = out.String() + rest
	}
	return text
}

// alone reports whether text[from:to] is no part of a longer word.
func alone(text string, from, to int) bool {
	word := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] == '_' || text[i] >= 0x80 || unicode.IsLetter(rune(text[i])) || unicode.IsDigit(rune(text[i])))
	}
	return !word(from-1) && !word(to)
}
