package dbtest

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Mongo is a small server that speaks as much of MongoDB's wire protocol as the
// library needs: hello, SCRAM-SHA-256, insert, find, getMore, update and delete,
// with equality and $in in selectors. Safe for concurrent use.
//
// Source: MongoDB wire protocol, OP_MSG; RFC 5802 and 7677 for SCRAM.
type Mongo struct {
	Port           int
	User, Password string
	TLS            *Certs // nil = none; set before Start

	t      *testing.T
	freeze sync.RWMutex // held for writing while frozen

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	docs     map[string][]bson.D // by database.collection
	cursors  map[int64][]bson.D  // what is left to fetch
	last     int64
	more     int // getMore commands so far
}

// NewMongo starts a server that ends with the test.
func NewMongo(t *testing.T) *Mongo {
	t.Helper()
	m := &Mongo{Port: Port(t), User: "lunemq", Password: password, t: t, conns: map[net.Conn]bool{}, docs: map[string][]bson.D{}, cursors: map[int64][]bson.D{}}
	m.Start()
	t.Cleanup(m.Stop)
	return m
}

// Start listens, again after Stop. Documents are kept.
func (m *Mongo) Start() {
	m.t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(m.Port)))
	if err != nil {
		m.t.Fatal(err)
	}
	if m.TLS != nil {
		pair, err := tls.LoadX509KeyPair(m.TLS.Cert, m.TLS.Key)
		if err != nil {
			m.t.Fatal(err)
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	m.mu.Lock()
	m.listener = l
	m.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.conns[c] = true
			m.mu.Unlock()
			go m.serve(c)
		}
	}()
}

// Stop closes the listener and all connections.
func (m *Mongo) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.listener.Close()
	for c := range m.conns {
		_ = c.Close()
	}
	clear(m.conns)
}

// Freeze has the server answer nothing, until Thaw.
func (m *Mongo) Freeze() { m.freeze.Lock() }

// Thaw ends Freeze.
func (m *Mongo) Thaw() { m.freeze.Unlock() }

// Fetched returns how many getMore commands there were.
func (m *Mongo) Fetched() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.more
}

// Opcodes and flags of the wire protocol.
const (
	opReply, opQuery, opMsg = 1, 2004, 2013
	moreToCome              = 2
	maxMessage              = 48 << 20
)

func (m *Mongo) serve(c net.Conn) {
	defer c.Close()
	login := &scram{user: m.User, password: m.Password}
	for {
		var head [16]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		size := binary.LittleEndian.Uint32(head[:])
		if size < 16 || size > maxMessage {
			return
		}
		body := make([]byte, size-16)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		op := int(binary.LittleEndian.Uint32(head[12:]))
		command, silent, err := parseMessage(op, body)
		if err != nil {
			return
		}
		m.freeze.RLock()
		answer := m.answer(login, command)
		m.freeze.RUnlock()
		if silent {
			continue
		}
		if _, err := c.Write(frame(op, binary.LittleEndian.Uint32(head[4:]), answer)); err != nil {
			return
		}
	}
}

// parseMessage returns a command; sequences of documents become arrays in it.
func parseMessage(op int, body []byte) (command bson.D, silent bool, err error) {
	document := func(into *bson.D) error {
		if len(body) < 4 {
			return io.ErrUnexpectedEOF
		}
		n := int(binary.LittleEndian.Uint32(body))
		if n > len(body) {
			return io.ErrUnexpectedEOF
		}
		err := bson.Unmarshal(body[:n], into)
		body = body[n:]
		return err
	}
	text := func() string {
		for i, b := range body {
			if b == 0 {
				s := string(body[:i])
				body = body[i+1:]
				return s
			}
		}
		return ""
	}
	if len(body) < 4 {
		return nil, false, io.ErrUnexpectedEOF
	}
	flags := binary.LittleEndian.Uint32(body)
	body = body[4:]
	switch op {
	case opQuery:
		text()
		body = body[8:] // skip and number to return
		return command, false, document(&command)
	case opMsg:
	default:
		return nil, false, errors.New("unknown opcode")
	}
	for len(body) > 4 { // what is left may be a checksum
		kind := body[0]
		body = body[1:]
		if kind == 0 {
			if err := document(&command); err != nil {
				return nil, false, err
			}
			continue
		}
		size := int(binary.LittleEndian.Uint32(body))
		end := len(body) - size
		body = body[4:]
		name, list := text(), bson.A{}
		for len(body) > end {
			var d bson.D
			if err := document(&d); err != nil {
				return nil, false, err
			}
			list = append(list, d)
		}
		command = append(command, bson.E{Key: name, Value: list})
	}
	return command, flags&moreToCome != 0, nil
}

// frame makes a message of an answer.
func frame(op int, to uint32, answer bson.D) []byte {
	doc, err := bson.Marshal(answer)
	if err != nil {
		panic(err)
	}
	out := make([]byte, 16, 64+len(doc))
	if op == opQuery {
		binary.LittleEndian.PutUint32(out[12:], opReply)
		out = append(out, 8, 0, 0, 0) // flags
		out = append(out, make([]byte, 12)...)
		out = append(out, 1, 0, 0, 0) // documents
	} else {
		binary.LittleEndian.PutUint32(out[12:], opMsg)
		out = append(out, 0, 0, 0, 0, 0) // flags, kind of section
	}
	out = append(out, doc...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)))
	binary.LittleEndian.PutUint32(out[8:], to)
	return out
}
