package broker_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// adminText runs an admin command and returns its text, or its error's.
func adminText(t *testing.T, b *brokertest.Broker, line string) string {
	t.Helper()
	return answer(t, b, line, func(w io.Writer, r admin.Result) error { return admin.WriteText(w, r, false) })
}

// jsonText is adminText as --format=json has it.
func jsonText(t *testing.T, b *brokertest.Broker, line string) string {
	t.Helper()
	return answer(t, b, line, admin.WriteJSON)
}

func answer(t *testing.T, b *brokertest.Broker, line string, write func(io.Writer, admin.Result) error) string {
	t.Helper()
	reg := admin.NewRegistry()
	if err := reg.Add(b.Commands()...); err != nil {
		t.Fatal(err)
	}
	call, err := reg.Parse(strings.Fields(line))
	if err != nil {
		return err.Error()
	}
	res, err := reg.Execute(t.Context(), call)
	if err != nil {
		return err.Error()
	}
	var out bytes.Buffer
	if err := write(&out, res); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCommands_Show(t *testing.T) {
	b := brokertest.Start(t, brokertest.Options{})
	c, _ := b.Connect(packet.Connect{ClientID: "one", CleanStart: true, HasUsername: true, Username: "u"})
	c.Subscribe(mqtt.AtLeastOnce, "a/#", "$share/g/b")
	b.Connect(packet.Connect{ClientID: "two", CleanStart: true})
	c.Publish(packet.Publish{QoS: 1, Topic: "kept", Retain: true, Payload: []byte("x")})
	b.Router.Retained().Put(&mqtt.Message{Mountpoint: "tenant", Topic: "there", Payload: []byte("y")})
	for _, x := range []struct{ line, has, hasNot string }{
		{"session show", "| one       | true", ""},
		{"session show --client_id=one", "one", "two"},
		{"session show --client_id=~^t", "two", "one"},
		{"session show --client_id --topic --qos", "$share/g/b", ""},
		{"session show --is_online=false", "client_id", "one"},
		{"session show --is_online=maybe", "true or false", ""},
		{"session show --client_id=~[", "~[", ""},
		{"session show --limit=1", "1 more row", ""},
		{"session show --bogus", "bogus", ""},
		{"retain show --payload", "| kept  | x", ""},
		{"retain show --mountpoint", "mountpoint", ""},
		{"retain show --topic=other", "topic", "kept"},
		{"retain show --topic=~^ke+p", "kept", "other"},
		{"retain show --topic=~^ept", "topic", "kept"},
		{"retain show --topic=~[", "~[", ""},
		{"retain show --topic=a/#/b", "usage: topic: filter: ", "topic: topic:"},
		{"retain show --mountpoint --payload", "| kept  | x       |            |", ""},
		{"retain show", "| there |", ""},
		{"retain show --mountpoint=tenant", "| there | tenant     |", "kept"},
		{"retain show --mountpoint=~^t --topic=~r", "| there | tenant     |", "kept"},
		{"retain show --mountpoint=", "kept", "there"},
		{"retain show --topic=there --limit=1", "there", "more"},
		{"retain show --limit=1", "--limit=0 shows all", "| there"},
		{"retain delete topic=a/+", "usage: topic: name: ", "topic: topic:"},
		{"retain delete", "retain delete needs topic=NAME", ""},
		{"retain delete topic=nowhere", "no retained message", ""},
		{"retain delete topic=kept", "Done", ""},
		{"retain show", "topic", "kept"},
		{"session disconnect client-id=nobody", "not found", ""},
		{"session disconnect client-id=two", "Done", ""},
		{"plugin show", "auth_on_publish", "passwd"},
		{"listener show --mqtt", "3,4,5,131", ""},
	} {
		got := adminText(t, b, x.line)
		if !strings.Contains(got, x.has) || x.hasNot != "" && strings.Contains(got, x.hasNot) {
			t.Errorf("%s: wants %q, not %q:\n%s", x.line, x.has, x.hasNot, got)
		}
	}
}
