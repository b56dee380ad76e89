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
var known = map[string]string{
	"3.3-publish-restart-qos1.txt": "the identifier of a QoS 1 message in flight is not stored, so after a restart it comes under another one, without DUP",
}

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
