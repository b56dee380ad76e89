package brokertest

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// Patience is how long a client waits for a packet.
const Patience = 10 * time.Second

// Client speaks MQTT packet by packet. Owned by one goroutine.
type Client struct {
	t   testing.TB
	nc  net.Conn
	dec packet.Decoder
	in  []byte
	buf []byte
	out []byte
	id  uint16
	// later holds packets that came while another was waited for.
	later []packet.Packet
}

// NewClient wraps a network connection.
func NewClient(t testing.TB, nc net.Conn, v mqtt.Version) *Client {
	return &Client{t: t, nc: nc, dec: packet.Decoder{Version: v}}
}

// Connect dials and sends c; the version is 5.0 unless c says otherwise. It
// returns the client and the CONNACK.
func (b *Broker) Connect(c packet.Connect) (*Client, *packet.Connack) {
	b.t.Helper()
	if c.Version == 0 {
		c.Version = mqtt.V5
	}
	x := NewClient(b.t, b.Dial(), c.Version)
	x.Send(&c)
	return x, Next[*packet.Connack](x)
}

// Version returns the client's protocol version.
func (c *Client) Version() mqtt.Version { return c.dec.Version }

// Send writes packets.
func (c *Client) Send(ps ...packet.Packet) {
	c.t.Helper()
	c.out = c.out[:0]
	for _, p := range ps {
		c.out = p.Append(c.out, c.dec.Version)
	}
	if _, err := c.nc.Write(c.out); err != nil {
		c.t.Fatalf("send %s: %v", ps[0].Type(), err)
	}
}

// Raw writes bytes as they are.
func (c *Client) Raw(p []byte) {
	c.t.Helper()
	if _, err := c.nc.Write(p); err != nil {
		c.t.Fatalf("send % x: %v", p, err)
	}
}

// Receive returns the next packet, or the error of the connection: io.EOF when
// the broker closed it.
func (c *Client) Receive() (packet.Packet, error) {
	if len(c.later) > 0 {
		p := c.later[0]
		c.later = c.later[1:]
		return p, nil
	}
	return c.read()
}

// Await returns the next packet of type P; others that come before stay for
// Receive.
func Await[P packet.Packet](c *Client) P {
	c.t.Helper()
	for {
		p, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for %T: %v", *new(P), err)
		}
		if x, ok := p.(P); ok {
			return x
		}
		c.later = append(c.later, p)
	}
}

func (c *Client) read() (packet.Packet, error) { return c.readFor(Patience) }

// Silent checks that nothing comes within d.
func (c *Client) Silent(d time.Duration) {
	c.t.Helper()
	if p, err := c.readFor(d); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("got %+v %v, want silence", p, err)
	}
}

func (c *Client) readFor(d time.Duration) (packet.Packet, error) {
	_ = c.nc.SetReadDeadline(time.Now().Add(d))
	for {
		p, n, err := c.dec.Decode(c.in)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			p = own(p)
			c.in = append(c.in[:0], c.in[n:]...)
			return p, nil
		}
		if c.buf == nil {
			c.buf = make([]byte, 16<<10)
		}
		k, err := c.nc.Read(c.buf)
		c.in = append(c.in, c.buf[:k]...)
		if err != nil && k == 0 {
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				return nil, err
			}
			return nil, io.EOF
		}
	}
}

// own returns a packet whose memory the decoder does not use again.
func own(p packet.Packet) packet.Packet {
	switch p := p.(type) {
	case *packet.Publish:
		q := *p
		q.Topic = string(append([]byte(nil), p.Topic...))
		q.Payload = append([]byte(nil), p.Payload...)
		q.Properties = append([]byte(nil), p.Properties...)
		q.SubscriptionIDs = append([]uint32(nil), p.SubscriptionIDs...)
		return &q
	case *packet.Puback:
		return &packet.Puback{Ack: p.Ack}
	case *packet.Pubrec:
		return &packet.Pubrec{Ack: p.Ack}
	case *packet.Pubrel:
		return &packet.Pubrel{Ack: p.Ack}
	case *packet.Pubcomp:
		return &packet.Pubcomp{Ack: p.Ack}
	}
	return p
}

// Next returns the next packet, which must be of type P.
func Next[P packet.Packet](c *Client) P {
	c.t.Helper()
	p, err := c.Receive()
	if err != nil {
		c.t.Fatalf("waiting for %T: %v", *new(P), err)
	}
	x, ok := p.(P)
	if !ok {
		c.t.Fatalf("got %s %+v, want %T", p.Type(), p, *new(P))
	}
	return x
}

// Ended waits until the broker closes the connection and returns the
// DISCONNECT it sent before, if any. Other packets are passed over.
func (c *Client) Ended() *packet.Disconnect {
	c.t.Helper()
	var last *packet.Disconnect
	for {
		p, err := c.Receive()
		if errors.Is(err, io.EOF) {
			return last
		}
		if err != nil {
			c.t.Fatalf("waiting for the end: %v", err)
		}
		if d, ok := p.(*packet.Disconnect); ok {
			last = d
		}
	}
}

// Quiet checks that nothing is on its way to the client: whatever was sent
// before a PINGREQ is answered before it.
func (c *Client) Quiet() {
	c.t.Helper()
	c.Send(&packet.Pingreq{})
	if p, err := c.Receive(); err != nil || p.Type() != packet.TypePingresp {
		c.t.Fatalf("got %v %+v, want silence", err, p)
	}
}

// Subscribe makes subscriptions and returns the SUBACK's codes.
func (c *Client) Subscribe(q mqtt.QoS, filters ...string) []mqtt.ReasonCode {
	c.t.Helper()
	c.id++
	p := &packet.Subscribe{PacketID: c.id}
	for _, f := range filters {
		p.Topics = append(p.Topics, packet.TopicFilter{Filter: f, QoS: q})
	}
	c.Send(p)
	ack := Await[*packet.Suback](c)
	if ack.PacketID != c.id {
		c.t.Fatalf("SUBACK for %d, want %d", ack.PacketID, c.id)
	}
	return ack.Codes
}

// Publish publishes and takes the handshake to its end.
func (c *Client) Publish(p packet.Publish) mqtt.ReasonCode {
	c.t.Helper()
	if p.QoS > 0 && p.PacketID == 0 {
		c.id++
		p.PacketID = c.id
	}
	c.Send(&p)
	switch p.QoS {
	case mqtt.AtLeastOnce:
		return Await[*packet.Puback](c).Code
	case mqtt.ExactlyOnce:
		rec := Await[*packet.Pubrec](c)
		if !rec.Code.IsError() {
			c.Send(&packet.Pubrel{Ack: packet.Ack{PacketID: p.PacketID}})
			Await[*packet.Pubcomp](c)
		}
		return rec.Code
	}
	return mqtt.Success
}

// Take receives one PUBLISH and takes its handshake to the end.
func (c *Client) Take() *packet.Publish {
	c.t.Helper()
	p := Next[*packet.Publish](c)
	switch p.QoS {
	case mqtt.AtLeastOnce:
		c.Send(&packet.Puback{Ack: packet.Ack{PacketID: p.PacketID}})
	case mqtt.ExactlyOnce:
		c.Send(&packet.Pubrec{Ack: packet.Ack{PacketID: p.PacketID}})
		Await[*packet.Pubrel](c)
		c.Send(&packet.Pubcomp{Ack: packet.Ack{PacketID: p.PacketID}})
	}
	return p
}

// Close drops the network connection without a goodbye.
func (c *Client) Close() { _ = c.nc.Close() }
