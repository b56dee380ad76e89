package admin

import "strings"

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

// distance counts the insertions, deletions, substitutions and swaps of
// neighbouring bytes that turn a into b; "-" and "_" count as the same.
func distance(a, b string) int {
	fold := strings.NewReplacer("_", "-")
	a, b = strings.ToLower(fold.Replace(a)), strings.ToLower(fold.Replace(b))
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var before, last, row [65]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
