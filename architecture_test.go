// Package lunemq_test holds the rules of the code base: layers, purity,
// budgets and package documents. Each rule is a function over a tree of source
// files, so that a test can plant a fault and demand that the rule finds it.
package lunemq_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lunemq/lunemq/"

// layers: a package imports only packages of a strictly lower layer. A
// trailing /* stands for all packages below.
var layers = map[string]int{
	"broker/mqtt": 0, "telemetry/metric": 0, "conf/value": 0, "telemetry/alarm": 0, "telemetry/snmp/ber": 0, "cluster/membership": 0,
	"broker/topic": 1, "broker/packet": 1, "broker/queue": 1, "broker/store": 1, "broker/hook": 1, "broker/listener": 1, "broker/pressure": 1, "broker/admin": 1,
	"cluster/gossip": 1, "scripting/sandbox": 1, "telemetry/graphite": 1, "telemetry/snmp": 1, "telemetry/systree": 1,
	"broker/session": 2, "broker/subtrie": 2, "broker/retain": 2, "broker/auth": 2, "broker/store/*": 2, "broker/admin/*": 2,
	"cluster/link": 2, "cluster/membership/etcd": 2, "scripting/luaconv": 2, "scripting/authcache": 2,
	"broker/engine": 3, "broker/router": 3, "broker/registry": 3, "scripting/lualib": 3,
	"broker/engine/*": 4, "broker/conn": 4, "cluster": 4, "scripting/lualib/*": 4, "scripting": 5,
	"broker": 5, "conf": 6, "scripting/*": 6, "cmd/*": 7,
}

// pure packages contain no net, os, log, goroutine or time.Now.
var pure = []string{"broker/mqtt", "broker/topic", "broker/packet", "broker/queue", "broker/session", "broker/subtrie", "broker/retain",
	"conf/value", "telemetry/snmp/ber", "cluster/gossip"}

// singleHome: third-party modules that appear in one package only.
var singleHome = map[string]string{
	"github.com/rcrowley/go-metrics":     "telemetry/metric",
	"github.com/cockroachdb/pebble":      "broker/store/pebblestore",
	"github.com/yuin/gopher-lua":         "scripting",
	"github.com/gosnmp/gosnmp":           "telemetry/snmp",
	"github.com/jackc/pgx":               "scripting/lualib/postgres",
	"github.com/go-sql-driver/mysql":     "scripting/lualib/mysql",
	"github.com/redis/go-redis":          "scripting/lualib/redis",
	"github.com/bradfitz/gomemcache":     "scripting/lualib/memcached",
	"go.mongodb.org/mongo-driver":        "scripting/lualib/mongodb",
	"github.com/fsnotify/fsnotify":       "scripting",
	"github.com/gobwas/ws":               "broker/listener",
	"github.com/pires/go-proxyproto":     "broker/listener",
	"go.etcd.io/etcd":                    "cluster/membership/etcd",
	"github.com/marpaie/graphite-golang": "nowhere: it cannot be obtained, see telemetry/graphite",
}

// topLevel is what may lie at the root.
var topLevel = []string{"broker", "scripting", "telemetry", "cluster", "cmd", "scripts", "conf", "packaging", "go.mod", "go.sum", "Makefile",
	"README.md", "CHANGELOG.md", "LICENSE", "architecture_test.go", "dist", "data"}

// exceptions to the budgets, at most ten, each with its reason.
var exceptions = map[string]string{
	"broker/hook exported names":   "the hook catalogue: one interface, one argument and one result per hook point",
	"broker/mqtt exported names":   "the shared nouns and their constants are one vocabulary",
	"broker/packet exported names": "one structure per control packet, as the standard has them",
}

// file is one parsed source file.
type file struct {
	path  string // "broker/mqtt/message.go"
	text  string
	ast   *ast.File
	fset  *token.FileSet
	table bool // data only
}

func (f *file) dir() string { return path.Dir(f.path) }
func (f *file) isTest() bool {
	return strings.HasSuffix(f.path, "_test.go") || strings.HasSuffix(f.dir(), "test")
}
func (f *file) lines() int      { return strings.Count(f.text, "\n") }
func (f *file) generated() bool { return strings.HasPrefix(f.text, "// Code generated") }

func parse(t *testing.T, name, text string) *file {
	t.Helper()
	fset := token.NewFileSet()
	a, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	f := &file{path: name, text: text, ast: a, fset: fset, table: true}
	for _, d := range a.Decls {
		if _, isFunc := d.(*ast.FuncDecl); isFunc {
			f.table = false
		}
	}
	return f
}

// tree reads the project's Go files.
func tree(t *testing.T) []*file {
	t.Helper()
	var out []*file
	err := fs.WalkDir(os.DirFS("."), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (p == "dist" || p == "data" || p != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if strings.HasSuffix(p, ".go") {
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			out = append(out, parse(t, p, string(text)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// layerOf finds a package in a table with /* entries.
func layerOf(pkg string) (int, bool) {
	if l, ok := layers[pkg]; ok {
		return l, true
	}
	l, ok := layers[path.Dir(pkg)+"/*"]
	return l, ok
}

func imports(f *file) []string {
	var out []string
	for _, i := range f.ast.Imports {
		out = append(out, strings.Trim(i.Path.Value, `"`))
	}
	return out
}

// checkLayers: imports go down the map, and every package is on it.
func checkLayers(files []*file) (bad []string) {
	for _, f := range files {
		if f.dir() == "." || f.isTest() {
			continue
		}
		own, known := layerOf(f.dir())
		if !known {
			bad = append(bad, f.path+": package is not on the map of layers")
			continue
		}
		for _, i := range imports(f) {
			pkg, ours := strings.CutPrefix(i, module)
			if !ours {
				continue
			}
			if l, ok := layerOf(pkg); !ok || l >= own {
				bad = append(bad, fmt.Sprintf("%s (layer %d) imports %s (layer %d)", f.path, own, pkg, l))
			}
		}
	}
	return bad
}

// checkHomes: a third-party SDK appears in one package.
func checkHomes(files []*file) (bad []string) {
	for _, f := range files {
		for _, i := range imports(f) {
			for lib, home := range singleHome {
				if strings.HasPrefix(i, lib) && !strings.HasPrefix(f.dir(), home) && !f.isTest() {
					bad = append(bad, f.path+" imports "+i+", whose home is "+home)
				}
			}
		}
	}
	return bad
}

// checkPure: no I/O, no goroutine and no clock in pure packages.
func checkPure(files []*file) (bad []string) {
	for _, f := range files {
		if !slices.Contains(pure, f.dir()) || f.isTest() {
			continue
		}
		for _, i := range imports(f) {
			if i == "os" || i == "log" || strings.HasPrefix(i, "log/") || i == "net" || strings.HasPrefix(i, "net/") && i != "net/netip" || i == "syscall" {
				bad = append(bad, f.path+" imports "+i)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				bad = append(bad, f.path+" starts a goroutine")
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Sleep"}, n.Sel.Name) {
					bad = append(bad, f.path+" uses time."+n.Sel.Name)
				}
			}
			return true
		})
	}
	return bad
}

// Budgets of hand-written non-test code, and of tests.
const (
	maxFile, maxTable, maxTestFile = 400, 600, 800
	maxFunc, maxTestFunc           = 60, 100
	maxMethods, maxExported        = 8, 40
)

// checkBudgets: files, functions, interfaces, exported names.
func checkBudgets(files []*file) (bad []string) {
	exported := map[string]map[string]bool{}
	for _, f := range files {
		if f.generated() || f.path == "architecture_test.go" {
			continue
		}
		limit, funcLimit := maxFile, maxFunc
		switch {
		case f.isTest():
			limit, funcLimit = maxTestFile, maxTestFunc
		case f.table:
			limit = maxTable
		}
		if n := f.lines(); n > limit {
			bad = append(bad, fmt.Sprintf("%s has %d lines, the budget is %d", f.path, n, limit))
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if lines := f.fset.Position(n.End()).Line - f.fset.Position(n.Pos()).Line + 1; lines > funcLimit {
					bad = append(bad, fmt.Sprintf("%s: %s has %d lines, the budget is %d", f.path, n.Name.Name, lines, funcLimit))
				}
			case *ast.InterfaceType:
				if len(n.Methods.List) > maxMethods {
					bad = append(bad, fmt.Sprintf("%s: an interface has %d methods, the budget is %d", f.path, len(n.Methods.List), maxMethods))
				}
			}
			return true
		})
		if !f.isTest() {
			collectExported(f, exported)
		}
	}
	for dir, names := range exported {
		if n := len(names); n > maxExported {
			bad = append(bad, fmt.Sprintf("%s exported names: %d, the budget is %d", dir, n, maxExported))
		}
	}
	return bad
}

// collectExported gathers package-level identifiers; a block of constants or
// variables counts once.
func collectExported(f *file, into map[string]map[string]bool) {
	if into[f.dir()] == nil {
		into[f.dir()] = map[string]bool{}
	}
	add := func(n string) {
		if ast.IsExported(n) {
			into[f.dir()][n] = true
		}
	}
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name.Name)
			}
		case *ast.GenDecl:
			for i, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					add(s.Name.Name)
				case *ast.ValueSpec:
					if i == 0 {
						add(s.Names[0].Name)
					}
				}
			}
		}
	}
}

// checkDocs: each package has a doc.go with a package comment that names the
// file to read first.
func checkDocs(files []*file) (bad []string) {
	dirs := map[string]bool{}
	for _, f := range files {
		if f.dir() == "." || strings.HasSuffix(f.path, "_test.go") {
			continue
		}
		if f.ast.Name.Name == "main" {
			dirs[f.dir()] = dirs[f.dir()] || f.ast.Doc != nil
			continue
		}
		ok := path.Base(f.path) == "doc.go" && f.ast.Doc != nil && strings.Contains(f.ast.Doc.Text(), "Read first:")
		dirs[f.dir()] = dirs[f.dir()] || ok
	}
	for _, d := range slices.Sorted(maps.Keys(dirs)) {
		if !dirs[d] {
			bad = append(bad, d+` has no doc.go with a package comment and "Read first:"`)
		}
	}
	return bad
}

// checkHabits: no sleeping tests, no skips, no open ends.
func checkHabits(files []*file) (bad []string) {
	for _, f := range files {
		if f.path == "architecture_test.go" {
			continue
		}
		for i, line := range strings.Split(f.text, "\n") {
			for _, word := range []string{"time.Sleep(", "t.Skip(", "TO" + "DO", "FIX" + "ME"} {
				if strings.Contains(line, word) && (strings.HasSuffix(f.path, "_test.go") || !strings.HasPrefix(word, "t")) {
					bad = append(bad, fmt.Sprintf("%s:%d: %s", f.path, i+1, word))
				}
			}
		}
	}
	return bad
}

// checkRoot: nothing else lies at the root.
func checkRoot(names []string) (bad []string) {
	for _, n := range names {
		if !strings.HasPrefix(n, ".") && !slices.Contains(topLevel, n) {
			bad = append(bad, n+" does not belong at the root")
		}
	}
	return bad
}

func excused(bad []string) (out []string) {
	for _, b := range bad {
		hit := false
		for e := range exceptions {
			hit = hit || strings.HasPrefix(b, e)
		}
		if !hit {
			out = append(out, b)
		}
	}
	return out
}

func TestArchitecture(t *testing.T) {
	files := tree(t)
	if len(exceptions) > 10 {
		t.Errorf("%d exceptions, ten are allowed", len(exceptions))
	}
	var names []string
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	for rule, bad := range map[string][]string{"layers": checkLayers(files), "homes": checkHomes(files), "purity": checkPure(files),
		"budgets": excused(checkBudgets(files)), "documents": checkDocs(files), "habits": checkHabits(files), "root": checkRoot(names)} {
		for _, b := range bad {
			t.Errorf("%s: %s", rule, b)
		}
	}
}

// TestRules_CanFail plants one fault per rule.
func TestRules_CanFail(t *testing.T) {
	long := strings.Repeat("\n", maxFile+1)
	var methods, exported strings.Builder
	for i := range maxMethods + 1 {
		fmt.Fprintf(&methods, "M%d()\n", i)
	}
	for i := range maxExported + 1 {
		fmt.Fprintf(&exported, "type T%d int\n", i)
	}
	one := func(rule func([]*file) []string, name, text string) func() []string {
		return func() []string { return rule([]*file{parse(t, name, text)}) }
	}
	for name, plant := range map[string]func() []string{
		"upward import":    one(checkLayers, "broker/mqtt/x.go", `package mqtt; import _ "`+module+`broker/topic"`),
		"same layer":       one(checkLayers, "broker/queue/x.go", `package queue; import _ "`+module+`broker/topic"`),
		"unknown package":  one(checkLayers, "broker/elsewhere/x.go", `package elsewhere`),
		"two homes":        one(checkHomes, "broker/router/x.go", `package router; import _ "github.com/rcrowley/go-metrics"`),
		"net in pure":      one(checkPure, "broker/packet/x.go", `package packet; import _ "net"`),
		"clock in pure":    one(checkPure, "broker/packet/x.go", `package packet; import "time"; var x = time.Now`),
		"goroutine":        one(checkPure, "broker/session/x.go", `package session; func f() { go f() }`),
		"long file":        one(checkBudgets, "broker/conn/x.go", "package conn\nfunc f() {}\n"+long),
		"long function":    one(checkBudgets, "broker/conn/x.go", "package conn\nfunc f() {"+strings.Repeat("\n", maxFunc)+"}"),
		"wide interface":   one(checkBudgets, "broker/conn/x.go", "package conn\ntype I interface {\n"+methods.String()+"}"),
		"exported names":   one(checkBudgets, "broker/conn/x.go", "package conn\n"+exported.String()),
		"no package doc":   one(checkDocs, "broker/conn/x.go", "package conn"),
		"doc without file": one(checkDocs, "broker/conn/doc.go", "// Package conn is.\npackage conn"),
		"sleeping test":    one(checkHabits, "broker/conn/x_test.go", "package conn\nfunc f() { time.Sleep(1) }"),
		"root":             func() []string { return checkRoot([]string{"misc"}) },
	} {
		if len(plant()) == 0 {
			t.Errorf("%s: the planted fault was not found", name)
		}
	}
}
