package scripting_test

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/scripting"
	"github.com/lunemq/lunemq/scripting/authcache"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/lualib"
)

// extension is the scripts of one folder as a broker's plugin.
type extension struct {
	cfg *scripting.Config
	*scripting.Engine
	cache *authcache.Cache
}

func (*extension) Name() string { return "lua" }

func (x *extension) Start(api *broker.API) (err error) {
	x.cache = authcache.New()
	host := &lualib.Host{Log: api.Log, Cache: x.cache, Secrets: luaconv.NewObfuscation(""), Broker: api}
	x.Engine, err = scripting.Start(x.cfg, scripting.Deps{Log: api.Log, Metrics: api.Metrics, Alarms: api.Alarms, Host: host, Changed: api.Changed})
	return err
}

func (x *extension) Configure() error    { return x.Engine.Configure(x.cfg) }
func (x *extension) Plugin() hook.Plugin { return x.Engine.Plugin() }

// lua is a broker whose only plugin is a script.
type lua struct {
	*brokertest.Broker
	t   *testing.T
	dir string
	log *brokertest.Output
	ext *extension
}

func startLua(t *testing.T, script string, set ...string) *lua {
	t.Helper()
	l := &lua{t: t, dir: t.TempDir(), log: &brokertest.Output{}}
	l.save(script)
	cfg := &scripting.Config{Dir: l.dir, BundledDir: filepath.Join(l.dir, "none"), States: 1, MaxStates: 64, Timeout: 5 * time.Second,
		MaxSteps: 10_000_000, MaxMemory: 16 << 20, TotalMemory: 256 << 20, OnError: "refuse", MaxWaiting: 1000}
	l.ext = &extension{cfg: cfg}
	l.Broker = brokertest.Start(t, brokertest.Options{
		Set:        append([]string{"allow_anonymous=off", "plugins.acl=off", "plugins.lua=on"}, set...),
		Extensions: []broker.Extension{l.ext}, Log: slog.New(slog.NewTextHandler(l.log, nil)),
	})
	return l
}

func (l *lua) save(script string) {
	l.t.Helper()
	path := filepath.Join(l.dir, "test.lua")
	if err := os.WriteFile(path+"~", []byte(script), 0o644); err != nil {
		l.t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		l.t.Fatal(err)
	}
}

// logs waits for a line of the log.
func (l *lua) logs(text string) {
	l.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(l.log.String(), text); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("the log lacks %q:\n%s", text, l.log.String())
		}
	}
}

const everyHook = `
hooks = {}
local function note(name, m, more) log.info(table.concat({name, tostring(m.client_id), tostring(m.username), tostring(m.topic), more or ""}, " ")) end
local function both(name, f)
  hooks[name] = function(m) return f(m, false) end
  hooks[name .. "_m5"] = function(m) return f(m, true) end
end
both("auth_on_register", function(m, v5)
  note("auth_on_register", m, m.addr .. " " .. tostring(v5 and m.clean_start or m.clean_session) .. " " .. obf.decrypt(m.password or "none"))
  if m.client_id == "undecided" then return end
  if m.client_id == "broken" then error("on purpose") end
  if m.client_id == "renamed" then return { subscriber_id = { mountpoint = "", client_id = "newname" }, username = "newuser" } end
  if m.client_id == "bad-modifier" then return { colour = "red" } end
  return obf.decrypt(m.password or "") == "secret"
end)
both("on_register", function(m) note("on_register", m) end)
both("auth_on_publish", function(m, v5)
  note("auth_on_publish", m, m.payload .. " " .. m.qos .. " " .. tostring(m.retain))
  if m.topic == "rewrite" then return { topic = "rewritten", payload = "new " .. m.payload } end
  if m.topic == "props" and v5 then return { properties = { p_user_property = { { a = "2" }, { c = "3" } }, p_content_type = "x/y" } } end
  return m.topic ~= "no"
end)
both("on_publish", function(m) note("on_publish", m, m.payload) end)
both("auth_on_subscribe", function(m, v5)
  note("auth_on_subscribe", m, m.topics[1][1])
  local t = m.topics
  if t[1][1] == "no" then return false end
  if t[1][1] == "partly" then
    if v5 then return { topics = { { "partly", { 1, {} } }, { t[2][1], { 135, {} } } } } end
    return { { "partly", 1 }, { t[2][1], 128 } }
  end
  if t[1][1] == "more" then
    if v5 then return { topics = { { "more", { 1, {} } }, { "extra", { 1, {} } } } } end
    return { { "more", 1 }, { "extra", 1 } }
  end
  if t[1][1] == "swap" then
    if v5 then return { topics = { { "swapped", { 0, { rap = true } } } } } end
    return { { "swapped", 0 } }
  end
  return true
end)
both("on_subscribe", function(m) note("on_subscribe", m, m.topics[1][1]) end)
both("on_unsubscribe", function(m, v5)
  note("on_unsubscribe", m, m.topics[1])
  if m.topics[1] == "other" then
    if v5 then return { topics = { "swapped" } } end
    return { "swapped" }
  end
end)
for _, name in ipairs { "on_client_wakeup", "on_client_offline", "on_client_gone", "on_session_expired", "on_offline_message" } do
  hooks[name] = function(m) note(name, m) end
end
`

func (l *lua) dial(c packet.Connect) (*brokertest.Client, *packet.Connack) {
	if c.ClientID == "" {
		c.ClientID = "c1"
	}
	if c.Username == "" {
		c.HasUsername, c.Username = true, "user"
	}
	if c.Password == nil {
		c.HasPassword, c.Password = true, []byte("secret")
	}
	return l.Connect(c)
}

func TestBroker_Register(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		l := startLua(t, everyHook)
		for _, tt := range []struct {
			id, password string
			v4, v5       mqtt.ReasonCode // of 3.1.1 as the codec shows return codes 4 and 5
		}{
			{"good", "secret", 0, 0},
			{"wrong", "other", mqtt.BadUserNameOrPassword, mqtt.BadUserNameOrPassword},
			{"undecided", "secret", mqtt.NotAuthorized, mqtt.BadUserNameOrPassword},
			{"broken", "secret", mqtt.NotAuthorized, mqtt.BadUserNameOrPassword},
			{"bad-modifier", "secret", mqtt.NotAuthorized, mqtt.BadUserNameOrPassword},
		} {
			c, ack := l.dial(packet.Connect{Version: v, ClientID: tt.id, CleanStart: true, HasPassword: true, Password: []byte(tt.password)})
			want := tt.v5
			if v != mqtt.V5 {
				want = tt.v4
			}
			if got := ack.Code; got != want {
				t.Errorf("version %d, %s: got %d, want %d", v, tt.id, got, want)
			}
			c.Close()
		}
		l.logs("auth_on_register good user nil 127.0.0.1 true secret")
		l.logs("on_register good user nil")
		l.logs("on_client_wakeup good nil nil")
		l.logs("on_client_gone good nil nil")
		l.logs("test.lua:11: on purpose")
		c, _ := l.dial(packet.Connect{Version: v, ClientID: "renamed", CleanStart: true})
		l.logs("on_register newname newuser nil")
		if l.Registry.Get(mqtt.SessionKey{ClientID: "newname"}) == nil {
			t.Error("the client was not renamed")
		}
		c.Publish(packet.Publish{Topic: "t", Payload: []byte("p")})
		l.logs("auth_on_publish newname newuser t p 0 false")
	}
}

func TestBroker_Publish(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		l := startLua(t, everyHook)
		c, _ := l.dial(packet.Connect{Version: v, CleanStart: true})
		c.Subscribe(1, "#")
		l.logs("auth_on_subscribe c1 user nil #")
		l.logs("on_subscribe c1 user nil #")
		c.Publish(packet.Publish{Topic: "rewrite", Payload: []byte("old"), QoS: 1})
		if got := c.Take(); got.Topic != "rewritten" || string(got.Payload) != "new old" {
			t.Errorf("got %q %q", got.Topic, got.Payload)
		}
		l.logs("auth_on_publish c1 user rewrite old 1 false")
		l.logs("on_publish c1 user rewritten new old")
		if v == mqtt.V5 {
			props := packet.MessageProperties{UserProperties: []mqtt.UserProperty{{Key: "a", Value: "1"}, {Key: "b", Value: "1"}}}
			c.Publish(packet.Publish{Topic: "props", QoS: 1, Properties: props.Append(nil)})
			got, err := packet.DecodeProperties(c.Take().Properties)
			want := []mqtt.UserProperty{{Key: "b", Value: "1"}, {Key: "a", Value: "2"}, {Key: "c", Value: "3"}}
			if err != nil || !slices.Equal(got.UserProperties, want) || got.ContentType != "x/y" {
				t.Errorf("got %+v, %v", got, err)
			}
			if code := c.Publish(packet.Publish{Topic: "no", QoS: 1}); code != mqtt.NotAuthorized {
				t.Errorf("got %v", code)
			}
			continue
		}
		c.Send(&packet.Publish{Topic: "no", QoS: 1, PacketID: 9})
		c.Ended()
	}
}

func TestBroker_Subscribe(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		l := startLua(t, everyHook)
		c, _ := l.dial(packet.Connect{Version: v, CleanStart: true})
		denied := mqtt.NotAuthorized
		if v != mqtt.V5 {
			denied = 128
		}
		for _, tt := range []struct {
			filters []string
			want    []mqtt.ReasonCode
		}{
			{[]string{"yes"}, []mqtt.ReasonCode{2}},
			{[]string{"no"}, []mqtt.ReasonCode{denied}},
			{[]string{"partly", "rest"}, []mqtt.ReasonCode{1, denied}},
			{[]string{"swap"}, []mqtt.ReasonCode{0}},
			{[]string{"more"}, []mqtt.ReasonCode{1}},
		} {
			if got := c.Subscribe(2, tt.filters...); !slices.Equal(got, tt.want) {
				t.Errorf("version %d, %v: got %v, want %v", v, tt.filters, got, tt.want)
			}
		}
		c.Publish(packet.Publish{Topic: "swapped", QoS: 1})
		if got := c.Take(); got.Topic != "swapped" || got.QoS != 0 {
			t.Errorf("got %+v", got)
		}
		c.Publish(packet.Publish{Topic: "extra"})
		if got := c.Take(); got.Topic != "extra" {
			t.Errorf("got %+v", got)
		}
		c.Send(&packet.Unsubscribe{PacketID: 77, Filters: []string{"other"}})
		brokertest.Next[*packet.Unsuback](c)
		l.logs("on_unsubscribe c1 user nil other")
		c.Publish(packet.Publish{Topic: "swapped", QoS: 1})
		c.Quiet()
	}
}

// TestBroker_Properties: hooks get exactly the properties that a client of 5.0
// sent with CONNECT, SUBSCRIBE and UNSUBSCRIBE, in the types of the reference 1.9.
func TestBroker_Properties(t *testing.T) {
	l := startLua(t, `
		hooks = {}
		for _, name in ipairs { "auth_on_register", "on_register", "auth_on_subscribe", "on_subscribe", "on_unsubscribe", "on_auth" } do
			hooks[name .. "_m5"] = function(m)
				log.info("SEEN " .. name .. " " .. m.client_id .. " " .. json.encode(m.properties):gsub('"', "'") .. " END")
				if name == "on_auth" then return { reason_code = "success" } end
				return name:find("^auth") and true or nil
			end
		end`)
	user := []mqtt.UserProperty{{Key: "k", Value: "v"}, {Key: "k", Value: ""}}
	const said = `'p_user_property':[{'k':'v'},{'k':''}]`
	for _, tt := range []struct {
		id, want string
		connect  packet.Connect
	}{
		{"none", `{}`, packet.Connect{}},
		{"defaults", `{'p_request_problem_info':true,'p_request_response_info':false,'p_session_expiry_interval':0,'p_topic_alias_max':0}`,
			packet.Connect{HasSessionExpiry: true, HasTopicAliasMaximum: true, HasRequestResponseInfo: true, HasRequestProblemInfo: true}},
		{"others", `{'p_max_packet_size':1000,'p_receive_max':2,'p_request_problem_info':false,'p_request_response_info':true,'p_session_expiry_interval':4294967295,'p_topic_alias_max':3,` + said + `}`,
			packet.Connect{HasSessionExpiry: true, SessionExpiry: 1<<32 - 1, ReceiveMaximum: 2, MaximumPacketSize: 1000, TopicAliasMaximum: 3,
				RequestResponseInfo: true, NoProblemInfo: true, UserProperties: user}},
		{"authenticated", `{'p_authentication_data':'','p_authentication_method':'M'}`, packet.Connect{AuthMethod: "M", AuthData: []byte{}}},
	} {
		tt.connect.ClientID, tt.connect.Version = tt.id, mqtt.V5
		c, _ := l.dial(tt.connect)
		l.logs("SEEN auth_on_register " + tt.id + " " + tt.want + " END")
		l.logs("SEEN on_register " + tt.id + " " + tt.want + " END")
		c.Close()
	}
	c, _ := l.dial(packet.Connect{ClientID: "c", Version: mqtt.V5})
	c.Subscribe(1, "plain")
	l.logs("SEEN auth_on_subscribe c {} END")
	l.logs("SEEN on_subscribe c {} END")
	c.Send(&packet.Subscribe{PacketID: 8, Topics: []packet.TopicFilter{{Filter: "t"}}, SubscriptionID: 268435455, UserProperties: user})
	brokertest.Next[*packet.Suback](c)
	l.logs("SEEN auth_on_subscribe c {'p_subscription_id':[268435455]," + said + "} END")
	l.logs("SEEN on_subscribe c {'p_subscription_id':[268435455]," + said + "} END")
	c.Send(&packet.Unsubscribe{PacketID: 9, Filters: []string{"plain"}})
	c.Send(&packet.Unsubscribe{PacketID: 10, Filters: []string{"t"}, UserProperties: user})
	brokertest.Next[*packet.Unsuback](c)
	brokertest.Next[*packet.Unsuback](c)
	l.logs("SEEN on_unsubscribe c {} END")
	l.logs("SEEN on_unsubscribe c {" + said + "} END")
}

func TestBroker_Lives(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		l := startLua(t, everyHook)
		connect := packet.Connect{Version: v, ClientID: "stays", HasSessionExpiry: v == mqtt.V5, SessionExpiry: 1000}
		c, _ := l.dial(connect)
		c.Subscribe(1, "t")
		c.Close()
		l.logs("on_client_offline stays nil nil")
		p, _ := l.dial(packet.Connect{Version: v, ClientID: "pub", CleanStart: true})
		p.Publish(packet.Publish{Topic: "t", QoS: 1})
		l.logs("on_offline_message stays nil t")
		l.Registry.Disconnect(time.Now(), mqtt.SessionKey{ClientID: "stays"}, mqtt.AdministrativeAction, true)
		l.logs("on_client_gone stays nil nil")
	}
}

// TestBroker_AuthCache: what a script has cached for a client stands for its
// new connection while the old one is taken over, and goes with the last.
func TestBroker_AuthCache(t *testing.T) {
	l := startLua(t, `hooks = { auth_on_register = function(m)
  auth_cache.insert(m.mountpoint, m.client_id, m.username, { { pattern = "mine/%c" } }, {})
  return true
end }`)
	connect := packet.Connect{Version: mqtt.V311, ClientID: "stays"}
	old, _ := l.dial(connect)
	c, _ := l.dial(connect)
	old.Ended()
	c.Publish(packet.Publish{Topic: "mine/stays", QoS: 1}) // no script has the hook
	if got := c.Subscribe(1, "mine/stays"); got[0] != 128 {
		t.Errorf("got %v", got)
	}
	if got := l.ext.cache.Len(); got != 1 {
		t.Errorf("got %d entries of a connected client", got)
	}
	c.Close()
	brokertest.Eventually(t, func() bool { return l.ext.cache.Len() == 0 })
}

// TestBroker_AuthCache_Topics: a rule may make several subscriptions of one; the
// others keep their places.
func TestBroker_AuthCache_Topics(t *testing.T) {
	l := startLua(t, `hooks = { auth_on_register = function(m)
  return auth_cache.insert(m.mountpoint, m.client_id, m.username, { { pattern = "#" } },
    { { pattern = "a", modifiers = { { "a1", 1 }, { "a2", 1 } } }, { pattern = "b" } })
end, auth_on_publish = function() return false end, auth_on_subscribe = function() return false end }`)
	c, _ := l.dial(packet.Connect{Version: mqtt.V311, CleanStart: true})
	if got := c.Subscribe(2, "a", "b"); !slices.Equal(got, []mqtt.ReasonCode{1, 2}) {
		t.Errorf("got %v", got)
	}
	for _, topic := range []string{"b", "a1", "a2"} {
		c.Publish(packet.Publish{Topic: topic})
		if got := c.Take(); got.Topic != topic {
			t.Errorf("got %+v, want %s", got, topic)
		}
	}
}

// TestBroker_AuthCache_Refused: a CONNECT that is refused for its will leaves
// its rules to nobody, and takes nobody's.
func TestBroker_AuthCache_Refused(t *testing.T) {
	l := startLua(t, `
local function register(m)
  if m.username == "nobody" then return true end
  auth_cache.insert(m.mountpoint, m.client_id, m.username, { { pattern = m.username .. "/#" } }, {})
  return true
end
local function no() return false end
hooks = { auth_on_register_m5 = register, auth_on_publish_m5 = no }`)
	connect := func(user, will string, want mqtt.ReasonCode) *brokertest.Client {
		t.Helper()
		p := packet.Connect{Version: mqtt.V5, CleanStart: true, HasUsername: true, Username: user}
		if will != "" {
			p.Will = &packet.Will{Topic: will}
		}
		c, ack := l.dial(p)
		if ack.Code != want {
			t.Errorf("%s with the will %q: got %s, want %s", user, will, ack.Code, want)
		}
		return c
	}
	may := func(c *brokertest.Client, topic string, want mqtt.ReasonCode) {
		t.Helper()
		c.Send(&packet.Publish{Topic: topic, QoS: 1, PacketID: 9})
		if got := brokertest.Next[*packet.Puback](c).Code; got != want {
			t.Errorf("%s: got %s, want %s", topic, got, want)
		}
	}
	connect("boss", "elsewhere", mqtt.NotAuthorized)
	c := connect("nobody", "", mqtt.Success)
	may(c, "boss/x", mqtt.NotAuthorized)
	c = connect("boss", "boss/will", mqtt.Success)
	connect("low", "elsewhere", mqtt.NotAuthorized)
	may(c, "boss/x", mqtt.NoMatchingSubscribers)
	may(c, "low/x", mqtt.NotAuthorized)
}

// TestBroker_Will: a script sees the intervals of a will and may set them.
func TestBroker_Will(t *testing.T) {
	l := startLua(t, `hooks = {
auth_on_register_m5 = function() return true end,
auth_on_subscribe_m5 = function() return true end,
auth_on_publish_m5 = function(m)
  local p = m.properties
  log.info("will " .. p.p_will_delay_interval .. " " .. p.p_message_expiry_interval)
  return { properties = { p_will_delay_interval = 0, p_message_expiry_interval = 50 } }
end }`)
	sub, _ := l.dial(packet.Connect{Version: mqtt.V5, ClientID: "sub", CleanStart: true})
	sub.Subscribe(1, "last")
	c, _ := l.dial(packet.Connect{Version: mqtt.V5, HasSessionExpiry: true, SessionExpiry: 1000,
		Will: &packet.Will{Topic: "last", Delay: 700, HasMessageExpiry: true, MessageExpiry: 900}})
	l.logs("will 700 900")
	c.Close()
	if got := sub.Take(); got.MessageExpiry < 49 || got.MessageExpiry > 50 {
		t.Errorf("got %+v", got)
	}
}

// TestBroker_Secrets: a password that a script puts into an error is in no log.
func TestBroker_Secrets(t *testing.T) {
	l := startLua(t, `hooks = { auth_on_register_m5 = function(m) error("wrong: " .. obf.decrypt(m.password)) end }`)
	for range 2 {
		c, ack := l.dial(packet.Connect{Version: mqtt.V5, Password: []byte("Geheim99"), HasPassword: true})
		if ack.Code == mqtt.Success {
			t.Error("let in")
		}
		c.Ended()
	}
	l.logs("client refused")
	if text := l.log.String(); strings.Contains(text, "Geheim99") || !strings.Contains(text, "wrong: [password]") {
		t.Errorf("logged\n%s", text)
	}
}

// TestBroker_EnhancedAuth: a script can complete enhanced authentication, with
// numbers and with names. Quirk 4.
func TestBroker_EnhancedAuth(t *testing.T) {
	for _, names := range []string{"24 0", `"continue_authentication" "success"`} {
		next, done, _ := strings.Cut(names, " ")
		l := startLua(t, fmt.Sprintf(`
			hooks = {
				on_auth_m5 = function(m)
					local data = m.properties.p_authentication_data
					local answer = { p_authentication_method = m.properties.p_authentication_method, p_authentication_data = "re:" .. data }
					if data == "hello" then return { reason_code = %s, properties = answer } end
					if data == "secret" then return { reason_code = %s, properties = answer } end
					if data == "banned" then return { reason_code = "banned" } end
					return false
				end,
				auth_on_register_m5 = function(m) return true end,
			}`, next, done))
		dial := func(first, second string) (*brokertest.Client, packet.Packet) {
			c := brokertest.NewClient(t, l.Dial(), mqtt.V5)
			c.Send(&packet.Connect{Version: mqtt.V5, ClientID: "c" + second, AuthMethod: "OWN", AuthData: []byte(first)})
			if a := brokertest.Next[*packet.Auth](c); a.Code != mqtt.ContinueAuthentication || string(a.Data) != "re:hello" {
				t.Errorf("got %+v", a)
			}
			c.Send(&packet.Auth{Code: mqtt.ContinueAuthentication, HasMethod: true, Method: "OWN", Data: []byte(second)})
			ack := brokertest.Next[*packet.Connack](c)
			return c, ack
		}
		if _, p := dial("hello", "secret"); p.(*packet.Connack).Code != mqtt.Success || string(p.(*packet.Connack).AuthData) != "re:secret" {
			t.Errorf("got %+v", p)
		}
		if _, p := dial("hello", "banned"); p.(*packet.Connack).Code != mqtt.Banned {
			t.Errorf("got %+v", p)
		}
		if _, p := dial("hello", "wrong"); p.(*packet.Connack).Code != mqtt.NotAuthorized {
			t.Errorf("got %+v", p)
		}
	}
}

// TestBroker_Reload reloads ten times a second under traffic: no message may
// be lost, none refused, and no answer may fail.
func TestBroker_Reload(t *testing.T) {
	script := func(n int) string {
		return fmt.Sprintf("-- %d %x\nlocal function yes(m) return true end\nhooks = { auth_on_register_m5 = yes, auth_on_publish_m5 = yes, auth_on_subscribe_m5 = yes }", n, sha256.Sum256([]byte{byte(n)}))
	}
	l := startLua(t, script(0))
	sub, _ := l.dial(packet.Connect{ClientID: "sub", CleanStart: true})
	sub.Subscribe(1, "t")
	done := make(chan struct{})
	go func() {
		defer close(done)
		pub, _ := l.dial(packet.Connect{ClientID: "pub", CleanStart: true})
		for range 3000 {
			if code := pub.Publish(packet.Publish{Topic: "t", QoS: 1}); code.IsError() {
				t.Errorf("refused: %v", code)
				return
			}
		}
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n, got := 1, 0; got < 3000; got++ {
		select {
		case <-tick.C:
			l.save(script(n))
			n++
		default:
		}
		sub.Take()
	}
	<-done
	if n := l.Metrics.Scripts.Row("test.lua", "auth_on_publish_m5").Errors.Count(); n != 0 {
		t.Errorf("%d calls failed", n)
	}
	l.Balanced()
}

// TestBroker_Deliver: on_deliver rewrites for one receiver, drops for another,
// and is edited live; retained and queued messages pass through it too.
func TestBroker_Deliver(t *testing.T) {
	const script = `
		local function yes(m) return true end
		local function deliver(m)
			if m.client_id == "deaf" then return false end
			if m.client_id == "rewritten" then return { topic = "for/" .. m.client_id, payload = m.payload .. "%s" } end
			if m.payload == "broken" then error("on purpose") end
		end
		hooks = {}
		for _, v in ipairs { "", "_m5" } do
			for _, name in ipairs { "auth_on_register", "auth_on_publish", "auth_on_subscribe" } do hooks[name .. v] = yes end
			hooks["on_deliver" .. v] = deliver
		end`
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		l := startLua(t, fmt.Sprintf(script, "!"))
		pub, _ := l.dial(packet.Connect{Version: v, ClientID: "pub", CleanStart: true})
		pub.Publish(packet.Publish{Topic: "t/kept", Payload: []byte("kept"), QoS: 1, Retain: true})
		var subs []*brokertest.Client
		for _, id := range []string{"rewritten", "plain", "deaf"} {
			c, _ := l.dial(packet.Connect{Version: v, ClientID: id, CleanStart: true})
			c.Subscribe(1, "t/#")
			subs = append(subs, c)
		}
		take := func(c *brokertest.Client, want string) {
			t.Helper()
			if p := c.Take(); p.Topic+" "+string(p.Payload) != want {
				t.Errorf("version %d: got %s %s, want %s", v, p.Topic, p.Payload, want)
			}
		}
		take(subs[0], "for/rewritten kept!")
		take(subs[1], "t/kept kept")
		pub.Publish(packet.Publish{Topic: "t/1", Payload: []byte("live"), QoS: 1})
		take(subs[0], "for/rewritten live!")
		take(subs[1], "t/1 live")
		pub.Publish(packet.Publish{Topic: "t/1", Payload: []byte("broken"), QoS: 1})
		take(subs[1], "t/1 broken") // a failing on_deliver changes nothing
		take(subs[0], "for/rewritten broken!")
		subs[2].Quiet()
		l.save(fmt.Sprintf(script, "?"))
		for deadline := time.Now().Add(10 * time.Second); ; {
			pub.Publish(packet.Publish{Topic: "t/2", Payload: []byte("new"), QoS: 1})
			got := string(subs[0].Take().Payload)
			take(subs[1], "t/2 new")
			if got == "new?" {
				break
			}
			if got != "new!" || time.Now().After(deadline) {
				t.Fatalf("got %q", got)
			}
		}
		l.Balanced()
	}
}
