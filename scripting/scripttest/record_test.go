package scripttest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// loaded is a runner with a script.
func loaded(t *testing.T, script string) *runner {
	t.Helper()
	r := &runner{o: options(new(strings.Builder)), ran: map[string]map[int]bool{}}
	t.Cleanup(r.end)
	if err := r.load(script); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRecord: what is recorded of calls leads to the same calls again, with the
// same answers, and holds no secret.
func TestRecord(t *testing.T) {
	const script, events = "testdata/record.lua", "testdata/record.jsonl"
	r := loaded(t, script)
	text, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	n := strings.Count(string(text), "\n")
	var lines []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines, err = r.engine.Record(context.Background(), script, "", "", n, time.Minute)
	}()
	for ended := false; !ended; {
		if err := r.events(events); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
			ended = true
		default:
		}
	}
	if err != nil || len(lines) != n {
		t.Fatalf("recorded %d calls, %v", len(lines), err)
	}
	byClient := func(l string) string { _, id, _ := strings.Cut(l, `"client_id":`); return id }
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(byClient(a), byClient(b)) })
	all := strings.Join(lines, "\n")
	if strings.Contains(all, "secret") || strings.Count(all, "not recorded") != 3 {
		t.Errorf("recorded secrets:\n%s", all)
	}
	file := filepath.Join(t.TempDir(), filepath.Base(events))
	if err := os.WriteFile(file, []byte(all), 0o644); err != nil {
		t.Fatal(err)
	}
	want, failed, err := run(script, events)
	if failed || err != nil {
		t.Fatalf("failed %t, %v\n%s", failed, err, want)
	}
	if got, failed, err := run(script, file); failed || err != nil || got != want {
		t.Errorf("failed %t, %v, got\n%s\nwant\n%s\nof\n%s", failed, err, got, want, all)
	}
}

// TestRecord_Limits: only what was asked for, no longer than asked for.
func TestRecord_Limits(t *testing.T) {
	const script = "testdata/record.lua"
	r := loaded(t, script)
	for _, tt := range []struct{ script, hook, want string }{{"other.lua", "", "script show lists them"}, {script, "on_nothing", `no hook "on_nothing"`}} {
		if _, err := r.engine.Record(t.Context(), tt.script, tt.hook, "", 1, time.Second); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
	var lines []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines, _ = r.engine.Record(t.Context(), script, "auth_on_publish", "one", 2, time.Minute)
	}()
	for ended := false; !ended; {
		for _, fields := range []map[string]any{{"hook": "auth_on_publish", "client_id": "one"}, {"hook": "auth_on_publish", "client_id": "two"}, {"hook": "on_client_gone", "client_id": "one"}} {
			e, err := newEvent(fields)
			if err == nil {
				_, _, err = r.call(e)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-done:
			ended = true
		default:
		}
	}
	if len(lines) != 2 || strings.Contains(strings.Join(lines, ""), "two") || strings.Contains(strings.Join(lines, ""), "gone") {
		t.Errorf("got %v", lines)
	}
	if lines, err := r.engine.Record(t.Context(), script, "", "", 1, time.Millisecond); err != nil || len(lines) != 0 {
		t.Errorf("got %v, %v", lines, err)
	}
}
