package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Parse takes a call apart: sub command words, key=value arguments, flags as
// --flag, --flag=value, --flag value, -f, -f value, -f=value. --help may stand
// anywhere and wins over everything else; --format=json sets Call.JSON.
// Errors wrap ErrUsage, show the offending token and the nearest valid one.
func (r *Registry) Parse(tokens []string) (*Call, error) {
	n := 0
	for n < len(tokens) && isWord(tokens[n]) {
		n++
	}
	command, rest := r.Find(tokens[:n])
	c := &Call{Command: command, Args: map[string]string{}}
	if slices.Contains(tokens, "--help") || slices.Contains(tokens, "-h") && (command == nil || command.flag("h") == nil) {
		c.help, c.Words = true, tokens[:n]
		return c, nil
	}
	if command == nil {
		return nil, r.unknownCommand(tokens[:n], tokens[n:])
	}
	if len(rest) > 0 && command.Words == "" {
		return nil, fmt.Errorf("%w: %s does not take %q%s", ErrUsage, command.Path, rest[0],
			suggest(rest[0], r.next(strings.Fields(command.Path))))
	}
	c.Words = slices.Clone(rest)
	if err := c.parse(tokens[n:]); err != nil {
		return nil, err
	}
	for _, a := range command.Args {
		if _, given := c.Args[a.Name]; a.Required && !given {
			return nil, fmt.Errorf("%w: %s needs the argument %s=", ErrUsage, command.Path, a.Name)
		}
	}
	return c, nil
}

// Execute runs a parsed call, or returns the help it asks for.
func (r *Registry) Execute(ctx context.Context, c *Call) (Result, error) {
	if c.help {
		return r.Help(c.Words)
	}
	return c.Command.Run(ctx, c)
}

func isWord(token string) bool {
	return token != "" && !strings.HasPrefix(token, "-") && !strings.Contains(token, "=")
}

// unknownCommand explains words that lead to no command.
func (r *Registry) unknownCommand(words, rest []string) error {
	if len(words) == 0 {
		if len(rest) > 0 {
			return fmt.Errorf("%w: %q stands where a command should; see --help", ErrUsage, rest[0])
		}
		return fmt.Errorf("%w: no command given; see --help", ErrUsage)
	}
	for n := len(words) - 1; n >= 0; n-- {
		next := r.next(words[:n])
		if slices.Contains(next, words[n]) {
			return fmt.Errorf("%w: %q needs one more word: %s", ErrUsage, strings.Join(words, " "),
				strings.Join(r.next(words), ", "))
		}
		if len(next) > 0 {
			return fmt.Errorf("%w: unknown command %q%s", ErrUsage, strings.Join(words[:n+1], " "),
				suggest(words[n], next))
		}
	}
	return fmt.Errorf("%w: there are no commands", ErrUsage)
}

// next returns the words that may follow words, sorted.
func (r *Registry) next(words []string) []string {
	var out []string
	for _, p := range r.paths {
		path := strings.Fields(p)
		if len(path) > len(words) && slices.Equal(path[:len(words)], words) && !slices.Contains(out, path[len(words)]) {
			out = append(out, path[len(words)])
		}
	}
	return out
}

// parse takes the tokens after the words.
func (c *Call) parse(tokens []string) error {
	for len(tokens) > 0 {
		t := tokens[0]
		tokens = tokens[1:]
		var err error
		switch {
		case strings.HasPrefix(t, "-"):
			tokens, err = c.option(t, tokens)
		case strings.Contains(t, "="):
			err = c.argument(t)
		case c.Command.Words != "":
			c.Words = append(c.Words, t)
		default:
			err = fmt.Errorf("%w: %s does not take %q", ErrUsage, c.Command.Path, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Call) argument(token string) error {
	name, value, _ := strings.Cut(token, "=")
	known := slices.ContainsFunc(c.Command.Args, func(a Arg) bool { return a.Name == name })
	if !known && !c.Command.FreeArgs {
		var names []string
		for _, a := range c.Command.Args {
			names = append(names, a.Name)
		}
		return fmt.Errorf("%w: %s does not take the argument %q%s", ErrUsage, c.Command.Path, name+"=", suggest(name, names))
	}
	if _, twice := c.Args[name]; twice {
		return fmt.Errorf("%w: the argument %q is given twice", ErrUsage, name+"=")
	}
	c.Args[name], c.Keys = value, append(c.Keys, name)
	return nil
}

// option takes a flag, and its value from rest where it stands apart; it
// returns what is left of rest.
func (c *Call) option(token string, rest []string) ([]string, error) {
	name, value, set := strings.Cut(token, "=")
	bare := strings.TrimLeft(name, "-")
	if name == "--format" {
		if !set && len(rest) > 0 {
			value, rest = rest[0], rest[1:]
		}
		if value != "json" && value != "table" && value != "human" {
			return nil, fmt.Errorf("%w: --format=%s is neither json nor table", ErrUsage, value)
		}
		c.JSON = value == "json"
		return rest, nil
	}
	f := c.Command.flag(bare)
	if f == nil || (strings.HasPrefix(name, "--") != (bare == f.Name)) {
		return nil, fmt.Errorf("%w: %s does not know the flag %q%s", ErrUsage, c.Command.Path, name, c.Command.suggestFlag(bare))
	}
	switch {
	case f.Kind == FlagValue && !set:
		if len(rest) == 0 || strings.HasPrefix(rest[0], "--") {
			return nil, fmt.Errorf("%w: the flag %s needs a value: %s=VALUE", ErrUsage, name, name)
		}
		value, rest, set = rest[0], rest[1:], true
	case f.Kind == FlagBool:
		b, ok := parseBool(value, set)
		if !ok {
			return nil, fmt.Errorf("%w: the flag %s=%s is neither true nor false", ErrUsage, name, value)
		}
		value, set = b, true
	}
	c.Options = append(c.Options, Option{Name: f.Name, Value: value, Set: set})
	return rest, nil
}

func parseBool(value string, set bool) (string, bool) {
	switch {
	case !set, value == "true", value == "on":
		return "true", true
	case value == "false", value == "off":
		return "false", true
	}
	return "", false
}

// flag returns the flag with the long or short name, nil if there is none.
func (c *Command) flag(name string) *Flag {
	for i := range c.Flags {
		if f := &c.Flags[i]; f.Name == name || f.Short != "" && f.Short == name {
			return f
		}
	}
	return nil
}

func (c *Command) suggestFlag(name string) string {
	var names []string
	for _, f := range c.Flags {
		names = append(names, "--"+f.Name)
	}
	return suggest("--"+name, append(names, "--help", "--format"))
}
