package main

import (
	"flag"
	"fmt"
	"log/slog"
	"time"

	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/scripting"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/scripttest"
)

const scriptUsage = `usage: lunemq script test FILE [--events FILE] [--bundled DIR]

Runs the hooks of a Lua script outside the broker, with virtual time, and prints
each verdict, modifiers, log lines and which lines ran. FILE is a test in Lua,
NAME_test.lua, or a script: then its own NAME_test.lua is run, or the events of
--events, one JSON object per line:

  {"hook": "auth_on_publish", "client_id": "c1", "topic": "a/b", "payload": "x",
   "after": "10s", "expect": {"verdict": "ok", "modifiers": {"topic": "c"}}}

The fields are those of the hook's argument table. {"base64": "..."} stands for
a string that is not UTF-8. lunemq-admin script record prints such events of the
running broker.

lunemq script stubs prints annotations for editors that speak LuaLS.

Exit status 0: everything was as expected, 1: not, or nothing was called, 2: called
wrongly.
`

// script runs the command script.
func script(p process) int {
	if len(p.args) == 1 && p.args[0] == "stubs" {
		if err := scripting.WriteStubs(p.stdout); err != nil {
			fmt.Fprintln(p.stderr, "lunemq:", err)
			return 1
		}
		return 0
	}
	if len(p.args) < 2 || p.args[0] != "test" {
		fmt.Fprint(p.stderr, scriptUsage)
		return 2
	}
	var o scripttest.Options
	flags := flag.NewFlagSet("lunemq script test", flag.ContinueOnError)
	flags.SetOutput(p.stderr)
	flags.Usage = func() { fmt.Fprint(p.stderr, scriptUsage) }
	flags.StringVar(&o.Events, "events", "", "")
	flags.StringVar(&o.Bundled, "bundled", "", "")
	files := []string{}
	for args := p.args[1:]; len(args) > 0; args = flags.Args() {
		if args[0] != "" && args[0][0] != '-' {
			files = append(files, args[0])
			args = args[1:]
		}
		if err := flags.Parse(args); err != nil {
			return 2
		}
	}
	if len(files) != 1 {
		fmt.Fprint(p.stderr, scriptUsage)
		return 2
	}
	schema, err := conf.New(sections()...)
	if err != nil {
		fmt.Fprintln(p.stderr, "lunemq:", err)
		return 1
	}
	defaults, err := schema.Load(conf.Sources{})
	if err != nil {
		fmt.Fprintln(p.stderr, "lunemq:", err)
		return 1
	}
	o.File, o.Out, o.Start = files[0], p.stdout, time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	o.Config = *conf.Section[scripting.Config](defaults)
	if o.Bundled == "" {
		o.Bundled = o.Config.BundledDir
	}
	o.Host = func(log *slog.Logger) *lualib.Host { return newHost(log, defaults, nil) }
	failed, err := scripttest.Run(o)
	if err != nil {
		fmt.Fprintln(p.stderr, "lunemq:", err)
	}
	if failed {
		return 1
	}
	return 0
}
