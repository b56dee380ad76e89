package scripttest

import (
	"context"
	"encoding/json"
	"errors"
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

// TestProperties: hooks get the properties that an event has, and no others.
func TestProperties(t *testing.T) {
	r := loaded(t, "testdata/record.lua")
	for _, props := range []string{
		`{"p_max_packet_size":4,"p_receive_max":3,"p_request_problem_info":true,"p_request_response_info":true,"p_session_expiry_interval":7,"p_topic_alias_max":5,"p_user_property":[{"k":"v"},{"k":"w"}]}`,
		`{"p_request_problem_info":false,"p_request_response_info":false,"p_session_expiry_interval":0,"p_subscription_id":[9],"p_topic_alias_max":0}`,
		`{}`,
	} {
		var fields map[string]any
		if err := json.Unmarshal([]byte(props), &fields); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"auth_on_register_m5", "on_register_m5", "auth_on_subscribe_m5"} {
			e, err := newEvent(map[string]any{"hook": name, "properties": fields})
			if err != nil {
				t.Fatal(err)
			}
			_, logged, err := r.call(e)
			if err != nil || len(logged) != 1 || !strings.Contains(logged[0], `"properties":`+props) {
				t.Errorf("%s: got %v, %v, want %s", name, logged, err, props)
			}
		}
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
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines, _ = r.engine.Record(t.Context(), script, "", "", 1000, time.Hour)
	}()
	for gone := false; !gone; { // with the script, however often it must be tried until the recording has begun
		if err := errors.Join(r.engine.Unload(script), r.engine.Load(script)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ended:
			gone = true
		default:
		}
	}
}
