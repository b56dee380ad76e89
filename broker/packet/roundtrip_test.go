package packet

import (
	"fmt"
	"math/rand"
	"reflect"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// generator makes random valid packets, filled with what the version has.
type generator struct{ *rand.Rand }

func newGenerator(seed int64) generator { return generator{rand.New(rand.NewSource(seed))} }

func (g generator) yes() bool { return g.Intn(2) == 0 }

func (g generator) text(min int) string {
	letters := []rune("abc/é€𝄞 \ufeff\x01")
	s := make([]rune, min+g.Intn(8))
	for i := range s {
		s[i] = letters[g.Intn(len(letters))]
	}
	if g.Intn(50) == 0 {
		return fmt.Sprintf("%0*d", 100+g.Intn(60000), 7)
	}
	return string(s)
}

// bytes may be empty but is never nil, like decoded fields that are there.
func (g generator) bytes() []byte {
	b := make([]byte, g.Intn(20))
	g.Read(b)
	return b
}

func (g generator) maybe() string {
	if g.yes() {
		return g.text(1)
	}
	return ""
}

func (g generator) user() (u []mqtt.UserProperty) {
	for range g.Intn(4) {
		u = append(u, mqtt.UserProperty{Key: g.text(0), Value: g.text(0)})
	}
	return u
}

func (g generator) id() uint16    { return uint16(1 + g.Intn(65535)) }
func (g generator) qos() mqtt.QoS { return mqtt.QoS(g.Intn(3)) }
func (g generator) subID() uint32 { return uint32(1 + g.Intn(MaxRemaining)) }
func (g generator) small() []int  { return make([]int, 1+g.Intn(4)) }
func (g generator) opt16() uint16 { return uint16(g.Intn(2) * g.Intn(65536)) }
func (g generator) opt32() uint32 { return uint32(g.Intn(2)) * g.Uint32() }

// code returns a reason code that t may carry.
func (g generator) code(t Type) mqtt.ReasonCode {
	for {
		if c := mqtt.ReasonCode(g.Intn(256)); reasons[c]&in(t) != 0 {
			return c
		}
	}
}

func (g generator) message() []byte {
	m := MessageProperties{UserProperties: g.user()}
	if m.HasPayloadFormat = g.yes(); m.HasPayloadFormat {
		m.PayloadFormat = uint8(g.Intn(2))
	}
	if m.HasContentType = g.yes(); m.HasContentType {
		m.ContentType = g.text(0)
	}
	if m.HasResponseTopic = g.yes(); m.HasResponseTopic {
		m.ResponseTopic = g.text(1)
	}
	if m.HasCorrelationData = g.yes(); m.HasCorrelationData {
		m.CorrelationData = g.bytes()
	}
	return m.Append(nil)
}

func (g generator) connect(v mqtt.Version) *Connect {
	c := &Connect{Version: v, Bridge: v < v5 && g.yes(), CleanStart: g.yes(), KeepAlive: uint16(g.Intn(65536)),
		ClientID: g.text(0), HasUsername: g.yes()}
	if c.HasUsername {
		c.Username = g.text(0)
	}
	if (c.HasUsername || v == v5) && g.yes() {
		c.HasPassword, c.Password = true, g.bytes()
	}
	if g.yes() {
		c.Will = &Will{QoS: g.qos(), Retain: g.yes(), Topic: g.text(1), Payload: g.bytes()}
	}
	if v < v5 {
		return c
	}
	if w := c.Will; w != nil {
		w.Delay, w.HasMessageExpiry, w.Properties = g.opt32(), g.yes(), g.message()
		if w.HasMessageExpiry {
			w.MessageExpiry = g.opt32()
		}
	}
	if c.HasSessionExpiry = g.yes(); c.HasSessionExpiry {
		c.SessionExpiry = g.opt32()
	}
	c.ReceiveMaximum, c.MaximumPacketSize, c.TopicAliasMaximum = g.opt16(), g.opt32(), g.opt16()
	c.RequestResponseInfo, c.NoProblemInfo, c.AuthMethod, c.UserProperties = g.yes(), g.yes(), g.maybe(), g.user()
	c.HasTopicAliasMaximum = c.TopicAliasMaximum != 0 || g.yes()
	c.HasRequestResponseInfo, c.HasRequestProblemInfo = c.RequestResponseInfo || g.yes(), c.NoProblemInfo || g.yes()
	if c.AuthMethod != "" && g.yes() {
		c.AuthData = g.bytes()
	}
	return c
}

func (g generator) connack(v mqtt.Version) *Connack {
	if v < v5 {
		c := &Connack{Code: returnCodes[g.Intn(len(returnCodes))]}
		c.SessionPresent = v == v311 && c.Code == 0 && g.yes()
		return c
	}
	c := &Connack{Code: g.code(TypeConnack), ReceiveMaximum: g.opt16(), RetainUnavailable: g.yes(),
		WildcardUnavailable: g.yes(), SubIDsUnavailable: g.yes(), SharedUnavailable: g.yes(), MaximumPacketSize: g.opt32(),
		AssignedClientID: g.maybe(), TopicAliasMaximum: g.opt16(), ReasonString: g.maybe(), UserProperties: g.user(),
		ResponseInfo: g.maybe(), ServerReference: g.maybe(), AuthMethod: g.maybe()}
	c.SessionPresent = c.Code == 0 && g.yes()
	if c.HasSessionExpiry = g.yes(); c.HasSessionExpiry {
		c.SessionExpiry = g.opt32()
	}
	if c.HasMaximumQoS = g.yes(); c.HasMaximumQoS {
		c.MaximumQoS = mqtt.QoS(g.Intn(2))
	}
	if c.HasServerKeepAlive = g.yes(); c.HasServerKeepAlive {
		c.ServerKeepAlive = g.opt16()
	}
	if g.yes() {
		c.AuthData = g.bytes()
	}
	return c
}

func (g generator) publish(v mqtt.Version) *Publish {
	p := &Publish{QoS: g.qos(), Retain: g.yes(), Topic: g.text(0), Payload: g.bytes()}
	if p.QoS > 0 {
		p.Dup, p.PacketID = g.yes(), g.id()
	}
	if v < v5 {
		return p
	}
	if p.HasTopicAlias = g.yes(); p.HasTopicAlias {
		p.TopicAlias = g.opt16()
	}
	if p.HasMessageExpiry = g.yes(); p.HasMessageExpiry {
		p.MessageExpiry = g.opt32()
	}
	for range g.Intn(4) {
		p.SubscriptionIDs = append(p.SubscriptionIDs, g.subID())
	}
	p.Properties = g.message()
	return p
}

func (g generator) ack(v mqtt.Version, t Type) Ack {
	a := Ack{PacketID: g.id()}
	if v >= v5 {
		a.Code = g.code(t)
		if g.yes() {
			a.ReasonString, a.UserProperties = g.maybe(), g.user()
		}
	}
	return a
}

func (g generator) subscribe(v mqtt.Version) *Subscribe {
	s := &Subscribe{PacketID: g.id()}
	for range g.small() {
		s.Topics = append(s.Topics, TopicFilter{Filter: g.text(0), QoS: g.qos()})
	}
	if v < v5 {
		return s
	}
	for i := range s.Topics {
		s.Topics[i].NoLocal, s.Topics[i].RetainAsPublished = g.yes(), g.yes()
		s.Topics[i].RetainHandling = mqtt.RetainHandling(g.Intn(3))
	}
	if g.yes() {
		s.SubscriptionID = g.subID()
	}
	s.UserProperties = g.user()
	return s
}

func (g generator) suback(v mqtt.Version) *Suback {
	s := &Suback{PacketID: g.id()}
	for range g.small() {
		c := []mqtt.ReasonCode{0, 1, 2, 0x80}[g.Intn(4)]
		if v >= v5 {
			c = g.code(TypeSuback)
		}
		s.Codes = append(s.Codes, c)
	}
	if v >= v5 {
		s.ReasonString, s.UserProperties = g.maybe(), g.user()
	}
	return s
}

func (g generator) unsubscribe(v mqtt.Version) *Unsubscribe {
	u := &Unsubscribe{PacketID: g.id()}
	for range g.small() {
		u.Filters = append(u.Filters, g.text(0))
	}
	if v >= v5 {
		u.UserProperties = g.user()
	}
	return u
}

func (g generator) unsuback(v mqtt.Version) *Unsuback {
	u := &Unsuback{PacketID: g.id()}
	if v < v5 {
		return u
	}
	for range g.small() {
		u.Codes = append(u.Codes, g.code(TypeUnsuback))
	}
	u.ReasonString, u.UserProperties = g.maybe(), g.user()
	return u
}

func (g generator) disconnect(v mqtt.Version) *Disconnect {
	d := &Disconnect{}
	if v < v5 || g.Intn(4) == 0 {
		return d
	}
	d.Code = g.code(TypeDisconnect)
	if g.Intn(4) == 0 {
		return d
	}
	d.ReasonString, d.ServerReference, d.UserProperties = g.maybe(), g.maybe(), g.user()
	if d.HasSessionExpiry = g.yes(); d.HasSessionExpiry {
		d.SessionExpiry = g.opt32()
	}
	return d
}

func (g generator) auth() *Auth {
	a := &Auth{Code: g.code(TypeAuth), Method: g.text(0), HasMethod: true, ReasonString: g.maybe(), UserProperties: g.user()}
	if g.yes() {
		a.Data = g.bytes()
	}
	return a
}

// packets returns n packets of random types.
func (g generator) packets(v mqtt.Version, n int) (all []Packet) {
	types := 14
	if v >= v5 {
		types = 15
	}
	for range n {
		all = append(all, g.packet(v, Type(1+g.Intn(types))))
	}
	return all
}

func (g generator) packet(v mqtt.Version, t Type) Packet {
	switch t {
	case TypeConnect:
		return g.connect(v)
	case TypeConnack:
		return g.connack(v)
	case TypePublish:
		return g.publish(v)
	case TypePuback:
		return &Puback{g.ack(v, t)}
	case TypePubrec:
		return &Pubrec{g.ack(v, t)}
	case TypePubrel:
		return &Pubrel{g.ack(v, t)}
	case TypePubcomp:
		return &Pubcomp{g.ack(v, t)}
	case TypeSubscribe:
		return g.subscribe(v)
	case TypeSuback:
		return g.suback(v)
	case TypeUnsubscribe:
		return g.unsubscribe(v)
	case TypeUnsuback:
		return g.unsuback(v)
	case TypePingreq:
		return &Pingreq{}
	case TypePingresp:
		return &Pingresp{}
	case TypeDisconnect:
		return g.disconnect(v)
	}
	return g.auth()
}

// Every packet comes back as it was, has the size it said and leaves what was
// in dst alone.
func TestRoundTrip(t *testing.T) {
	for _, v := range []mqtt.Version{v31, v311, v5} {
		d := Decoder{Version: v}
		for seed := range int64(20) {
			for _, want := range newGenerator(seed).packets(v, 150) {
				p := want.Append([]byte("before"), v)
				if string(p[:6]) != "before" || p[6]>>4 != byte(want.Type()) {
					t.Fatalf("%v Append(%+v) = % x", v, want, p)
				}
				p = p[6:]
				got, n, err := d.Decode(append(p, 0xFF, 0xFF))
				if err != nil || n != len(p) || !reflect.DeepEqual(got, want) {
					t.Fatalf("%v seed %d: % x: got %+v, %d, %v, want %+v", v, seed, p, got, n, err, want)
				}
				if s, ok := want.(interface{ Size(mqtt.Version) int }); ok && s.Size(v) != len(p) {
					t.Fatalf("%v %+v: Size = %d, want %d", v, want, s.Size(v), len(p))
				}
			}
		}
	}
}
