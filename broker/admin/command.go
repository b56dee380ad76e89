package admin

import "context"

// Command is one administration command. Immutable once added to a Registry.
type Command struct {
	// Path is the sub command words, separated by one space: "session show".
	Path string
	// Doc opens with one sentence without a full stop, the summary in lists;
	// details may follow after a blank line.
	Doc string
	// Args are the key=value arguments.
	Args []Arg
	// FreeArgs: any other key=value is accepted too (set).
	FreeArgs bool
	// Words names the trailing words the command takes, "KEY", "" for none;
	// they reach Run in Call.Words.
	Words string
	Flags []Flag
	// Columns are all columns a Table of the command may have, for help and
	// the web page. None: it answers with text.
	Columns []string
	// Changes: the command changes state; HTTP clients should POST it.
	Changes bool
	// Run executes the command. It may block and must end when ctx does; it is
	// called concurrently, c is its own. An error is shown to the operator as
	// an alert; one that wraps ErrUsage says that the call was malformed.
	Run func(ctx context.Context, c *Call) (Result, error)
}

// Arg is a key=value argument.
type Arg struct {
	Name     string
	Doc      string
	Required bool
}

// FlagKind says whether a flag has a value.
type FlagKind uint8

// Kinds of flags.
const (
	FlagBool     FlagKind = iota // --cleanup, -c, --cleanup=false
	FlagValue                    // --limit=10, --limit 10, -l 10, -l=10
	FlagOptional                 // --client_id to show it, --client_id=V to filter by it
)

// Flag is an option of a command.
type Flag struct {
	Name  string // without dashes: "with-descriptions"
	Short string // one letter without dash, "" for none
	Kind  FlagKind
	Doc   string
}

// Option is one flag as given in a call.
type Option struct {
	Name  string // its long name
	Value string // "" without one; "true" or "false" for FlagBool, which always has one
	Set   bool   // a value was given
}
