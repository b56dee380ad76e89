//go:build integration

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hookScript has every hook that clients move, and says in the log what it was
// asked.
const hookScript = `
hooks = {}
local function both(name, f)
  hooks[name] = function(m)
    log.info(table.concat({ "HOOK", name, tostring(m.client_id), tostring(m.username), tostring(m.topic or m.topics and (type(m.topics[1]) == "table" and m.topics[1][1] or m.topics[1])), tostring(m.payload) }, " "))
    return f(m)
  end
  hooks[name .. "_m5"] = function(m)
    local r = hooks[name](m)
    if type(r) == "table" and #r > 0 then return { topics = r } end
    return r
  end
end
local function nothing() end
both("auth_on_register", function(m) return obf.decrypt(m.password or "") == "secret" end)
both("auth_on_publish", function(m)
  if m.topic == "in/rewrite" then return { topic = "out/rewritten", payload = m.payload:upper() } end
  return m.topic ~= "in/no"
end)
both("auth_on_subscribe", function(m) return m.topics[1][1] ~= "in/no" end)
both("on_unsubscribe", nothing)
for _, name in ipairs { "on_register", "on_publish", "on_subscribe" } do both(name, nothing) end
for _, name in ipairs { "on_client_wakeup", "on_client_offline", "on_client_gone", "on_offline_message" } do
  hooks[name] = function(m) log.info(table.concat({ "HOOK", name, m.client_id, tostring(m.topic) }, " ")) end
end
`

// TestIntegration_Hooks moves the hooks of a script with Mosquitto's clients,
// with 3.1.1 and 5.0.
func TestIntegration_Hooks(t *testing.T) {
	for _, version := range []string{"mqttv311", "mqttv5"} {
		dir := t.TempDir()
		scripts := filepath.Join(dir, "lua")
		if err := os.MkdirAll(scripts, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(scripts, "all.lua"), []byte(hookScript), 0o644); err != nil {
			t.Fatal(err)
		}
		d := startDaemon(t, dir, "plugins.acl=off", "plugins.lua=on", "script.script_dir="+scripts, "allow_anonymous=off")
		port := d.port("tcp.default")
		said := func(text string) {
			t.Helper()
			for deadline := time.Now().Add(10 * time.Second); !d.said(text); <-time.After(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%s: no %q in the log:\n%s", version, text, d.log)
				}
			}
		}
		client := func(name string, args ...string) (string, error) {
			cmd := exec.Command(tool(t, name), append([]string{"-h", "127.0.0.1", "-p", port, "-V", version}, args...)...)
			out, err := cmd.CombinedOutput()
			return string(out), err
		}
		who := []string{"-u", "user", "-P", "secret"}
		if out, err := client("mosquitto_pub", "-i", "bad", "-u", "user", "-P", "wrong", "-t", "a", "-m", "x"); err == nil {
			t.Errorf("%s: a wrong password connects: %s", version, out)
		}
		said("HOOK auth_on_register bad user")
		lines := mosquittoSub(t, port, append([]string{"-V", version, "-i", "sub", "-t", "out/#", "-v"}, who...)...)
		said("HOOK on_register sub user")
		said("HOOK on_client_wakeup sub")
		said("HOOK auth_on_subscribe sub user out/#")
		said("HOOK on_subscribe sub user out/#")
		if out, err := client("mosquitto_pub", append([]string{"-i", "pub", "-q", "1", "-t", "in/rewrite", "-m", "hello"}, who...)...); err != nil {
			t.Errorf("%s: %v: %s", version, err, out)
		}
		if got := next(t, lines); got != "out/rewritten HELLO" {
			t.Errorf("%s: got %q", version, got)
		}
		said("HOOK auth_on_publish pub user in/rewrite hello")
		said("HOOK on_publish pub user out/rewritten HELLO")
		said("HOOK on_client_gone pub")
		out, err := client("mosquitto_pub", append([]string{"-i", "pub", "-q", "1", "-t", "in/no", "-m", "x"}, who...)...)
		if version == "mqttv5" && !strings.Contains(out, "Not authorized") {
			t.Errorf("%s: got %q, %v", version, out, err)
		}
		if out, _ := client("mosquitto_sub", append([]string{"-i", "denied", "-t", "in/no", "-W", "2", "-E"}, who...)...); !strings.Contains(out, "denied") && !strings.Contains(out, "Not authorized") {
			t.Errorf("%s: a refused subscription says %q", version, out)
		}
		// A durable session: it goes offline, and a message comes for it.
		durable := append([]string{"-i", "durable", "-c", "-q", "1", "-t", "out/x", "-U", "in/old", "-E"}, who...)
		if version == "mqttv5" {
			durable = append(durable, "-x", "1000")
		}
		if out, err := client("mosquitto_sub", durable...); err != nil {
			t.Errorf("%s: %v: %s", version, err, out)
		}
		said("HOOK on_unsubscribe durable user in/old")
		said("HOOK on_client_offline durable")
		if out, err := client("mosquitto_pub", append([]string{"-i", "pub", "-q", "1", "-t", "out/x", "-m", "later"}, who...)...); err != nil {
			t.Errorf("%s: %v: %s", version, err, out)
		}
		said("HOOK on_offline_message durable out/x")
		d.stop()
	}
}
