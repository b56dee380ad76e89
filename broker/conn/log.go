package conn

import (
	"errors"
	"io"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
)

// who is the attributes that name the client in a log line, followed by more.
func (c *Conn) who(more ...any) []any {
	i := c.info
	peer := "local" // Unix sockets have no address of the peer
	if i.Peer.IsValid() {
		peer = i.Peer.String()
	}
	a := []any{"client_id", i.Key.ClientID, "peer", peer, "listener", i.Listener.Name}
	if i.Key.Mountpoint != "" {
		a = append(a, "mountpoint", i.Key.Mountpoint)
	}
	if i.Username != "" {
		a = append(a, "user", i.Username)
	}
	return append(a, more...)
}

// logFail says why we end the connection.
func (c *Conn) logFail(e *mqtt.Error) {
	log := c.srv.Log.Warn
	if e.Code == mqtt.KeepAliveTimeout && !c.srv.Settings.Load().Session.KeepAliveWarning {
		log = c.srv.Log.Debug
	}
	log("connection ended", c.who("reason_code", e.Code.String(), "err", e.Error())...)
}

// logEnd says how the connection ended without a goodbye.
func (c *Conn) logEnd(err error) {
	if err == nil || errors.Is(err, io.EOF) {
		c.srv.Log.Info("connection closed by the peer", c.who()...)
		return
	}
	if !errors.Is(err, errEnded) {
		c.srv.Log.Info("connection lost", c.who("err", err.Error())...)
	}
}

// explain logs a refusal once per connection and kind, with a hint for the most
// frequent cause: anonymous clients need a plugin's permission, too.
func (c *Conn) explain(what, topic string, v hook.Verdict) {
	if c.told[what] {
		c.srv.Log.Debug(what+" refused", c.who("topic", topic, "reason", v.Reason)...)
		return
	}
	if c.told == nil {
		c.told = map[string]bool{}
	}
	c.told[what] = true
	more := []any{"topic", topic, "reason", v.Reason}
	if v.Nobody && !c.info.HasUser {
		more = append(more, "hint", "every publish and subscribe needs a plugin's yes, also of anonymous clients: check acl.acl_file")
	}
	c.srv.Log.Warn(what+" refused; further refusals of this client are logged at debug level", c.who(more...)...)
}
