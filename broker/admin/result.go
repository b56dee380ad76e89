package admin

// Result is the answer of a command: a Table, a Text or an Alert.
type Result interface {
	// Type returns "table", "text" or "alert".
	Type() string
}

// Table is rows under named columns. Cells are strings, booleans, integers,
// floats, time.Time or nil for a missing value.
type Table struct {
	Columns []string
	Rows    [][]any
	Note    string // a line for the operator below the table, "" for none
	Failed  bool   // what was to be checked is not in order: lunemq-admin exits 1
}

// Text is lines to print as they are.
type Text string

// Alert is a failure, in lines for the operator.
type Alert []string

// Done is the answer of commands that have nothing to say but that they did it.
const Done Text = "Done"

// Type returns "table".
func (Table) Type() string { return "table" }

// Type returns "text".
func (Text) Type() string { return "text" }

// Type returns "alert".
func (Alert) Type() string { return "alert" }
