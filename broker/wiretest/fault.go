package wiretest

import (
	"slices"
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Faults are ways in which a broker could go wrong, as changes of what a run
// put out. Each returns false where it finds nothing to break. Tests plant them
// to show that a comparison notices.
var Faults = map[string]func(lines []string) ([]string, bool){
	"delivery lost": func(l []string) ([]string, bool) {
		i := index(l, " <- PUBLISH ", 0)
		return remove(l, i)
	},
	"delivered twice": func(l []string) ([]string, bool) {
		i := index(l, " <- PUBLISH ", 0)
		if i < 0 {
			return l, false
		}
		return slices.Insert(l, i, l[i]), true
	},
	"deliveries swapped": func(l []string) ([]string, bool) {
		i := index(l, " <- PUBLISH ", 0)
		j := index(l, " <- PUBLISH ", i+1)
		if i < 0 || j < 0 || l[i] == l[j] {
			return l, false
		}
		l[i], l[j] = l[j], l[i]
		return l, true
	},
	"acknowledgement missing": func(l []string) ([]string, bool) { return remove(l, index(l, " <- PUBACK ", 0)) },
	"release missing":         func(l []string) ([]string, bool) { return remove(l, index(l, " <- PUBREL ", 0)) },
	"connection left open":    func(l []string) ([]string, bool) { return remove(l, index(l, " closed", 0)) },
	"DUP lost":                func(l []string) ([]string, bool) { return replace(l, " dup ", " ") },
	"RETAIN set":              func(l []string) ([]string, bool) { return replace(l, " payload=", " retain payload=") },
	"wrong identifier":        func(l []string) ([]string, bool) { return replace(l, " id=1 ", " id=2 ") },
	"session forgotten":       func(l []string) ([]string, bool) { return replace(l, "session=1", "session=0") },
	"wrong reason":            func(l []string) ([]string, bool) { return replace(l, "code=", "code=x") },
}

// Plant applies a fault to the first block where it finds something, for the
// script's last version.
func (s *Script) Plant(got map[mqtt.Version]Result, fault func([]string) ([]string, bool)) bool {
	v := s.Versions[len(s.Versions)-1]
	for i, block := range got[v] {
		if lines, ok := fault(strings.Split(block, "\n")); ok {
			got[v][i] = strings.Join(lines, "\n")
			return true
		}
	}
	return false
}

func index(l []string, part string, from int) int {
	for i := from; i < len(l); i++ {
		if strings.Contains(l[i], part) {
			return i
		}
	}
	return -1
}

func remove(l []string, i int) ([]string, bool) {
	if i < 0 {
		return l, false
	}
	return slices.Delete(l, i, i+1), true
}

func replace(l []string, old, by string) ([]string, bool) {
	i := index(l, old, 0)
	if i < 0 {
		return l, false
	}
	l[i] = strings.Replace(l[i], old, by, 1)
	return l, true
}
