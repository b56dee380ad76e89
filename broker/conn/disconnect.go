package conn

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
)

// disconnect takes the client's goodbye: without an error code its will is
// forgotten. Called without the lock.
//
// Spec: MQTT 5.0 §3.14.4 [MQTT-3.14.4-3]; MQTT 3.1.1 §3.14.4.
func (c *Conn) disconnect(now time.Time, p *packet.Disconnect) {
	c.endBatch(now) // what came before is answered before
	withWill := c.info.Version == mqtt.V5 && p.Code != mqtt.NormalDisconnection
	cl := c.lock()
	if c.ended {
		c.unlock(cl)
		return
	}
	if cl != nil && cl.Attached(c) && p.HasSessionExpiry {
		cl.Session().Expiry = seconds(p.SessionExpiry)
	}
	c.srv.Log.Info("client disconnected", c.who("reason_code", p.Code.String())...)
	after := c.last(now)
	c.unlock(cl)
	after()
	c.detach(now, withWill)
	c.ec.Close(nil)
}

func seconds(s uint32) time.Duration {
	if s == 0xFFFFFFFF {
		return store.Forever
	}
	return time.Duration(s) * time.Second
}
