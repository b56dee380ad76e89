package sandbox

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// maxSource is the longest source that is compiled, in bytes.
const maxSource = 1 << 20

// Program is a compiled chunk. Immutable; any number of States may run it.
type Program struct {
	// Name is the name that errors give as the file.
	Name string
	// Lines are the lines that hold a statement, ascending.
	Lines []int

	proto    *lua.FunctionProto
	mentions map[string]bool // global names read, and names of required modules
	names    map[string]bool // constant strings
	upvalues bool            // a function assigns to a local of an enclosing one
}

// Mentions reports whether the source reads the global name.
func (p *Program) Mentions(name string) bool { return p.mentions[name] }

// Requires returns the names that the source hands to require as constants,
// sorted.
func (p *Program) Requires() (names []string) {
	for m := range p.mentions {
		if r, ok := strings.CutPrefix(m, requirePrefix); ok {
			names = append(names, r)
		}
	}
	slices.Sort(names)
	return names
}

// SyntaxError is a source that cannot be compiled.
type SyntaxError struct {
	File    string
	Line    int
	Problem string
	Remedy  string // "" = none is known
}

// Error returns FILE:LINE: PROBLEM; REMEDY.
func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// Compile compiles a chunk. The error is a *SyntaxError.
func Compile(name, source string) (*Program, error) { return compile(name, source, false) }

// CompileForCoverage is Compile for a program whose States call Options.Line
// before each statement.
func CompileForCoverage(name, source string) (*Program, error) { return compile(name, source, true) }

func compile(name, source string, coverage bool) (*Program, error) {
	if len(source) > maxSource {
		return nil, &SyntaxError{File: name, Line: 1, Problem: fmt.Sprintf("the source is longer than %d bytes", maxSource), Remedy: "split it into modules and load them with require"}
	}
	if strings.HasPrefix(source, "\x1b") {
		return nil, &SyntaxError{File: name, Line: 1, Problem: "this is bytecode", Remedy: "scripts are loaded as source only"}
	}
	source = strings.TrimPrefix(source, "\ufeff") // some editors begin a file with it
	if strings.HasPrefix(source, "#") {           // as a shell would
		source = "--" + source
	}
	chunk, err := parse.Parse(strings.NewReader(source), name)
	if err != nil {
		return nil, explain(name, source, err)
	}
	r := &rewriter{mentions: map[string]bool{}, names: map[string]bool{}, lines: map[int]bool{}, coverage: coverage}
	proto, err := protected(func() (*lua.FunctionProto, error) { return lua.Compile(r.chunk(chunk), name) })
	if err != nil {
		return nil, explain(name, source, err)
	}
	p := &Program{Name: name, proto: proto, mentions: r.mentions, names: r.names, upvalues: r.upvalues}
	for l := range r.lines {
		p.Lines = append(p.Lines, l)
	}
	slices.Sort(p.Lines)
	return p, nil
}

// protected turns a panic of the compiler into an error.
func protected(f func() (*lua.FunctionProto, error)) (p *lua.FunctionProto, err error) {
	defer func() {
		if r := recover(); r != nil {
			if err, _ = r.(error); err == nil {
				err = fmt.Errorf("%v", r)
			}
		}
	}()
	return f()
}

// hints explain syntax of newer versions of Lua.
var hints = []struct {
	shape  *regexp.Regexp
	what   string
	remedy string
}{
	{regexp.MustCompile(`[\w)\]]\s*//\s*[\w(]`), "the operator //", "write math.floor(a / b)"},
	{regexp.MustCompile(`<<|>>`), "the shift operators << and >>", "write bit32.lshift(a, n) and bit32.rshift(a, n)"},
	{regexp.MustCompile(`[\w)\]]\s*[&|]\s*[\w(~]`), "the bitwise operators & and |", "write bit32.band(a, b) and bit32.bor(a, b)"},
	{regexp.MustCompile(`~[^=]`), "the operator ~", "write bit32.bxor(a, b) or bit32.bnot(a)"},
	{regexp.MustCompile(`\blocal\s+\w+\s*<\s*(const|close)\s*>`), "the attributes <const> and <close>", "remove the attribute"},
	{regexp.MustCompile(`\\u\{`), `the escape \u{...}`, "write utf8.char(code)"},
	{regexp.MustCompile(`!=`), "the operator !=", "write ~="},
	{regexp.MustCompile(`\+=|-=|\+\+`), "the operators +=, -= and ++", "write a = a + b"},
}

var atLine = regexp.MustCompile(`line\(?:?(\d+)\)?`)

// explain makes a SyntaxError of what parser or compiler say.
func explain(name, source string, err error) *SyntaxError {
	lines := strings.Split(source, "\n")
	e := &SyntaxError{File: name, Line: len(lines)}
	var p *parse.Error
	var c *lua.CompileError
	switch {
	case errors.As(err, &p):
		if p.Pos.Line > 0 {
			e.Line = p.Pos.Line
			e.Problem = fmt.Sprintf("%s near %q", p.Message, p.Token)
		} else {
			e.Problem = p.Message + " near the end of the file"
		}
	case errors.As(err, &c):
		e.Line, e.Problem = c.Line, c.Message
	default:
		if m := atLine.FindStringSubmatch(err.Error()); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
		}
		e.Problem = err.Error()
	}
	if e.Line >= 1 && e.Line <= len(lines) && p != nil {
		for _, h := range hints {
			if h.shape.MatchString(lines[e.Line-1]) {
				e.Remedy = "if " + h.what + " is meant: this engine speaks Lua 5.1, " + h.remedy
				break
			}
		}
	}
	return e
}
