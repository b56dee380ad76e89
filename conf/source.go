package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// RuntimeFile is the name of the file below the data directory that holds
// what was set at run time to stay.
const RuntimeFile = "runtime.conf"

// Sources says where values come from. Later ones win: default, File, Env,
// the runtime file, Set, RunTime. Immutable once passed to Load.
type Sources struct {
	File    string   // path of the configuration file, which must exist; "" for none
	Env     []string // as os.Environ gives it
	Set     []string // KEY=VALUE of each --set, in order
	RunTime []string // KEY=VALUE of each command set, in order; see Result.Set

	// ReadFile reads File and DATA_DIR/runtime.conf; nil is os.ReadFile.
	ReadFile func(path string) ([]byte, error)
}

// OriginKind tells the sources apart.
type OriginKind uint8

// The sources, in the order in which later ones win.
const (
	FromDefault OriginKind = iota
	FromFile
	FromEnv
	FromRuntimeFile
	FromSetFlag
	FromSet
)

// Origin is where a value was written. Immutable.
type Origin struct {
	Kind OriginKind
	File string // path, for FromFile and FromRuntimeFile
	Line int    // from 1, for the same
	Name string // variable (FromEnv) or key (FromSetFlag, FromSet)
}

// String returns "default", "FILE:LINE", "env NAME", "--set" or "set".
func (o Origin) String() string {
	switch o.Kind {
	case FromFile, FromRuntimeFile:
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	case FromEnv:
		return "env " + o.Name
	case FromSetFlag:
		return "--set"
	case FromSet:
		return "set"
	}
	return "default"
}

// place returns what a Problem's File says: there the variable's name stands
// too, since no line follows.
func (o Origin) place() string {
	switch o.Kind {
	case FromFile, FromRuntimeFile:
		return o.File
	case FromSetFlag, FromSet:
		return o.String() + " " + o.Name
	}
	return o.String()
}

// collect reads all sources but the defaults, in the order in which later ones
// win. dataDir finds the data directory in what was read so far.
func (src Sources) collect(dataDir func([]Entry) string) ([]Entry, []Problem, error) {
	read := src.ReadFile
	if read == nil {
		read = os.ReadFile
	}
	var entries []Entry
	var problems []Problem
	if src.File != "" {
		text, err := read(src.File)
		if err != nil {
			return nil, nil, fmt.Errorf("conf: %w", err)
		}
		entries, problems = Parse(Origin{Kind: FromFile, File: src.File}, text)
	}
	env, bad := envEntries(src.Env)
	entries, problems = append(entries, env...), append(problems, bad...)
	flags, bad := assignments(FromSetFlag, src.Set)
	problems = append(problems, bad...)

	if dir := dataDir(slices.Concat(entries, flags)); dir != "" {
		path := filepath.Join(dir, RuntimeFile)
		text, err := read(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("conf: %w", err)
		}
		kept, bad := Parse(Origin{Kind: FromRuntimeFile, File: path}, text)
		entries, problems = append(entries, kept...), append(problems, bad...)
	}
	set, bad := assignments(FromSet, src.RunTime)
	return slices.Concat(entries, flags, set), append(problems, bad...), nil
}

func assignments(kind OriginKind, texts []string) ([]Entry, []Problem) {
	var entries []Entry
	var problems []Problem
	for _, text := range texts {
		e, p := parseAssignment(Origin{Kind: kind}, text)
		if p != nil {
			problems = append(problems, *p)
			continue
		}
		entries = append(entries, e)
	}
	return entries, problems
}

// The prefixes of variables that hold keys; the later one wins.
var envPrefixes = []string{"DOCKER_VERNEMQ_", "LUNEMQ_"}

// envEntries returns the assignments among variables, sorted by name within a
// prefix. __ stands for a dot, case does not matter.
func envEntries(env []string) ([]Entry, []Problem) {
	var entries []Entry
	var problems []Problem
	sorted := slices.Sorted(slices.Values(env))
	for _, prefix := range envPrefixes {
		for _, kv := range sorted {
			name, val, _ := strings.Cut(kv, "=")
			upper := strings.ToUpper(name)
			rest, ok := strings.CutPrefix(upper, prefix)
			if !ok || rest == "" || envForeign(upper) {
				continue
			}
			from := Origin{Kind: FromEnv, Name: name}
			if strings.HasPrefix(upper, "DOCKER_VERNEMQ_USER_") {
				problems = append(problems, Problem{
					Token: name, Text: "users are not taken from the environment",
					Remedy: "write them with `lunemq passwd` to the file of passwd.password_file",
				}.at(from))
				continue
			}
			key := strings.ToLower(strings.ReplaceAll(rest, "__", "."))
			entries = append(entries, Entry{Key: key, Value: strings.TrimSpace(val), Origin: from})
		}
	}
	return entries, problems
}

// envForeign reports whether a variable with our prefix holds no key: those of
// lunemq-admin, those Kubernetes makes for a service called lunemq, and those
// of the start script in VerneMQ's container image.
func envForeign(name string) bool {
	switch name {
	case "LUNEMQ_ADMIN_SOCKET", "LUNEMQ_ADMIN_URL", "LUNEMQ_ADMIN_API_KEY", "LUNEMQ_CONF", "LUNEMQ_PORT",
		"DOCKER_VERNEMQ_ACCEPT_EULA", "DOCKER_VERNEMQ_SWARM", "DOCKER_VERNEMQ_COMPOSE":
		return true
	}
	for _, prefix := range []string{
		"LUNEMQ_SERVICE_", "LUNEMQ_PORT_",
		"DOCKER_VERNEMQ_DISCOVERY_", "DOCKER_VERNEMQ_KUBERNETES_", "DOCKER_VERNEMQ_SWARM_", "DOCKER_VERNEMQ_COMPOSE_",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
