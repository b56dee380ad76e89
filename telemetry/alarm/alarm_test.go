package alarm

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestEntries(t *testing.T) {
	form, seen := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`), map[string]bool{}
	for _, n := range Names() {
		e := n.Entry()
		if !form.MatchString(e.Text) || seen[e.Text] {
			t.Errorf("%d: %q is not a name of its own", n, e.Text)
		}
		if !strings.HasSuffix(e.Help, ".") || e.Severity.String() == "" || n.String() != e.Text {
			t.Errorf("%s: lacks help", n)
		}
		seen[e.Text] = true
	}
}

// TestEntries_Raised: what stands in the catalogue is raised somewhere.
func TestEntries_Raised(t *testing.T) {
	table, err := os.ReadFile("catalogue.go")
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t([A-Z]\w+): +\{"`).FindAllStringSubmatch(string(table), -1) {
		missing["alarm."+m[1]] = true
	}
	if len(missing) != int(names) {
		t.Errorf("found %d entries of %d", len(missing), names)
	}
	for _, dir := range []string{"../../broker", "../../cmd", "../../scripting"} {
		err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
				return err
			}
			text, err := os.ReadFile(dir + "/" + p)
			for name := range missing {
				if regexp.MustCompile(regexp.QuoteMeta(name) + `\b`).Match(text) {
					delete(missing, name)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range missing {
		t.Errorf("%s is raised nowhere", name)
	}
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l List
		var log strings.Builder
		l.Raise(DiskLow, "/data", "early")
		l.Observe(Log(slog.New(slog.NewTextHandler(&log, nil))))
		logged := func(want string) {
			t.Helper()
			got := strings.Count(log.String(), "\n")
			if want == "" && got > 0 || want != "" && (got != 1 || !strings.Contains(log.String(), want)) {
				t.Errorf("want one line with %q, got %q", want, &log)
			}
			log.Reset()
		}
		logged(`level=ERROR msg="alarm raised" alarm=disk_low subject=/data text=early`)
		l.Raise(DiskLow, "/data", "early")
		logged("")
		<-time.After(90 * time.Second)
		l.Raise(MemoryHigh, "", "much is used")
		logged(`level=WARN msg="alarm raised" alarm=memory_high text="much is used"`)
		l.Raise(DiskLow, "/data", "late")
		logged(`level=ERROR msg="alarm changed" alarm=disk_low subject=/data text=late`)
		l.Clear(DiskLow, "/other")
		l.Clear(StoreFailing, "")
		logged("")
		active := l.Active()
		if got := fmt.Sprintf("%d %s %s %s %s %d", len(active), active[0].Name, active[0].Text, active[1].Name, active[1].Since.Sub(active[0].Since), l.Len()); got != "2 disk_low late memory_high 1m30s 2" {
			t.Error(got)
		}
		<-time.After(time.Minute)
		l.Clear(DiskLow, "/data")
		logged(`level=INFO msg="alarm cleared" alarm=disk_low subject=/data lasted=2m30s`)
		l.Clear(DiskLow, "/data")
		logged("")
		if l.Len() != 1 {
			t.Errorf("%d active", l.Len())
		}
	})
}

// TestList_Bounded: a list that is full counts what it has no room for.
func TestList_Bounded(t *testing.T) {
	var l List
	for i := range limit + 5 {
		l.Raise(CertificateReloadFailed, fmt.Sprint(i), "x")
	}
	if l.Len() != limit || len(l.Active()) != limit || l.Lost() != 5 {
		t.Errorf("%d active, %d lost", l.Len(), l.Lost())
	}
	l.Raise(CertificateReloadFailed, "0", "y") // is there
	l.Clear(CertificateReloadFailed, "1")
	l.Raise(StoreFailing, "", "x")
	if l.Len() != limit || l.Lost() != 5 || l.Active()[0].Name != StoreFailing {
		t.Errorf("%d active, %d lost", l.Len(), l.Lost())
	}
}

// TestList_Concurrent: as many are cleared as were raised, and a nil list
// takes everything.
func TestList_Concurrent(t *testing.T) {
	var l List
	balance := 0
	l.Observe(func(e Event) {
		switch e.Change {
		case Raised:
			balance++
		case Cleared:
			balance--
		}
	})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 500 {
				l.Raise(Name(n%int(names)), "s", fmt.Sprint(i))
				l.Active()
				l.Clear(Name(n%int(names)), "s")
			}
		})
	}
	group.Wait()
	if l.Len() != balance || len(l.Active()) != balance {
		t.Errorf("%d, %d, %d", l.Len(), len(l.Active()), balance)
	}
	var none *List
	none.Raise(DiskLow, "", "")
	none.Clear(DiskLow, "")
	none.Observe(nil)
	if none.Active() != nil || none.Len() != 0 || none.Lost() != 0 {
		t.Error("a nil list holds something")
	}
}

func TestClear_Allocs(t *testing.T) {
	var l List
	l.Raise(DiskLow, "", "x")
	if n := testing.AllocsPerRun(100, func() { l.Clear(StoreFailing, ""); l.Raise(DiskLow, "", "x") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
