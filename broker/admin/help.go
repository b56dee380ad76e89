package admin

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// program is the name in usage lines.
const program = "lunemq-admin"

// Help returns the help of a command, or the list of commands that begin with
// the words, all of them for none. The error of unknown words wraps ErrUsage.
func (r *Registry) Help(words []string) (Text, error) {
	if c, rest := r.Find(words); c != nil && (len(rest) == 0 || c.Words != "") {
		return c.Help(), nil
	}
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintf(&b, "Usage: %s\n\nCommands:\n", strings.Join(append([]string{program}, append(words[:len(words):len(words)], "COMMAND")...), " "))
	found := false
	for _, c := range r.Commands() {
		if path := strings.Fields(c.Path); len(path) > len(words) && slices.Equal(path[:len(words)], words) {
			found = true
			fmt.Fprintf(tw, "  %s\t%s\n", strings.Join(path[len(words):], " "), c.Summary())
		}
	}
	if !found {
		return "", r.unknownCommand(words, nil)
	}
	tw.Flush()
	b.WriteString("\nEach command explains itself with --help; --format=json prints JSON.\n")
	return Text(b.String()), nil
}

// Summary returns the first line of the command's Doc.
func (c *Command) Summary() string {
	line, _, _ := strings.Cut(c.Doc, "\n")
	return line
}

// Help returns the help of the command: usage, doc, arguments, flags, columns.
func (c *Command) Help() Text {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s %s", program, c.Path)
	for _, a := range c.Args {
		if a.Required {
			fmt.Fprintf(&b, " %s=VALUE", a.Name)
		} else {
			fmt.Fprintf(&b, " [%s=VALUE]", a.Name)
		}
	}
	if c.FreeArgs {
		b.WriteString(" KEY=VALUE ...")
	}
	if c.Words != "" {
		fmt.Fprintf(&b, " [%s ...]", c.Words)
	}
	if len(c.Flags) > 0 {
		b.WriteString(" [FLAGS]")
	}
	fmt.Fprintf(&b, "\n\n%s\n", c.Doc)
	tw := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	if len(c.Args) > 0 {
		b.WriteString("\nArguments:\n")
		for _, a := range c.Args {
			fmt.Fprintf(tw, "  %s=\t%s\n", a.Name, a.Doc)
		}
		tw.Flush()
	}
	if len(c.Flags) > 0 {
		b.WriteString("\nFlags:\n")
		for i := range c.Flags {
			fmt.Fprintf(tw, "  %s\t%s\n", c.Flags[i].usage(), c.Flags[i].Doc)
		}
		tw.Flush()
	}
	if len(c.Columns) > 0 {
		fmt.Fprintf(&b, "\nColumns: %s\n", strings.Join(c.Columns, ", "))
	}
	return Text(b.String())
}

func (f *Flag) usage() string {
	s := "--" + f.Name
	if f.Short != "" {
		s = "-" + f.Short + ", " + s
	}
	switch f.Kind {
	case FlagValue:
		s += "=VALUE"
	case FlagOptional:
		s += "[=VALUE]"
	}
	return s
}

// Complete returns what the last of words may be completed to, sorted: words
// of commands, else arguments and flags of the command the words name. It is
// data for a shell's completion.
func (r *Registry) Complete(words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	before, last := words[:len(words)-1], words[len(words)-1]
	path := before
	for i, w := range before {
		if !isWord(w) {
			path = before[:i]
			break
		}
	}
	var options []string
	if len(path) == len(before) {
		options = r.next(path)
	}
	if c, _ := r.Find(path); c != nil {
		for _, a := range c.Args {
			options = append(options, a.Name+"=")
		}
		for _, f := range c.Flags {
			name := "--" + f.Name
			if f.Kind == FlagValue {
				name += "="
			}
			options = append(options, name)
		}
		options = append(options, "--format=json")
	}
	options = append(options, "--help")
	options = slices.DeleteFunc(options, func(o string) bool { return !strings.HasPrefix(o, last) })
	slices.Sort(options)
	return options
}

// HelpCommands returns "help" and "complete", which tell about the other
// commands of the registry.
func (r *Registry) HelpCommands() []Command { return []Command{r.helpCommand(), r.completeCommand()} }
