package conf

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew")

func TestWriteExample(t *testing.T) {
	const golden = "testdata/example.conf"
	var b strings.Builder
	if err := WriteExample(&b, sampleSections()...); err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("%s is stale; run with -rewrite and review the difference", golden)
	}

	// It starts the broker as it is, with the defaults; and each commented line
	// holds the default.
	res := loadGood(t, b.String())
	if len(Section[listenersConfig](res).TCP) != 1 {
		t.Error("the example has no listener")
	}
	var all []string
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSpace(line)
		if len(line) > 80 && strings.Count(line, " ") > 3 {
			t.Errorf("line of %d columns: %s", len(line), line)
		}
		if key, ok := strings.CutPrefix(line, "# "); ok {
			name, _, _ := strings.Cut(key, " =")
			if strings.ToLower(name) == name {
				all = append(all, key)
			}
		} else if !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	if changes := Changes(res, loadGood(t, strings.Join(all, "\n"))); len(changes) != 0 {
		t.Errorf("commented lines are not the defaults: %v", changes)
	}
	if len(all) < 50 {
		t.Errorf("got %d keys", len(all))
	}
}
