package admin

import (
	"fmt"
	"strconv"
	"strings"
)

// Call is one invocation of a command, parsed. Owned by Run.
type Call struct {
	Command *Command
	Words   []string          // trailing words, see Command.Words
	Args    map[string]string // key=value arguments
	Keys    []string          // keys of Args in the order given
	Options []Option          // flags in the order given
	JSON    bool              // --format=json
	help    bool              // --help was given; Words is what it is about
}

// Arg returns the value of an argument, "" if it was not given.
func (c *Call) Arg(name string) string { return c.Args[name] }

// Flag returns the last value given for a flag and whether it was given.
func (c *Call) Flag(name string) (value string, given bool) {
	for _, o := range c.Options {
		if o.Name == name {
			given = true
			if o.Set {
				value = o.Value
			}
		}
	}
	return value, given
}

// Bool returns whether a FlagBool is on, def if it was not given.
func (c *Call) Bool(name string, def bool) bool {
	v, given := c.Flag(name)
	if !given {
		return def
	}
	return v != "false"
}

// Int returns a flag's value as a number of at least min, def if it was not
// given. The error wraps ErrUsage and shows the value.
func (c *Call) Int(name string, def, min int) (int, error) {
	v, given := c.Flag(name)
	if !given {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < min {
		return 0, fmt.Errorf("%w: --%s=%s is not a number of at least %d", ErrUsage, name, v, min)
	}
	return n, nil
}

// List returns the comma list given to a flag, nil if it was not given.
func (c *Call) List(name string) []string {
	v, given := c.Flag(name)
	if !given || v == "" {
		return nil
	}
	return strings.Split(v, ",")
}
