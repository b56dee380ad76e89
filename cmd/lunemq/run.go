package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/store/pebblestore"
	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/scripting"
)

// version is set by the build.
var version = "development"

// defaultConf is the configuration file when none is named.
const defaultConf = "/etc/lunemq/lunemq.conf"

// process is what a command sees of its surroundings.
type process struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	env            []string
}

const usage = `usage: lunemq COMMAND [OPTIONS]

  serve   [--conf FILE] [--set KEY=VALUE ...]   run the broker
  check   [--conf FILE] [--set KEY=VALUE ...] [--strict]
                                                say all that is wrong with the configuration
  config  [--conf FILE] [--set KEY=VALUE ...] [--changed]
                                                print every key, its value and where that came from
  passwd  [-c [-f]] [-D] FILE USER, -U FILE     edit a password file
  script  test FILE [--events FILE]             run a script's hooks outside the broker
  version                                       print the version

The file is /etc/lunemq/lunemq.conf unless --conf names another.
`

// run executes one command and returns the exit status: 0 done, 1 failed, 2
// called wrongly. SIGHUP arrives through reload, the wish to stop through ctx.
func run(ctx context.Context, reload <-chan os.Signal, p process) int {
	name := ""
	if len(p.args) > 0 {
		name, p.args = p.args[0], p.args[1:]
	}
	switch name {
	case "serve":
		return serve(ctx, reload, p)
	case "check":
		return check(p)
	case "config":
		return config(p)
	case "passwd":
		return passwd(p.args, p.stdin, p.stdout, p.stderr)
	case "script":
		return script(p)
	case "version", "--version":
		if len(p.args) > 0 {
			fmt.Fprintf(p.stderr, "lunemq version: unexpected argument %q\n", p.args[0])
			return 2
		}
		fmt.Fprintln(p.stdout, "lunemq", version)
		return 0
	case "help", "--help", "-h":
		fmt.Fprint(p.stdout, usage)
		return 0
	case "":
		fmt.Fprint(p.stderr, usage)
		return 2
	}
	fmt.Fprintf(p.stderr, "lunemq: unknown command %q\n\n%s", name, usage)
	return 2
}

// options are the flags that serve, check and config share.
type options struct {
	file    string
	set     list
	strict  bool
	changed bool
}

// list is a flag that may be repeated.
type list []string

// String implements flag.Value.
func (l *list) String() string { return strings.Join(*l, " ") }

// Set implements flag.Value.
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// parse reads the flags of a command; ok = false after a message was printed,
// with the exit status.
func (p process) parse(name string) (o options, status int, ok bool) {
	f := flag.NewFlagSet("lunemq "+name, flag.ContinueOnError)
	f.SetOutput(p.stderr)
	f.StringVar(&o.file, "conf", defaultConf, "configuration `FILE`")
	f.Var(&o.set, "set", "`KEY=VALUE` that overrides file and environment; repeatable")
	switch name {
	case "check":
		f.BoolVar(&o.strict, "strict", false, "treat warnings as errors")
	case "config":
		f.BoolVar(&o.changed, "changed", false, "only keys that are not at their default")
	}
	switch err := f.Parse(p.args); {
	case errors.Is(err, flag.ErrHelp):
		return o, 0, false
	case err != nil:
		return o, 2, false
	case f.NArg() > 0:
		fmt.Fprintf(p.stderr, "lunemq %s: unexpected argument %q\n", name, f.Arg(0))
		return o, 2, false
	}
	return o, 0, true
}

// sections are the structures that the configuration fills, and the names of
// the plugins that are compiled in.
func sections() []any {
	names := conf.MoreNames{"plugins.NAME": nil}
	for _, x := range compiledIn() {
		names["plugins.NAME"] = append(names["plugins.NAME"], x.Name())
	}
	return append([]any{&broker.Config{}, &pebblestore.Config{}, &scripting.Config{}, names}, libraries()...)
}

// load reads the configuration. The error is for what cannot be read; what is
// wrong within is in the result.
func (p process) load(o options) (*conf.Result, error) {
	schema, err := conf.New(sections()...)
	if err != nil {
		return nil, err
	}
	res, err := schema.Load(conf.Sources{File: o.file, Env: p.env, Set: o.set})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; name the configuration file with --conf FILE (%s unless named)", err, defaultConf)
	}
	return res, err
}
