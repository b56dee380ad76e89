package admin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUsage is wrapped by errors that say that a call was malformed: unknown
// words, a missing argument, a value of the wrong form. HTTP answers it with
// 400, the command line exits with 2.
var ErrUsage = errors.New("usage")

// Registry holds the commands. Filled by the composer at start, read
// concurrently afterwards.
type Registry struct {
	commands map[string]*Command
	paths    []string // sorted
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{commands: map[string]*Command{}} }

// Add adds commands. Errors: a path that is taken, that is empty or has empty
// words, a command without Run or Doc, a flag name or letter used twice. None
// of the commands after a faulty one is added.
func (r *Registry) Add(commands ...Command) error {
	for _, c := range commands {
		if err := check(&c); err != nil {
			return err
		}
		if _, taken := r.commands[c.Path]; taken {
			return fmt.Errorf("admin: command %q is declared twice", c.Path)
		}
		r.commands[c.Path] = &c
		i, _ := slices.BinarySearch(r.paths, c.Path)
		r.paths = slices.Insert(r.paths, i, c.Path)
	}
	return nil
}

func check(c *Command) error {
	if c.Path == "" || strings.Join(strings.Fields(c.Path), " ") != c.Path {
		return fmt.Errorf("admin: command path %q is not words separated by one space", c.Path)
	}
	if c.Run == nil || c.Doc == "" {
		return fmt.Errorf("admin: command %q lacks Run or Doc", c.Path)
	}
	seen := map[string]bool{"help": true, "format": true}
	for _, f := range c.Flags {
		if f.Name == "" || seen[f.Name] || len(f.Short) > 1 || f.Short != "" && seen[f.Short] {
			return fmt.Errorf("admin: command %q: flag --%s -%s is empty, reserved or declared twice", c.Path, f.Name, f.Short)
		}
		seen[f.Name], seen[f.Short] = true, true
	}
	return nil
}

// Commands returns all commands ordered by path. Not to be changed.
func (r *Registry) Commands() []*Command {
	out := make([]*Command, 0, len(r.paths))
	for _, p := range r.paths {
		out = append(out, r.commands[p])
	}
	return out
}

// Find returns the command with the longest path that words begin with, and
// the words left over; nil if there is none.
func (r *Registry) Find(words []string) (*Command, []string) {
	for n := len(words); n > 0; n-- {
		if c := r.commands[strings.Join(words[:n], " ")]; c != nil {
			return c, words[n:]
		}
	}
	return nil, words
}
