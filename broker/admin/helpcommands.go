package admin

import (
	"context"
	"strings"
)

func (r *Registry) helpCommand() Command {
	return Command{
		Path:  "help",
		Doc:   "List the commands, or explain one",
		Words: "COMMAND",
		Run: func(_ context.Context, c *Call) (Result, error) {
			return r.Help(c.Words)
		},
	}
}

func (r *Registry) completeCommand() Command {
	return Command{
		Path: "complete",
		Doc:  "List what the last word of a command line may become, for shells",
		Args: []Arg{{Name: "line", Doc: "the command line without the program's name, up to the cursor"}},
		Run: func(_ context.Context, c *Call) (Result, error) {
			line := c.Arg("line")
			words := strings.Fields(line)
			if line == "" || strings.HasSuffix(line, " ") {
				words = append(words, "")
			}
			return Text(strings.Join(r.Complete(words), "\n")), nil
		},
	}
}
