package broker_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/wiretest"
)

var rewrite = flag.Bool("rewrite", false, "write what the wire scripts put out into them, to be reviewed as a diff")

// known are the scripts that expect the right behaviour of something the
// broker does not do right yet, with what that is.
var known = map[string]string{}

func scripts(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/wire/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	return paths
}

// TestWire runs every script for each of its versions.
func TestWire(t *testing.T) {
	for _, path := range scripts(t) {
		name := filepath.Base(path)
		t.Run(strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
			s, err := wiretest.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			why, isKnown := known[name]
			got := s.Run(t)
			if *rewrite && !isKnown {
				if err := os.WriteFile(path, []byte(s.Text(got)), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			bad := s.Compare(got)
			switch {
			case isKnown && len(bad) == 0:
				t.Errorf("%s passes: take it out of the known ones", name)
			case isKnown:
				t.Logf("known: %s: %s\n%s", name, why, bad[0])
			default:
				for _, b := range bad {
					t.Error(b)
				}
			}
		})
	}
}

// TestWire_NoticesFaults plants each fault in the output of scripts that show
// its kind and demands that the comparison fails.
func TestWire_NoticesFaults(t *testing.T) {
	for name, fault := range wiretest.Faults {
		planted := 0
		for _, path := range []string{"3.3-publish-qos1", "3.3-publish-dup-redelivery", "3.3-publish-order", "3.1-takeover", "3.4-puback-unknown", "1.5-deliver", "1.5-deliver-offline"} {
			s, err := wiretest.Load("testdata/wire/" + path + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			got := s.Run(t)
			if bad := s.Compare(got); len(bad) > 0 {
				t.Fatalf("%s fails before anything is planted: %s", path, bad[0])
			}
			if !s.Plant(got, fault) {
				continue
			}
			planted++
			if len(s.Compare(got)) == 0 {
				t.Errorf("%s in %s was not noticed", name, path)
			}
		}
		if planted == 0 {
			t.Errorf("%s could be planted nowhere", name)
		}
	}
}

// TestWire_Scripts checks the form of the scripts: they say what they show, and
// the known ones exist.
func TestWire_Scripts(t *testing.T) {
	paths := scripts(t)
	if len(paths) < 80 {
		t.Errorf("%d scripts, there were 80", len(paths))
	}
	for _, path := range paths {
		s, err := wiretest.Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(s.Intro) < 40 || !strings.Contains(s.Intro, ".") {
			t.Errorf("%s does not say in a sentence what it shows", path)
		}
		if len(s.Versions) == 1 {
			t.Logf("only %s: %s", s.Versions[0], filepath.Base(path))
		}
	}
	for name := range known {
		if _, err := os.Stat("testdata/wire/" + name); err != nil {
			t.Errorf("known script: %v", err)
		}
	}
}
