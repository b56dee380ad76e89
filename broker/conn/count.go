package conn

import (
	"errors"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// countReceived counts one packet from the client.
func (c *Conn) countReceived(p packet.Packet) {
	m, v5 := c.srv.Metrics, c.level == mqtt.V5
	switch p := p.(type) {
	case *packet.Publish:
		m.MQTTPublishReceived.For(v5).Inc(1)
	case *packet.Puback:
		m.MQTTPubackReceived.ForVersion(v5, uint8(p.Code)).Inc(1)
	case *packet.Pubrec:
		m.MQTTPubrecReceived.ForVersion(v5, uint8(p.Code)).Inc(1)
	case *packet.Pubrel:
		m.MQTTPubrelReceived.ForVersion(v5, uint8(p.Code)).Inc(1)
	case *packet.Pubcomp:
		m.MQTTPubcompReceived.ForVersion(v5, uint8(p.Code)).Inc(1)
	case *packet.Pingreq:
		m.MQTTPingreqReceived.For(v5).Inc(1)
	case *packet.Subscribe:
		m.MQTTSubscribeReceived.For(v5).Inc(1)
	case *packet.Unsubscribe:
		m.MQTTUnsubscribeReceived.For(v5).Inc(1)
	case *packet.Connect:
		m.MQTTConnectReceived.For(v5).Inc(1)
	case *packet.Disconnect:
		m.MQTTDisconnectReceived.ForVersion(v5, uint8(p.Code)).Inc(1)
	case *packet.Auth:
		m.MQTTAuthReceived.For(uint8(p.Code)).Inc(1)
	}
}

// countDecodeError counts packets above the size limit apart.
func (c *Conn) countDecodeError(err error) {
	var e *mqtt.Error
	if errors.As(err, &e) && e.Code == mqtt.PacketTooLarge {
		c.srv.Metrics.MQTTInvalidMsgSizeError.For(c.level == mqtt.V5).Inc(1)
		return
	}
	c.srv.Metrics.SocketError.Inc(1)
}

// countFailed counts an UNSUBSCRIBE that was not done: malformed, out of place,
// too late, or not to be stored.
func (c *Conn) countFailed(t packet.Type) {
	if t == packet.TypeUnsubscribe {
		c.srv.Metrics.MQTTUnsubscribeError.For(c.level == mqtt.V5).Inc(1)
	}
}

// count adds what the machine has done to the metrics and returns its drops,
// which the caller reports without the lock. Called with the lock held.
func (c *Conn) count() (drops []session.Drop) {
	t := c.m.TakeTally()
	if t == nil {
		return nil
	}
	m, v5 := c.srv.Metrics, c.v5()
	plain := func(typ packet.Type, to *metric.Versioned) {
		if n := t.Sent[typ]; n > 0 {
			to.For(v5).Inc(int64(n))
		}
	}
	plain(packet.TypePublish, &m.MQTTPublishSent)
	plain(packet.TypeSuback, &m.MQTTSubackSent)
	plain(packet.TypeUnsuback, &m.MQTTUnsubackSent)
	plain(packet.TypePingresp, &m.MQTTPingrespSent)
	if n := t.Sent[packet.TypePublish]; n > 0 {
		m.QueueMessageOut.Inc(int64(n))
	}
	if t.Completed > 0 {
		m.CopiesCompleted.Inc(int64(t.Completed))
	}
	for _, x := range t.Codes {
		c.countCode(x)
		t.Sent[x.Type] -= min(t.Sent[x.Type], 1)
	}
	success := func(typ packet.Type, to *metric.Reasoned) {
		if n := t.Sent[typ]; n > 0 {
			to.ForVersion(v5, 0).Inc(int64(n))
		}
	}
	success(packet.TypePuback, &m.MQTTPubackSent)
	success(packet.TypePubrec, &m.MQTTPubrecSent)
	success(packet.TypePubrel, &m.MQTTPubrelSent)
	success(packet.TypePubcomp, &m.MQTTPubcompSent)
	if t.Unknowns > 0 {
		m.MQTTPubackInvalidError.For(v5).Inc(int64(t.Unknown[packet.TypePuback]))
		m.MQTTPubrecInvalidError.For(v5).Inc(int64(t.Unknown[packet.TypePubrec]))
		m.MQTTPubcompInvalidError.For(v5).Inc(int64(t.Unknown[packet.TypePubcomp]))
	}
	if len(t.Drops) > 0 {
		drops, t.Drops = t.Drops, nil
	}
	t.Free()
	return drops
}

// countCode counts one packet sent with a reason code.
func (c *Conn) countCode(x session.Coded) {
	m, code := c.srv.Metrics, uint8(x.Code)
	switch x.Type {
	case packet.TypeConnack:
		if c.v5() {
			m.MQTTConnackSent.For(code).Inc(1)
		} else {
			m.MQTTConnackSent.ForReturn(packet.ReturnCode(x.Code)).Inc(1)
		}
	case packet.TypePuback:
		m.MQTTPubackSent.ForVersion(c.v5(), code).Inc(1)
	case packet.TypePubrec:
		m.MQTTPubrecSent.ForVersion(c.v5(), code).Inc(1)
	case packet.TypePubrel:
		m.MQTTPubrelSent.ForVersion(c.v5(), code).Inc(1)
	case packet.TypePubcomp:
		m.MQTTPubcompSent.ForVersion(c.v5(), code).Inc(1)
	case packet.TypeDisconnect:
		m.MQTTDisconnectSent.For(code).Inc(1)
	case packet.TypeAuth:
		m.MQTTAuthSent.For(code).Inc(1)
	}
}

func (c *Conn) v5() bool { return c.m.Version() == mqtt.V5 }
