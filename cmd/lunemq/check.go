package main

import (
	"fmt"
	"strings"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/scripting"
)

// check prints every problem of the configuration, those of the files it names
// included. The status is 1 when there are errors, with --strict also when
// there are warnings.
func check(p process) int {
	o, status, ok := p.parse("check")
	if !ok {
		return status
	}
	res, err := p.load(o)
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return 1
	}
	errs, warnings, err := conf.Report(p.stdout, res.Problems)
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return 1
	}
	if errs == 0 {
		cfg := conf.Section[broker.Config](res)
		bad := broker.CheckFiles(cfg)
		if cfg.Who.Plugins["lua"].On {
			bad = append(bad, scripting.Check(conf.Section[scripting.Config](res))...)
		}
		for _, err := range bad {
			found := explain(res, err)
			if res.Explain(err) == nil {
				found[0] = "error: " + found[0]
			}
			fmt.Fprintln(p.stdout, strings.Join(found, "\n"))
			errs += len(found)
		}
	}
	fmt.Fprintf(p.stdout, "%s: %d errors, %d warnings\n", o.file, errs, warnings)
	if errs > 0 || o.strict && warnings > 0 {
		return 1
	}
	return 0
}

// explain returns the lines that tell an operator what err says: with the
// place in the configuration, when it is about a file named there.
func explain(res *conf.Result, err error) (lines []string) {
	for _, problem := range res.Explain(err) {
		lines = append(lines, problem.String())
	}
	if lines == nil {
		lines = []string{err.Error()}
	}
	return lines
}

// config prints the effective values and where each came from.
func config(p process) int {
	o, status, ok := p.parse("config")
	if !ok {
		return status
	}
	res, err := p.load(o)
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return 1
	}
	for _, v := range res.Values() {
		if o.changed && v.Value == v.Default {
			continue
		}
		fmt.Fprintf(p.stdout, "%s = %s  ## %s\n", v.Key, v.Value, v.Origin)
	}
	if res.Failed() {
		_, _, _ = conf.Report(p.stderr, res.Problems)
		return 1
	}
	return 0
}
