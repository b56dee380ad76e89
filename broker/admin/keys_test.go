package admin

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var keyNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func openKeys(t *testing.T, path string, config KeysConfig) *Keys {
	t.Helper()
	k, err := OpenKeys(path, config, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeys_SurviveOpening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "apikeys.json")
	k := openKeys(t, path, KeysConfig{})
	key, err := k.Create(keyNow, []string{"mgmt", "metrics"}, keyNow.Add(time.Hour))
	if err != nil || len(key) < 43 {
		t.Fatalf("got %q, %v", key, err)
	}
	if err := k.Add(keyNow, "own", []string{"health"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || bytes.Contains(data, []byte(key)) || bytes.Contains(data, []byte(`"own"`)) {
		t.Errorf("the file holds a key in clear text: %v\n%s", err, data)
	}
	if i, err := os.Stat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %v, %v", i.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("got %d files, want only the key file", len(left))
	}
	k = openKeys(t, path, KeysConfig{})
	for _, c := range []struct {
		key, scope string
		at         time.Time
		want       error
	}{
		{key, "mgmt", keyNow, nil},
		{key, "metrics", keyNow, nil},
		{key, "health", keyNow, ErrKeyScope},
		{key, "mgmt", keyNow.Add(time.Hour), ErrKeyExpired},
		{key + "x", "mgmt", keyNow, ErrKeyUnknown},
		{"", "mgmt", keyNow, ErrKeyUnknown},
		{"own", "health", keyNow.AddDate(100, 0, 0), nil},
	} {
		if got := k.Check(c.at, c.key, c.scope); got != c.want {
			t.Errorf("Check(%.5s, %s): got %v, want %v", c.key, c.scope, got, c.want)
		}
	}
	if n, err := k.Delete(key, "mgmt"); n != 1 || err != nil {
		t.Errorf("Delete: got %d, %v", n, err)
	}
	if n, err := k.Delete(k.List()[0].ID, ""); n != 1 || err != nil {
		t.Errorf("Delete by ID: got %d, %v", n, err)
	}
	if err := openKeys(t, path, KeysConfig{}).Check(keyNow, key, "metrics"); err != ErrKeyUnknown {
		t.Errorf("a deleted key: got %v", err)
	}
}

func TestKeys_Limits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "apikeys.json")
	k := openKeys(t, path, KeysConfig{})
	k.Apply(KeysConfig{MinLength: 8, MaxDays: 30})
	day := 24 * time.Hour
	f := func(want, key, scope string, expires time.Time) {
		t.Helper()
		err := k.Add(keyNow, key, strings.Fields(scope), expires)
		if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	f("min_apikey_length is 8", "1234567", "mgmt", keyNow.Add(day))
	f(`must not contain ":"`, "1234:5678", "mgmt", keyNow.Add(day))
	f(`unknown scope "mgnt", did you mean "mgmt"?`, "12345678", "mgnt", keyNow.Add(day))
	f("no scope", "12345678", "", keyNow.Add(day))
	f("has passed", "12345678", "mgmt", keyNow)
	f("max_apikey_expiry_days is 30", "12345678", "mgmt", keyNow.Add(31*day))
	f("max_apikey_expiry_days is 30", "12345678", "mgmt", time.Time{})
	if err := k.Add(keyNow, "12345678", []string{"mgmt"}, keyNow.Add(30*day)); err != nil {
		t.Error(err)
	}
}

func TestOpenKeys_RefusesDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "apikeys.json")
	for _, data := range []string{"{", `{"version":2}`, ""} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeys(path, KeysConfig{}, rand.Reader); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: got %v", data, err)
		}
	}
}

func TestKeys_FailedWriteChangesNothing(t *testing.T) {
	k := openKeys(t, filepath.Join(t.TempDir(), "missing", "apikeys.json"), KeysConfig{})
	if err := k.Add(keyNow, "key", []string{"mgmt"}, time.Time{}); err == nil || errors.Is(err, ErrUsage) {
		t.Errorf("got %v", err)
	}
	if k.Check(keyNow, "key", "mgmt") != ErrKeyUnknown {
		t.Error("a key that was not written is in force")
	}
}

func TestKeyCommands(t *testing.T) {
	r := NewRegistry()
	k := openKeys(t, filepath.Join(t.TempDir(), "apikeys.json"), KeysConfig{})
	now := keyNow
	if err := r.Add(KeyCommands(k, func() time.Time { return now })...); err != nil {
		t.Fatal(err)
	}
	must := func(line string) Result {
		t.Helper()
		got, err := run(r, line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return got
	}
	key := string(must("api-key create scope=metrics,health expires=2026-03-02T00:00:00").(Text))
	if err := k.Check(now, key, "health"); err != nil {
		t.Error(err)
	}
	if got := must("api-key add key=mykey"); got != Text("ok") {
		t.Errorf("add: got %v", got)
	}
	now = now.AddDate(0, 0, 2)
	table := must("api-key show").(Table)
	if len(table.Rows) != 3 || table.Rows[0][3] != true || table.Rows[2][1] != "mgmt" || table.Rows[2][3] != false {
		t.Errorf("show: got %v", table.Rows)
	}
	if got := must("api-key show scope=mgmt").(Table); len(got.Rows) != 1 {
		t.Errorf("show scope=mgmt: got %v", got.Rows)
	}
	if got := must("api-key delete key=mykey scope=mgmt"); got != Text("ok") {
		t.Errorf("delete: got %v", got)
	}
	if _, err := run(r, "api-key delete key=mykey"); err == nil {
		t.Error("deleting twice: got no error")
	}
	if _, err := run(r, "api-key create expires=tomorrow"); !errors.Is(err, ErrUsage) {
		t.Errorf("expires=tomorrow: got %v", err)
	}
}
