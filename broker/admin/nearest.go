package admin

import (
	"strings"

	"github.com/lunemq/lunemq/conf/value"
)

// suggest returns `, did you mean "x"?` for the valid word nearest to word,
// the list of them when none is near and they are few, else "".
func suggest(word string, valid []string) string {
	best, least := "", len(word)/3+2
	for _, v := range valid {
		if d := distance(word, v); d < least {
			best, least = v, d
		}
	}
	switch {
	case best != "":
		return `, did you mean "` + best + `"?`
	case len(valid) > 0 && len(valid) <= 40:
		return "; valid: " + strings.Join(valid, ", ")
	}
	return ""
}

// distance is how far a word is from a name; "-" and "_" count as the same. A
// word longer than any name is far from all.
func distance(word, name string) int {
	const longest = 64
	if len(word) > longest {
		return longest
	}
	fold := strings.NewReplacer("_", "-")
	return value.Distance(strings.ToLower(fold.Replace(word)), strings.ToLower(fold.Replace(name)))
}
