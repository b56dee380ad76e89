package scripttest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// Each recipe is named in the test below that runs it.
func TestExamples_AllTested(t *testing.T) {
	tested := "tenant_topics payload_limit jwt rate_limit mirror_http user_properties last_seen quarantine no_retain time_window client_policy convert_units"
	files, err := filepath.Glob("../../scripts/examples/*.lua")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".lua"); !strings.HasSuffix(name, "_test") && !strings.Contains(tested, name) {
			t.Errorf("%s has no test", f)
		}
	}
}

var versions = []mqtt.Version{mqtt.V311, mqtt.V5}

func message(topic, payload string) *mqtt.Message {
	return &mqtt.Message{Topic: topic, Payload: []byte(payload)}
}

func (r *rig) expect(got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("got %s, want %s\n%s", got, want, r.log.String())
	}
}

// deliver asks on_deliver and returns topic and payload as the client gets them.
func (r *rig) deliver(c *hook.Client, m *mqtt.Message) string {
	_, mod := r.OnDeliver(context.Background(), &hook.Deliver{Client: c, Message: m})
	topic, payload := m.Topic, string(m.Payload)
	if mod != nil && mod.Topic != nil {
		topic = *mod.Topic
	}
	if mod != nil && mod.Payload != nil {
		payload = string(*mod.Payload)
	}
	return topic + " " + payload
}

// take returns what was published since the last call, one message per line.
func (f *fakeBroker) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines []string
	for _, m := range f.published {
		lines = append(lines, fmt.Sprintf("%s %s qos=%d retain=%t", m.Topic, m.Payload, m.QoS, m.Retain))
	}
	f.published = nil
	return strings.Join(lines, "\n")
}

func TestTenantTopics(t *testing.T) {
	r := start(t, "examples/tenant_topics.lua", nil)
	for _, v := range versions {
		c := client("c", "acme:bob", v)
		r.expect(r.publish(c, message("sensors/1", "x")), "ok topic=acme/sensors/1")
		r.expect(r.subscribe(c, "sensors/+", "$share/g/a/#"), "ok acme/sensors/+ $share/g/acme/a/#")
		_, filters := r.OnUnsubscribe(context.Background(), &hook.Unsubscribe{Client: c, Filters: []string{"a", "$share/g/b"}})
		r.expect(fmt.Sprint(filters), "[acme/a $share/g/acme/b]")
		r.expect(r.deliver(c, message("acme/sensors/1", "x")), "sensors/1 x")
		r.expect(r.deliver(c, message("other/1", "x")), "other/1 x")
		r.expect(r.publish(client("c", "bob", v), message("a", "x")), "deny")
		r.expect(r.subscribe(client("c", "", v), "a"), "deny")
		r.expect(r.subscribe(client("c", "+:bob", v), "a"), "deny")
	}
}

func TestPayloadLimit(t *testing.T) {
	r := start(t, "examples/payload_limit.lua", nil)
	for _, v := range versions {
		c := client("c", "u", v)
		r.expect(r.publish(c, message("sensors/1", strings.Repeat("x", 256))), "next")
		r.expect(r.publish(c, message("sensors/1", strings.Repeat("x", 257))), "deny")
		r.expect(r.publish(c, message("other", strings.Repeat("x", 257))), "next")
	}
}

// token makes a JSON Web Token.
func token(secret, header, claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	text := enc([]byte(header)) + "." + enc([]byte(claims))
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return text + "." + enc(h.Sum(nil))
}

func TestJWT(t *testing.T) {
	const secret = "change me: at least 32 random bytes"
	const hs256 = `{"alg":"HS256","typ":"JWT"}`
	r := start(t, "examples/jwt.lua", nil)
	soon := time.Now().Add(time.Hour).Unix()
	good := fmt.Sprintf(`{"sub":"bob","exp":%d,"pub":["a/%%c/#"],"sub_to":["b/+"]}`, soon)
	for _, v := range versions {
		c := client("c1", "bob", v)
		for name, tt := range map[string]struct{ token, want string }{
			"good":        {token(secret, hs256, good), "ok"},
			"other key":   {token("guess", hs256, good), "deny"},
			"none":        {strings.TrimRight(token(secret, `{"alg":"none"}`, good), "."), "deny"},
			"no sign":     {strings.Join(strings.Split(token(secret, `{"alg":"none"}`, good), ".")[:2], ".") + ".", "deny"},
			"old":         {token(secret, hs256, `{"sub":"bob","exp":1000}`), "deny"},
			"no end":      {token(secret, hs256, `{"sub":"bob"}`), "deny"},
			"not yet":     {token(secret, hs256, fmt.Sprintf(`{"sub":"bob","exp":%d,"nbf":%d}`, soon, soon)), "deny"},
			"other user":  {token(secret, hs256, strings.Replace(good, "bob", "eve", 1)), "deny"},
			"no JSON":     {token(secret, hs256, "x"), "deny"},
			"no token":    {"password", "deny"},
			"no password": {"", "deny"},
		} {
			if got := r.register(c, tt.token); got != tt.want {
				t.Errorf("%s: got %s, want %s\n%s", name, got, tt.want, r.log.String())
			}
		}
		r.expect(r.publish(c, message("a/c1/x", "")), "ok")
		r.expect(r.publish(c, message("a/c2/x", "")), "deny")
		r.expect(r.subscribe(c, "b/x"), "ok")
		r.expect(r.publish(client("c3", "bob", v), message("a/c3/x", "")), "deny")
	}
	if strings.Contains(r.log.String(), "failed") {
		t.Error(r.log.String())
	}
}

func TestRateLimit(t *testing.T) {
	r := start(t, "examples/rate_limit.lua", nil, "per_minute = 100", "per_minute = 3", `math.floor(os.time() / 60)`, "7")
	for _, v := range versions {
		c, other := client("c", "u", v), client("other", "u", v)
		for range 3 {
			r.expect(r.publish(c, message("a", "")), "next")
		}
		r.expect(r.publish(c, message("a", "")), "deny")
		r.expect(r.publish(other, message("a", "")), "next")
		r.OnClientGone(c.Key)
		r.OnClientGone(other.Key)
	}
}

func TestMirrorHTTP(t *testing.T) {
	got := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		got <- q.Method + " " + q.Header.Get("Content-Type") + " " + string(body)
	}))
	defer server.Close()
	r := start(t, "examples/mirror_http.lua", nil, "http://127.0.0.1:8080", server.URL, "time = os.time()", "time = 1")
	for _, v := range versions {
		r.OnPublish(&hook.Publish{Client: client("c", "u", v), Message: message("other", "x")})
		r.OnPublish(&hook.Publish{Client: client("c", "u", v), Message: message("alarms/fire", "now")})
		r.expect(<-got, `POST application/json {"client_id":"c","payload":"bm93","time":1,"topic":"alarms/fire"}`)
	}
	server.Close()
	r.OnPublish(&hook.Publish{Client: client("c", "u", mqtt.V5), Message: message("alarms/fire", "now")})
	r.eventually("the error in the log", func() bool { return strings.Contains(r.log.String(), "no copy was made of a message to alarms/fire") })
}

func TestUserProperties(t *testing.T) {
	r := start(t, "examples/user_properties.lua", nil)
	m := message("a", "x")
	p := packet.MessageProperties{UserProperties: []mqtt.UserProperty{{Key: "publisher", Value: "forged"}, {Key: "unit", Value: "C"}}}
	m.Properties = p.Append(nil)
	r.expect(r.publish(client("c", "bob", mqtt.V5), m), "ok user=[{unit C} {publisher c} {username bob}]")
	r.expect(r.publish(client("c", "bob", mqtt.V311), m), "next")
}

func TestLastSeen(t *testing.T) {
	r := start(t, "examples/last_seen.lua", nil, "time = os.time()", "time = 1")
	key := mqtt.SessionKey{ClientID: "c"}
	r.OnClientWakeup(key)
	r.expect(r.broker.take(), `clients/c/last_seen {"online":true,"time":1} qos=1 retain=true`)
	r.OnClientOffline(key)
	r.expect(r.broker.take(), `clients/c/last_seen {"online":false,"time":1} qos=1 retain=true`)
	r.OnClientGone(mqtt.SessionKey{ClientID: "c/#"})
	r.expect(r.broker.take(), "")
}

func TestQuarantine(t *testing.T) {
	r := start(t, "examples/quarantine.lua", nil)
	for _, v := range versions {
		c := client("c", "u", v)
		r.expect(r.publish(c, message("json/a", `{"x":1}`)), "ok")
		r.expect(r.publish(c, message("json/a", `{"x":`)), "ok topic=quarantine/json/a retain=false")
		r.expect(r.publish(c, message("other", `{"x":`)), "next")
	}
}

func TestNoRetain(t *testing.T) {
	r := start(t, "examples/no_retain.lua", nil)
	for _, v := range versions {
		c, m := client("c", "u", v), message("a", "x")
		r.expect(r.publish(c, m), "next")
		m.Retain = true
		r.expect(r.publish(c, m), "ok retain=false")
		m.Topic = "status/c/battery"
		r.expect(r.publish(c, m), "next")
		r.expect(r.publish(client("other", "u", v), m), "deny")
	}
}

func TestTimeWindow(t *testing.T) {
	for hour, want := range map[string]string{"05": "deny", "06": "next", "19": "next", "20": "deny"} {
		r := start(t, "examples/time_window.lua", nil, `os.date("!%H")`, `"`+hour+`"`)
		for _, v := range versions {
			r.expect(r.publish(client("c", "u", v), message("doors/1/open", "")), want)
			r.expect(r.publish(client("c", "u", v), message("doors/1/state", "")), "next")
		}
	}
	start(t, "examples/time_window.lua", nil).publish(client("c", "u", mqtt.V5), message("doors/1/open", ""))
}

func TestClientPolicy(t *testing.T) {
	r := start(t, "examples/client_policy.lua", nil)
	for _, v := range versions {
		r.expect(r.register(client("bob-1", "bob", v), "x"), "next")
		r.expect(r.register(client("eve-1", "bob", v), "x"), "deny")
		r.expect(r.register(client("bob-1", "", v), "x"), "deny")
		r.expect(r.subscribe(client("bob-1", "bob", v), "a", "b/#"), "next")
		r.expect(r.subscribe(client("bob-1", "bob", v), "a", "#", "$share/g/#"), "ok a #=refused $share/g/#=refused")
	}
}

func TestConvertUnits(t *testing.T) {
	r := start(t, "examples/convert_units.lua", nil)
	for _, v := range versions {
		r.expect(r.deliver(client("c", "joe@us", v), message("room/temperature", "20.5")), "room/temperature 68.9")
		r.expect(r.deliver(client("c", "joe@us", v), message("room/temperature", "warm")), "room/temperature warm")
		r.expect(r.deliver(client("c", "joe@us", v), message("room/humidity", "40")), "room/humidity 40")
		r.expect(r.deliver(client("c", "ann@de", v), message("room/temperature", "20.5")), "room/temperature 20.5")
	}
}
