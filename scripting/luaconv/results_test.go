package luaconv

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// table evaluates a Lua expression.
func tableOf(t *testing.T, expr string) *lua.LTable {
	t.Helper()
	p, err := sandbox.Compile("x.lua", "v = "+expr)
	if err != nil {
		t.Fatal(err)
	}
	s := sandbox.New(sandbox.Options{})
	if err := s.Load(context.Background(), sandbox.Limits{}, p); err != nil {
		t.Fatal(err)
	}
	return s.Global("v").(*lua.LTable)
}

var client4 = &hook.Client{Key: mqtt.SessionKey{ClientID: "c"}, Version: mqtt.V311}
var client5 = &hook.Client{Key: mqtt.SessionKey{ClientID: "c"}, Version: mqtt.V5}

// TestModifiers_Refused: unknown names and wrong types make the whole answer an
// error that names the modifier.
func TestModifiers_Refused(t *testing.T) {
	message := &mqtt.Message{Topic: "t"}
	q4 := &hook.Subscribe{Client: client4, Topics: []hook.Topic{{Filter: "a"}}}
	q5 := &hook.Subscribe{Client: client5, Topics: []hook.Topic{{Filter: "a"}}}
	for _, tt := range []struct{ hook, table, want string }{
		{"register", `{}`, "luaconv: the table is empty"},
		{"register5", `{properties = {}}`, "luaconv: modifier properties: the table is empty"},
		{"register5", `{properties = {p_user_property = {a = "1"}}}`, "modifier properties.p_user_property: want an array, got a table with other keys"},
		{"publish5", `{properties = {p_user_property = {{a = "1"}, b = "2"}}}`, "properties.p_user_property: want an array"},
		{"publish5", `{properties = {p_user_property = {{a = "1"}, [4] = {b = "2"}}}}`, "properties.p_user_property: want an array"},
		{"publish5", `{properties = {p_user_property = {{a = string.rep("x", 65536)}}}}`, "entry 1: want at most 65535 bytes"},
		{"publish5", `{properties = {p_content_type = string.rep("x", 65536)}}`, "p_content_type: want at most 65535 bytes, got 65536"},
		{"publish5", `{properties = {p_correlation_data = string.rep("x", 65536)}}`, "p_correlation_data: want at most 65535 bytes"},
		{"publish5", `{properties = {p_user_property = (function() local t, e = {}, {a = string.rep("x", 65535)} for i = 1, 1e5 do t[i] = e end return t end)()}}`,
			"entry 17: want at most 65535 bytes in a name or a string, and 1048576 in all"},
		{"publish", `{[string.rep("x", 100)] = 1}`, "modifier " + strings.Repeat("x", 60) + ": there is none"},
		{"register", `{1, 2}`, "none of this name"},
		{"register", `{username = 5}`, "modifier username: want a string, got 5"},
		{"register", `{max_message_size = "5"}`, `max_message_size: want a whole number`},
		{"register", `{max_message_size = -1}`, `max_message_size: want a whole number from 0`},
		{"register", `{max_message_size = 1.5}`, `max_message_size: want a whole number`},
		{"register", `{max_inflight_messages = 1e300}`, `max_inflight_messages: want a whole number`},
		{"register", `{clean_start = true}`, "clean_start"},
		{"register", `{queue_type = "heap"}`, "want one of fifo, lifo"},
		{"register", `{shared_subscription_policy = "nearest"}`, "want one of prefer_local"},
		{"register", `{mountpoint = "x"}`, "mountpoint"},
		{"register", `{subscriber_id = {client_id = "x"}}`, "want mountpoint and client_id"},
		{"register", `{subscriber_id = {client_id = "", mountpoint = ""}}`, "want mountpoint and client_id"},
		{"register", `{properties = {}}`, "properties"},
		{"register5", `{clean_session = true}`, "clean_session"},
		{"register5", `{properties = {p_content_type = "x"}}`, "properties.p_content_type"},
		{"register5", `{properties = {p_user_property = {a = "b"}, x = 1}}`, "properties."},
		{"register5", `{properties = {p_user_property = {{a = "b", c = "d"}}}}`, "entry 1: want a table with one name"},
		{"publish", `{topic = "a/#"}`, "topic"},
		{"publish", `{topic = ""}`, "topic"},
		{"publish", `{qos = 3}`, "qos: want a whole number from 0 to 2"},
		{"publish", `{retain = 1}`, "retain: want true or false"},
		{"publish", `{payload = {}}`, "payload: want a string, got a table"},
		{"publish", `{properties = {p_content_type = "x"}}`, "properties"},
		{"publish5", `{properties = {p_response_topic = "+"}}`, "properties.p_response_topic"},
		{"publish5", `{properties = {p_payload_format_indicator = "latin1"}}`, "want utf8 or unspecified"},
		{"publish5", `{properties = {p_message_expiry_interval = -1}}`, "p_message_expiry_interval"},
		{"deliver", `{qos = 1}`, "qos"},
		{"deliver5", `{properties = {p_message_expiry_interval = 1}}`, "p_message_expiry_interval"},
		{"subscribe", `{topics = {}}`, "array"},
		{"subscribe", `{{"a"}}`, "topics: want a whole number"},
		{"subscribe", `{{"a/#/b", 1}}`, "topics"},
		{"subscribe", `{{"a", 3}}`, "want a QoS from 0 to 2, or a reason code from 128"},
		{"subscribe", `{"a"}`, "want {topic, qos}"},
		{"subscribe5", `{topics = {{"a", {1, {loud = true}}}}}`, "there is no such option"},
		{"subscribe5", `{topics = {{"a", {1, {retain_handling = "never"}}}}}`, "want send_retain"},
		{"subscribe5", `{filters = {}}`, "filters"},
		{"subscribe", `{{"a", 1}, x = 1}`, "want an array"},
		{"subscribe", `{{"a", 1, rap = true}}`, "topics: want an array"},
		{"subscribe", `{{"a", 1, 2}}`, "want {topic, qos}, got more"},
		{"subscribe5", `{topics = {{"a", {1, "rap"}}}}`, "got something else beside the qos"},
		{"subscribe5", `{topics = {{"a", {1, {}, {}}}}}`, "got something else beside the qos"},
		{"subscribe5", `{topics = {{"a", {1, rap = true}}}}`, "topics: want an array"},
		{"subscribe5", `{topics = {{"a", 1}}, properties = {p_user_property = {a = "1"}}}`, "p_user_property: want an array"},
		{"unsubscribe", `{"a", x = "b"}`, "topics: want an array"},
		{"unsubscribe", `{"a", [3] = "b"}`, "topics: want an array"},
		{"unsubscribe", `{topics = {"a"}}`, "topics: want an array"},
		{"unsubscribe5", `{topics = {x = "a"}}`, "topics: want an array"},
		{"unsubscribe", `{1}`, "want an array of strings"},
		{"unsubscribe5", `{"a"}`, "none of this name"},
		{"auth", `{reason_code = "fine"}`, "there is no reason code of this name: the string \"fine\""},
		{"auth", `{reason_code = 16}`, "want success, continue_authentication or a failure"},
		{"auth", `{reason_code = 0, properties = {p_authentication_method = "OTHER"}}`, "want the method of the client"},
	} {
		x := tableOf(t, tt.table)
		var err error
		switch tt.hook {
		case "register":
			_, err = Register(x, client4)
		case "register5":
			_, err = Register(x, client5)
		case "publish", "publish5":
			_, err = Publish(x, message, tt.hook == "publish5")
		case "deliver", "deliver5":
			_, err = Deliver(x, message, tt.hook == "deliver5")
		case "subscribe":
			_, err = Subscribe(x, q4)
		case "subscribe5":
			_, err = Subscribe(x, q5)
		case "unsubscribe", "unsubscribe5":
			_, err = Unsubscribe(x, tt.hook == "unsubscribe5")
		case "auth":
			_, _, err = Auth(x, &hook.Auth{Method: "OWN"})
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: got %v, want %q", tt.hook, tt.table, err, tt.want)
		}
	}
}

func TestRegister(t *testing.T) {
	r, err := Register(tableOf(t, `{subscriber_id = {mountpoint = "m", client_id = "d"}, username = "u", clean_session = false, max_message_size = 1,
		max_message_rate = 2, max_inflight_messages = 3, max_connection_lifetime = 4, retry_interval = 5000, upgrade_qos = true,
		max_online_messages = -1, max_offline_messages = 6, queue_type = "lifo", shared_subscription_policy = "random",
		allow_register = true, allow_publish = true, allow_subscribe = true, allow_unsubscribe = true, max_drain_time = 7, max_msgs_per_drain_step = 8}`), client4)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(*r.Key, *r.Username, *r.CleanStart, *r.MaxMessageSize, *r.MaxMessageRate, *r.MaxInflight, *r.MaxConnectionLifetime,
		*r.RetryInterval, *r.UpgradeQoS, *r.MaxOnlineMessages, *r.MaxOfflineMessages, *r.QueueType, *r.SharedSubscriptionPolicy)
	if want := "{m d} u false 1 2 3 4s 5s true -1 6 lifo random\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r, err = Register(tableOf(t, `{clean_start = true, properties = {p_session_expiry_interval = 4294967295, p_user_property = {{a = "1"}, {a = "2"}}}}`), client5)
	if err != nil || *r.SessionExpiry != forever || fmt.Sprint(r.UserProperties) != "[{a 1} {a 2}]" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestObfuscation(t *testing.T) {
	o, other := NewObfuscation(""), NewObfuscation("")
	hidden := o.Encrypt("secret")
	if strings.Contains(hidden, "secret") || o.Decrypt(hidden) != "secret" || other.Decrypt(hidden) != hidden || o.Decrypt("plain") != "plain" {
		t.Errorf("got %s, %s", hidden, o.Decrypt(hidden))
	}
	if a, b := NewObfuscation("shared"), NewObfuscation("shared"); b.Decrypt(a.Encrypt("x")) != "x" {
		t.Error("a shared secret does not make the same key")
	}
	if o.Decrypt(marker+"!!") != marker+"!!" {
		t.Error("a broken value does not come back unchanged")
	}
}

// TestArgs_Expiry: the remaining time counts down, rounded up.
func TestArgs_Expiry(t *testing.T) {
	s := sandbox.New(sandbox.Options{})
	m := &mqtt.Message{Topic: "t", Expires: time.Now().Add(1500 * time.Millisecond)}
	v := messageProperties(s, m).(*lua.LTable).RawGetString("p_message_expiry_interval")
	if v != lua.LNumber(2) {
		t.Errorf("got %v", v)
	}
}
