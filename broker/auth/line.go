package auth

import (
	"fmt"
	"iter"
	"strings"
)

// LineError is a line that cannot be understood. A file's errors come joined,
// one for each bad line. Immutable.
type LineError struct {
	File    string
	Line    int    // from 1
	Text    string // the line; empty for a password file, whose lines are secret
	Problem string
	Remedy  string
}

// Error returns "auth: FILE:LINE: PROBLEM: TEXT; REMEDY".
func (e *LineError) Error() string {
	text := ""
	if e.Text != "" {
		text = fmt.Sprintf(": %.100q", e.Text)
	}
	return fmt.Sprintf("auth: %s:%d: %s%s; %s", e.File, e.Line, e.Problem, text, e.Remedy)
}

// fault is a LineError that does not know yet where it is.
type fault struct{ problem, remedy string }

// lines yields the lines of a file that are neither empty nor comments, with
// their numbers. The white space at the end of a line, which editors and CRLF
// leave there, and a byte order mark are cut off.
func lines(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		text = strings.TrimPrefix(text, "\ufeff")
		n := 0
		for line := range strings.Lines(text) {
			n++
			line = strings.TrimRight(line, " \t\r\n")
			if !skipped(line) && !yield(n, line) {
				return
			}
		}
	}
}

// skipped reports whether a line is empty or a comment.
func skipped(line string) bool {
	bare := strings.Trim(line, " \t\r\n")
	return bare == "" || bare[0] == '#'
}
