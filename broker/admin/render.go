package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// WriteText prints a result for people: tables with borders, bold headers if
// asked for, text and alerts as lines. Characters that would steer a terminal
// are printed as escapes. The only errors are those of w.
func WriteText(w io.Writer, r Result, bold bool) error {
	var b bytes.Buffer
	switch r := r.(type) {
	case Table:
		r.write(&b, bold)
	case Text:
		writeLines(&b, string(r))
	case Alert:
		for _, line := range r {
			writeLines(&b, line)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func writeLines(b *bytes.Buffer, s string) {
	if s = strings.TrimSuffix(s, "\n"); s == "" {
		return
	}
	for line := range strings.SplitSeq(s, "\n") {
		b.WriteString(printable(line))
		b.WriteByte('\n')
	}
}

// write prints the table:
//
//	+------+---------+
//	| Node | Running |
//	+------+---------+
//	| a    | true    |
//	+------+---------+
func (t Table) write(b *bytes.Buffer, bold bool) {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = utf8.RuneCountInString(c)
	}
	cells := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		cells[i] = make([]string, len(t.Columns))
		for j := range min(len(row), len(t.Columns)) {
			cells[i][j] = printable(cell(row[j]))
			widths[j] = max(widths[j], utf8.RuneCountInString(cells[i][j]))
		}
	}
	border := "+"
	for _, n := range widths {
		border += strings.Repeat("-", n+2) + "+"
	}
	line := func(row []string, on, off string) {
		b.WriteByte('|')
		for i, s := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(s))
			b.WriteString(" " + on + s + off + pad + " |")
		}
		b.WriteByte('\n')
	}
	if len(t.Columns) > 0 {
		b.WriteString(border + "\n")
		if bold {
			line(t.Columns, "\x1b[1m", "\x1b[0m")
		} else {
			line(t.Columns, "", "")
		}
		b.WriteString(border + "\n")
		for _, row := range cells {
			line(row, "", "")
		}
		if len(cells) > 0 {
			b.WriteString(border + "\n")
		}
	}
	writeLines(b, t.Note)
}

// cell returns a value as a table shows it; nil is blank.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(timeLayout)
	}
	return fmt.Sprint(v)
}

// timeLayout is that of times in tables and of expires=, in UTC.
const timeLayout = "2006-01-02T15:04:05"

// printable replaces what does not print with Go escapes.
func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// WriteJSON prints a result as the HTTP API answers it, followed by a newline:
//
//	{"type":"table","table":[{"column":value,...},...]}   and "note" if there is one
//	{"type":"text","text":"..."}
//	{"type":"alert","alert":["...",...]}
//
// Columns keep their order; a missing value is null. The only errors are those
// of w.
func WriteJSON(w io.Writer, r Result) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"type":%q,`, r.Type())
	switch r := r.(type) {
	case Table:
		b.WriteString(`"table":[`)
		for i, row := range r.Rows {
			if i > 0 {
				b.WriteByte(',')
			}
			r.writeRow(&b, row)
		}
		b.WriteByte(']')
		if r.Note != "" {
			b.WriteString(`,"note":`)
			encode(&b, r.Note)
		}
	case Text:
		b.WriteString(`"text":`)
		encode(&b, strings.TrimSuffix(string(r), "\n"))
	case Alert:
		b.WriteString(`"alert":`)
		encode(&b, append([]string{}, r...))
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}

func (t Table) writeRow(b *bytes.Buffer, row []any) {
	b.WriteByte('{')
	for i, name := range t.Columns {
		if i > 0 {
			b.WriteByte(',')
		}
		encode(b, name)
		b.WriteByte(':')
		var v any
		if i < len(row) {
			v = row[i]
		}
		if at, ok := v.(time.Time); ok {
			v = cell(at)
		}
		encode(b, v)
	}
	b.WriteByte('}')
}

// encode appends v as JSON; what JSON cannot say (a NaN, a channel) as text.
func encode(b *bytes.Buffer, v any) {
	at := b.Len()
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		b.Truncate(at)
		_ = e.Encode(fmt.Sprint(v)) // a string always encodes
	}
	b.Truncate(b.Len() - 1) // the encoder's newline
}
