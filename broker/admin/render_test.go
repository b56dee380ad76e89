package admin

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"
)

var testTable = Table{
	Columns: []string{"client_id", "is_online", "port", "since"},
	Rows: [][]any{
		{"größe", true, 1883, time.Unix(0, 0)},
		{"a\x1b[31m\n", false, nil, time.Time{}},
		{"short"},
	},
	Note: "2 rows skipped",
}

func TestWriteText(t *testing.T) {
	f := func(r Result, bold bool, want string) {
		t.Helper()
		var b bytes.Buffer
		if err := WriteText(&b, r, bold); err != nil || b.String() != want {
			t.Errorf("got %v\n%q\nwant\n%q", err, b.String(), want)
		}
	}
	f(testTable, false, `+---------------+-----------+------+---------------------+
| client_id     | is_online | port | since               |
+---------------+-----------+------+---------------------+
| größe         | true      | 1883 | 1970-01-01T00:00:00 |
| a\x1b[31m\x0a | false     |      |                     |
| short         |           |      |                     |
+---------------+-----------+------+---------------------+
2 rows skipped
`)
	f(Table{Columns: []string{"a"}}, true, "+---+\n| \x1b[1ma\x1b[0m |\n+---+\n")
	f(Text("one\ntwo\xff\n"), false, "one\ntwo\\xff\n")
	f(Text(""), false, "")
	f(Alert{"x", "y"}, false, "x\ny\n")
}

func TestWriteJSON(t *testing.T) {
	f := func(r Result, want string) {
		t.Helper()
		var b bytes.Buffer
		if err := WriteJSON(&b, r); err != nil || b.String() != want+"\n" || !json.Valid(b.Bytes()) {
			t.Errorf("got %v\n%s\nwant\n%s", err, b.String(), want)
		}
	}
	f(testTable, `{"type":"table","table":[{"client_id":"größe","is_online":true,"port":1883,"since":"1970-01-01T00:00:00"},`+
		`{"client_id":"a\u001b[31m\n","is_online":false,"port":null,"since":""},`+
		`{"client_id":"short","is_online":null,"port":null,"since":null}],"note":"2 rows skipped"}`)
	f(Table{Columns: []string{"a"}}, `{"type":"table","table":[]}`)
	f(Table{Columns: []string{"a"}, Rows: [][]any{{math.NaN()}}}, `{"type":"table","table":[{"a":"NaN"}]}`)
	f(Text("<Done>\n"), `{"type":"text","text":"<Done>"}`)
	f(Alert(nil), `{"type":"alert","alert":[]}`)
	f(Alert{"x"}, `{"type":"alert","alert":["x"]}`)
}
