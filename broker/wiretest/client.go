package wiretest

import (
	"fmt"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// client is one network connection of a script. Owned by the script's
// goroutine.
type client struct {
	name    string
	version mqtt.Version
	pipe    *pipe
	dec     packet.Decoder
	in      []byte
	out     []byte // to be sent in one piece
	auto    bool   // acknowledges by itself
	quiet   bool   // what it receives is not printed
	dropped bool   // the script closed it
	closed  bool   // by the broker
	told    bool   // the script knows
}

// live reports whether the connection is open on both sides.
func (c *client) live() bool { return !c.dropped && !c.closed }

// send puts a packet behind those of the same piece.
func (c *client) send(p packet.Packet) { c.out = p.Append(c.out, c.version) }

// flush sends what was put together and reports whether there was anything.
func (c *client) flush() bool {
	if len(c.out) == 0 || !c.live() {
		c.out = nil
		return false
	}
	c.pipe.feed(c.out)
	c.out = nil
	return true
}

// received prints the packets that have come, and answers them if the client
// does so by itself.
func (c *client) received() (lines []string) {
	b, closed := c.pipe.take()
	c.closed = c.closed || closed && !c.dropped
	if c.dropped {
		return nil
	}
	c.in = append(c.in, b...)
	for {
		p, n, err := c.dec.Decode(c.in)
		if err != nil {
			lines = append(lines, fmt.Sprintf("% x (%v)", c.in, err))
			c.in = nil
			return lines
		}
		if n == 0 {
			return lines
		}
		if !c.quiet {
			lines = append(lines, show(p, c.version))
		}
		if c.auto {
			c.answer(p)
		}
		c.in = append([]byte(nil), c.in[n:]...)
	}
}

// answer acknowledges a packet.
func (c *client) answer(p packet.Packet) {
	switch p := p.(type) {
	case *packet.Publish:
		switch p.QoS {
		case mqtt.AtLeastOnce:
			c.send(&packet.Puback{Ack: packet.Ack{PacketID: p.PacketID}})
		case mqtt.ExactlyOnce:
			c.send(&packet.Pubrec{Ack: packet.Ack{PacketID: p.PacketID}})
		}
	case *packet.Pubrec:
		if !p.Code.IsError() {
			c.send(&packet.Pubrel{Ack: packet.Ack{PacketID: p.PacketID}})
		}
	case *packet.Pubrel:
		c.send(&packet.Pubcomp{Ack: packet.Ack{PacketID: p.PacketID}})
	}
}
