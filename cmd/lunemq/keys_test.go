package main

import (
	"os"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/conf"
)

// vernemqKeys returns this build's keys and the list of VerneMQ's.
func vernemqKeys(t *testing.T) (*conf.Schema, string) {
	t.Helper()
	schema, err := conf.New(sections()...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../conf/testdata/keys.txt")
	if err != nil {
		t.Fatal(err)
	}
	return schema, string(text)
}

// TestKeys_Listeners: the keys of listeners, which all work, have in this build
// the class that the list of VerneMQ's keys gives them.
func TestKeys_Listeners(t *testing.T) {
	schema, text := vernemqKeys(t)
	n := 0
	for line := range strings.Lines(text) {
		class, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		key, value, ok := strings.Cut(strings.TrimSpace(rest), " = ")
		about := func(prefix string) bool { return strings.HasPrefix(key, prefix) }
		if !ok || class == "#" || !about("listener.") && !about("http_module") && !about("max_ws_") && !about("crl_") && !about("mqtt_connect_") {
			continue
		}
		n++
		spellings := []string{key}
		if parts := strings.Split(key, "."); len(parts) > 3 && parts[0] == "listener" {
			option := strings.Join(parts[3:], ".")
			spellings = append(spellings, "listener."+parts[1]+"."+option)
			if parts[1] != "vmq" {
				spellings = append(spellings, "listener."+option)
			}
		}
		for _, s := range spellings {
			if got := schema.Class(s, value).String(); got != class {
				t.Errorf("%s = %s: got %s, want %s", s, value, got, class)
			}
			res, err := schema.Load(conf.Sources{Set: []string{s + "=" + value}})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range res.Problems {
				if class == "works" && p.Token == s && !strings.Contains(p.Text, "belongs to nothing") && !strings.Contains(p.Text, "has no certificate") {
					t.Errorf("%s = %s: %s", s, value, p)
				}
			}
		}
	}
	if n < 55 {
		t.Errorf("only %d keys of listeners are in the list", n)
	}
}

// TestKeys_Scripts: the keys of VerneMQ's Lua plugin, which conf alone knows as
// pending, all work in this build, in both spellings.
func TestKeys_Scripts(t *testing.T) {
	schema, text := vernemqKeys(t)
	n := 0
	for line := range strings.Lines(text) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		key, _, ok := strings.Cut(strings.TrimSpace(rest), " = ")
		family, option, _ := strings.Cut(key, ".")
		if !ok || family != "vmq_diversity" && family != "vmq_bcrypt" {
			continue
		}
		n++
		for _, spelling := range []string{key, map[string]string{"vmq_diversity": "script.", "vmq_bcrypt": "bcrypt."}[family] + option} {
			if got := schema.Class(spelling, "x"); got != conf.Works {
				t.Errorf("%s: got %s", spelling, got)
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d keys of scripts are in the list", n)
	}
	for _, key := range []string{"plugins.vmq_diversity", "plugins.lua", "plugins.vmq_diversity.priority"} {
		if got := schema.Class(key, "on"); got != conf.Works {
			t.Errorf("%s: got %s", key, got)
		}
	}
}
