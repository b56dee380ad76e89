package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/lunemq/lunemq/telemetry/alarm"
)

// AlarmCommands returns "alarm show" over a list.
func AlarmCommands(list *alarm.List) []Command {
	doc := []string{"Show what is wrong at present and needs somebody\n"}
	for _, n := range alarm.Names() {
		e := n.Entry()
		doc = append(doc, fmt.Sprintf("%s (%s): %s", e.Text, e.Severity, e.Help))
	}
	columns := []string{"alarm", "severity", "subject", "since", "text"}
	return []Command{{
		Path: "alarm show", Doc: strings.Join(doc, "\n"), Columns: columns,
		Run: func(context.Context, *Call) (Result, error) {
			t := Table{Columns: columns}
			for _, a := range list.Active() {
				t.Rows = append(t.Rows, []any{a.Name.String(), a.Name.Entry().Severity.String(), a.Subject, a.Since, a.Text})
			}
			if n := list.Lost(); n > 0 {
				t.Note = fmt.Sprintf("the list was full %d times when another alarm was raised", n)
			}
			return t, nil
		},
	}}
}
