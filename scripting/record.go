package scripting

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/hook"
)

// Bounds of what one recording collects.
const (
	mostRecorded  = 10_000  // calls
	bytesRecorded = 8 << 20 // of their events
	longestRecord = 4 * time.Minute
)

// withheld stands in a recording for a client's secret.
const withheld = "not recorded"

// recording collects the calls of a script as events for lunemq script test.
// Safe for concurrent use.
type recording struct {
	hook, clientID string // "" = any
	most           int

	mu     sync.Mutex // a leaf
	events []string
	size   int // bytes of events
	last   time.Time
	full   chan struct{} // closed when no more can come
	once   sync.Once     // of closing it
}

// end says that no more can come: there is no room, or the script is gone.
func (r *recording) end() { r.once.Do(func() { close(r.full) }) }

// recorded is a call that is to be recorded when it ends.
type recorded struct {
	to     *recording
	fields map[string]any
}

// record begins to record a call if somebody wants it. The argument is copied:
// the script may change it.
func (c *call) record(arg *lua.LTable) {
	r := c.s.recording.Load()
	if r == nil || r.hook != "" && r.hook != c.slot.name() && r.hook != pointNames[c.slot/2] {
		return
	}
	c.in.state.Complete(c.in.state.L, arg)
	fields, _ := recordable(arg, 0).(map[string]any)
	if r.clientID != "" && fields["client_id"] != r.clientID {
		return
	}
	if fields["password"] != nil {
		fields["password"] = withheld
	}
	if props, _ := fields["properties"].(map[string]any); props["p_authentication_data"] != nil {
		props["p_authentication_data"] = withheld
	}
	c.recorded = recorded{r, fields}
}

// recordable makes what JSON can hold of a value; a string that is not UTF-8
// becomes {"base64": "..."}.
func recordable(v lua.LValue, depth int) any {
	switch x := v.(type) {
	case lua.LString:
		if !utf8.ValidString(string(x)) {
			return map[string]any{"base64": base64.StdEncoding.EncodeToString([]byte(x))}
		}
		return strings.Clone(string(x))
	case lua.LNumber:
		return float64(x)
	case lua.LBool:
		return bool(x)
	case *lua.LTable:
		if depth > 8 {
			return nil
		}
		if n := x.Len(); n > 0 {
			list := make([]any, n)
			for i := range list {
				list[i] = recordable(x.RawGetInt(i+1), depth+1)
			}
			return list
		}
		m := map[string]any{}
		x.ForEach(func(k, v lua.LValue) { m[k.String()] = recordable(v, depth+1) })
		return m
	}
	return nil
}

// recordEnd adds the call with its outcome.
func (c *call) recordEnd(d hook.Decision) {
	r := c.recorded.to
	verdict := [...]string{"next", "ok", "deny"}[d]
	switch {
	case c.err != nil:
		verdict = "error"
	case !c.slot.answers():
		verdict = "called"
	}
	args, err := json.Marshal(c.recorded.fields)
	if err != nil {
		return // cannot be: recordable makes what can be encoded
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) >= r.most || r.size > bytesRecorded {
		return
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"hook":%q,`, c.slot.name())
	if !r.last.IsZero() {
		fmt.Fprintf(&b, `"after":%.3f,`, max(0, c.began.Sub(r.last).Seconds()))
	}
	r.last = c.began
	b.Write(args[1 : len(args)-1])
	fmt.Fprintf(&b, `,"expect":%q}`, verdict)
	r.events = append(r.events, ascii(b.String()))
	if r.size += b.Len(); len(r.events) >= r.most || r.size > bytesRecorded {
		r.end()
	}
}

// ascii writes other characters as JSON escapes, so that no terminal and no
// outlet of commands changes them.
func ascii(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= 0x7f }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch hi, lo := utf16.EncodeRune(r); {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// Record collects calls of a script, until there are most, ctx ends or the time
// is over, as lines that lunemq script test reads. hookName and clientID limit
// it, "" = any. Passwords and authentication data are left out.
func (e *Engine) Record(ctx context.Context, name, hookName, clientID string, most int, d time.Duration) ([]string, error) {
	e.mu.Lock()
	s := e.script(name)
	e.mu.Unlock()
	if s == nil {
		return nil, errUnknown(name)
	}
	if _, known := slotsByName[hookName]; !known && hookName != "" && !slices.Contains(pointNames[:], hookName) {
		return nil, fmt.Errorf("scripting: there is no hook %q for scripts", hookName)
	}
	r := &recording{hook: hookName, clientID: clientID, most: most, full: make(chan struct{})}
	if !s.recording.CompareAndSwap(nil, r) {
		return nil, fmt.Errorf("scripting: %s is being recorded already; one recording of a script at a time", s.name)
	}
	defer s.recording.Store(nil)
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	select {
	case <-ctx.Done():
	case <-r.full:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events), nil
}

// recordCommand is script record.
func recordCommand(path []admin.Arg, running func() (*Engine, error)) admin.Command {
	return admin.Command{
		Path: "script record",
		Doc: "Record calls of a script's hooks as events for lunemq script test\n\nWaits until there are enough or the time is over, then prints one JSON object\n" +
			"per line, with what the script answered as what is expected of it. Payloads are\nrecorded; passwords and authentication data are not.",
		Args: path,
		Flags: []admin.Flag{
			{Name: "hook", Kind: admin.FlagValue, Doc: "only this hook: auth_on_publish, or auth_on_publish_m5 for 5.0 only"},
			{Name: "client_id", Kind: admin.FlagValue, Doc: "only this client"},
			{Name: "limit", Kind: admin.FlagValue, Doc: fmt.Sprintf("calls at most, 100 unless given, up to %d", mostRecorded)},
			{Name: "seconds", Kind: admin.FlagValue, Doc: fmt.Sprintf("how long at most, 10 unless given, up to %d", int(longestRecord.Seconds()))},
		},
		Changes: true, // what clients send is shown
		Run: func(ctx context.Context, c *admin.Call) (admin.Result, error) {
			e, err := running()
			if err != nil {
				return nil, err
			}
			limit, err := c.Int("limit", 100, 1)
			if err != nil {
				return nil, err
			}
			seconds, err := c.Int("seconds", 10, 1)
			if err != nil {
				return nil, err
			}
			hookName, _ := c.Flag("hook")
			clientID, _ := c.Flag("client_id")
			lines, err := e.Record(ctx, c.Arg("path"), hookName, clientID, min(limit, mostRecorded), min(time.Duration(seconds)*time.Second, longestRecord))
			if err != nil {
				return nil, err
			}
			head := fmt.Sprintf("# %d calls of %s", len(lines), c.Arg("path"))
			return admin.Text(strings.Join(append([]string{head}, lines...), "\n")), nil
		},
	}
}
