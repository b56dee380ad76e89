package pressure

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// hierarchy is a tree of cgroups that may limit memory: where its files are and
// how they are called.
type hierarchy struct {
	path   string  // of this process
	mounts []mount // in the order of mountinfo
	usual  string  // where it is mounted unless mountinfo tells
	file   string  // with the limit
}

// mount is one place where a tree can be seen.
type mount struct {
	root  string // the cgroup that is seen at point
	point string
}

// cgroupMemory is the smallest memory limit of the cgroup of this process and of
// its parents, as far as they can be seen, in bytes; 0 = none. root stands
// before all paths, "" but in tests.
func cgroupMemory(root string) (least int64) {
	v1 := hierarchy{usual: "/sys/fs/cgroup/memory", file: "memory.limit_in_bytes"}
	v2 := hierarchy{usual: "/sys/fs/cgroup", file: "memory.max"}
	for line := range lines(root + "/proc/self/cgroup") { // ID:CONTROLLERS:PATH
		f := strings.SplitN(line, ":", 3)
		switch {
		case len(f) < 3:
		case f[0] == "0" && f[1] == "":
			v2.path = f[2]
		case listed(f[1], "memory"):
			v1.path = f[2]
		}
	}
	for line := range lines(root + "/proc/self/mountinfo") { // ID PARENT MAJOR:MINOR ROOT POINT ... - TYPE SOURCE OPTIONS
		place, system, _ := strings.Cut(line, " - ")
		p, s := strings.Fields(place), strings.Fields(system)
		if len(p) < 5 || len(s) < 3 {
			continue
		}
		m := mount{root: unescape(p[3]), point: unescape(p[4])}
		switch {
		case s[0] == "cgroup2":
			v2.mounts = append(v2.mounts, m)
		case s[0] == "cgroup" && listed(s[2], "memory"):
			v1.mounts = append(v1.mounts, m)
		}
	}
	for _, h := range []hierarchy{v1, v2} {
		for _, dir := range h.dirs() {
			least = smaller(least, limitIn(root+dir, h.file))
		}
	}
	return least
}

// dirs are the folders of the cgroup and of its parents. A path that is not
// below what is mounted is as another namespace sees it: then what is mounted
// is the best there is to see.
func (h *hierarchy) dirs() (list []string) {
	m, below := mount{"/", h.usual}, h.path
	if len(h.mounts) > 0 {
		m, below = h.mounts[0], "/"
	}
	for _, x := range h.mounts {
		if rest, ok := strings.CutPrefix(h.path+"/", strings.TrimSuffix(x.root, "/")+"/"); ok && !strings.HasPrefix(h.path, "/..") {
			m, below = x, rest
			break
		}
	}
	for at := filepath.Join("/", below); ; at = filepath.Dir(at) {
		list = append(list, filepath.Join(m.point, at))
		if at == "/" {
			return list
		}
	}
}

// limitIn reads the limit of one cgroup, 0 = none. The old hierarchy says also
// what parents allow that cannot be seen.
func limitIn(dir, file string) int64 {
	var own, all int64
	for line := range lines(filepath.Join(dir, file)) {
		own, _ = strconv.ParseInt(line, 10, 64) // not "max"
	}
	if file == "memory.limit_in_bytes" {
		for line := range lines(filepath.Join(dir, "memory.stat")) {
			if text, ok := strings.CutPrefix(line, "hierarchical_memory_limit "); ok {
				all, _ = strconv.ParseInt(text, 10, 64)
			}
		}
	}
	return smaller(own, all)
}

// unlimited is where values begin that stand for no limit: the old hierarchy
// says the largest number of whole pages.
const unlimited = 1 << 60

// smaller returns the smaller of two limits, 0 if neither is one.
func smaller(a, b int64) int64 {
	switch {
	case b <= 0 || b >= unlimited:
		b = 0
	case a <= 0 || a > b:
		return b
	}
	if a >= unlimited {
		return 0
	}
	return a
}

// listed reports whether a comma list has name in it.
func listed(list, name string) bool { return strings.Contains(","+list+",", ","+name+",") }

// unescape undoes what mountinfo does to blanks: \040.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// lines yields the lines of a file; none when it cannot be read.
func lines(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		text, err := os.ReadFile(path)
		if err != nil {
			return
		}
		for line := range strings.Lines(string(text)) {
			if !yield(strings.TrimSpace(line)) {
				return
			}
		}
	}
}
