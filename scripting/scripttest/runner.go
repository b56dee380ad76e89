package scripttest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/lunemq/lunemq/scripting"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// Options say what to run.
type Options struct {
	File    string // the script, or a test in Lua, NAME_test.lua
	Events  string // file of events; "" = none
	Bundled string // second folder of require
	// Config holds the limits; its folders are replaced.
	Config scripting.Config
	// Host makes the libraries' host; its log is the test's.
	Host func(*slog.Logger) *lualib.Host
	Out  io.Writer
	// Start is where virtual time begins.
	Start time.Time
}

// Run runs what o says and prints each verdict, modifiers, log lines and which
// lines ran. failed = a call failed, an expectation did not hold, a script does
// not load or nothing was called; err = what was asked for cannot be read.
func Run(o Options) (failed bool, err error) {
	r := &runner{o: o, now: o.Start, ran: map[string]map[int]bool{}}
	defer r.end()
	remedy := ""
	own := strings.TrimSuffix(o.File, ".lua") + "_test.lua"
	switch {
	case strings.HasSuffix(o.File, "_test.lua"):
		remedy, err = madeNoCall(o.File), r.luaTest(o.File)
	case o.Events != "":
		remedy = fmt.Sprintf("%s holds no events; write some, one JSON object per line, or record them while clients use the script: lunemq-admin script record", o.Events)
		if err = r.load(o.File); err == nil {
			err = r.events(o.Events)
		}
	case exists(own):
		remedy, err = madeNoCall(own), r.luaTest(own)
	default:
		remedy = fmt.Sprintf("%s loads, and nothing says what to call; write a test, %s, or give events: --events FILE", o.File, filepath.Base(own))
		err = r.load(o.File)
	}
	if err != nil {
		return true, err
	}
	if r.calls == 0 && !r.failed {
		r.failed = true
		fmt.Fprintf(o.Out, "nothing was tested: %s\n", remedy)
	}
	r.coverage()
	return r.failed, nil
}

// madeNoCall says what a test in Lua lacks that called no hook.
func madeNoCall(test string) string {
	return test + " called no hook; load a script with test.script(FILE) and call one with test.call(HOOK, FIELDS)"
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// runner is one run. Owned by its goroutine.
type runner struct {
	o       Options
	now     time.Time // virtual
	engine  *scripting.Engine
	name    string // of the script, as the engine calls it
	metrics *metric.Broker
	hosts   []*lualib.Host
	logged  []string // lines of the call in progress
	err     string   // of the call in progress
	ran     map[string]map[int]bool
	lines   map[string][]int
	calls   int
	// connections are forgotten when a script is loaded.
	connections connections
	failed      bool
}

func (r *runner) close() {
	if r.engine != nil {
		r.engine.Close()
	}
}

func (r *runner) end() {
	r.close()
	for _, h := range r.hosts {
		h.Close()
	}
}

// load starts an engine with one script.
func (r *runner) load(path string) error {
	r.keepLines()
	r.close()
	cfg := r.o.Config
	cfg.Dir, cfg.BundledDir = filepath.Dir(path), r.o.Bundled
	cfg.Files = map[string]scripting.FileConfig{"test": {File: path}}
	log := slog.New(&handler{r: r})
	r.metrics, r.connections = metric.NewBroker(), connections{}
	host := r.o.Host(log)
	r.hosts = append(r.hosts, host)
	e, err := scripting.Start(&cfg, scripting.Deps{Log: log, Metrics: r.metrics, Host: host, OnlyFiles: true, Inline: true,
		Now: func() time.Time { return r.now },
		Line: func(file string, line int) {
			if r.ran[file] == nil {
				r.ran[file] = map[int]bool{}
			}
			r.ran[file][line] = true
		}})
	if err != nil {
		return err
	}
	r.engine, r.name = e, path
	return e.Problem(path)
}

// keepLines remembers which lines there are before another script is loaded.
func (r *runner) keepLines() {
	if r.engine == nil {
		return
	}
	if r.lines == nil {
		r.lines = map[string][]int{}
	}
	for file, lines := range r.engine.Lines(r.name) {
		r.lines[file] = lines
	}
}

// call makes one call and prints what came of it.
func (r *runner) call(e *Event) (outcome, []string, error) {
	r.now = r.now.Add(e.After)
	r.logged, r.err = nil, ""
	before := r.metrics.HookErrors.Count()
	e.connections = r.connections
	out, err := e.call((*scripting.Hooks)(r.engine))
	if err != nil {
		return out, nil, err
	}
	if r.metrics.HookErrors.Count() > before {
		out.verdict, out.modifiers, out.err = "error", nil, r.err
	}
	r.calls++
	return out, r.logged, nil
}

// events calls the events of a file, one JSON object per line; empty lines and
// lines that begin with # are skipped.
func (r *runner) events(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 64<<20)
	for n := 1; in.Scan(); n++ {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		e, err := newEvent(fields)
		if err == nil {
			var out outcome
			var logged []string
			if out, logged, err = r.call(e); err == nil {
				r.print(fmt.Sprintf("%s:%d: %s", filepath.Base(path), n, e.Hook), e, out, logged)
			}
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return in.Err()
}

// print prints one call with its outcome and whether that was expected.
func (r *runner) print(at string, e *Event, out outcome, logged []string) {
	text := at + ": " + out.verdict
	if out.modifiers != nil {
		text += " " + show(out.modifiers)
	}
	if out.err != "" {
		text += " " + out.err
	}
	fmt.Fprintln(r.o.Out, text)
	for _, l := range logged {
		fmt.Fprintln(r.o.Out, "    "+l)
	}
	switch {
	case e.want == nil:
		r.failed = r.failed || out.verdict == "error"
	case e.want.verdict != "" && e.want.verdict != out.verdict:
		r.fail("expected %s", e.want.verdict)
	case e.want.modifiers != nil && !reflect.DeepEqual(e.want.modifiers, out.modifiers):
		r.fail("expected %s", show(e.want.modifiers))
	}
}

func (r *runner) fail(format string, args ...any) {
	r.failed = true
	fmt.Fprintf(r.o.Out, "    FAIL "+format+"\n", args...)
}

// coverage prints which lines of each file ran.
func (r *runner) coverage() {
	r.keepLines()
	files := make([]string, 0, len(r.lines))
	for f := range r.lines {
		files = append(files, f)
	}
	slices.Sort(files)
	for _, f := range files {
		var missed []string
		for _, l := range r.lines[f] {
			if !r.ran[f][l] {
				missed = append(missed, fmt.Sprint(l))
			}
		}
		all := len(r.lines[f])
		if all == 0 {
			continue
		}
		fmt.Fprintf(r.o.Out, "%s: %d of %d lines ran (%d %%)", f, all-len(missed), all, 100*(all-len(missed))/all)
		if len(missed) > 0 {
			fmt.Fprintf(r.o.Out, ", not %s", strings.Join(missed, ", "))
		}
		fmt.Fprintln(r.o.Out)
	}
	fmt.Fprintf(r.o.Out, "%d calls, %s\n", r.calls, map[bool]string{false: "passed", true: "FAILED"}[r.failed])
}
