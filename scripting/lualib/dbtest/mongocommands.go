package dbtest

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// get returns a field of a document, nil if there is none.
func get(d bson.D, name string) any {
	for _, e := range d {
		if e.Key == name {
			return e.Value
		}
	}
	return nil
}

func failure(code int, text string) bson.D {
	return bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: code}, {Key: "errmsg", Value: text}}
}

var fine = bson.D{{Key: "ok", Value: 1}}

// answer carries a command out.
func (m *Mongo) answer(login *scram, c bson.D) bson.D {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := c[0].Key
	switch strings.ToLower(name) {
	case "hello", "ismaster":
		return append(bson.D{{Key: "ismaster", Value: true}, {Key: "isWritablePrimary", Value: true}, {Key: "helloOk", Value: true},
			{Key: "maxBsonObjectSize", Value: 16 << 20}, {Key: "maxMessageSizeBytes", Value: maxMessage}, {Key: "maxWriteBatchSize", Value: 1000},
			{Key: "minWireVersion", Value: 0}, {Key: "maxWireVersion", Value: 21}, {Key: "saslSupportedMechs", Value: bson.A{"SCRAM-SHA-256"}}}, fine...)
	case "saslstart", "saslcontinue":
		return login.step(c)
	case "ping", "endsessions":
		return fine
	}
	if !login.done {
		return failure(13, "command "+name+" requires authentication")
	}
	space := fmt.Sprint(get(c, "$db"), ".", c[0].Value)
	switch name {
	case "insert":
		list := get(c, "documents").(bson.A)
		for _, d := range list {
			m.docs[space] = append(m.docs[space], d.(bson.D))
		}
		return append(bson.D{{Key: "n", Value: len(list)}}, fine...)
	case "find":
		return m.find(space, c)
	case "getMore":
		m.more++
		return m.batch(c[0].Value.(int64), fmt.Sprint(get(c, "$db"), ".", get(c, "collection")), "nextBatch", number(get(c, "batchSize")))
	case "killCursors":
		for _, id := range get(c, "cursors").(bson.A) {
			delete(m.cursors, id.(int64))
		}
		return fine
	case "update", "delete":
		return m.change(space, c)
	}
	return failure(59, "no such command: "+name)
}

func number(v any) int {
	switch n := v.(type) {
	case int32:
		return int(n)
	case int64:
		return int(n)
	}
	return 0
}

func (m *Mongo) find(space string, c bson.D) bson.D {
	filter, _ := get(c, "filter").(bson.D)
	projection, _ := get(c, "projection").(bson.D)
	var found []bson.D
	for _, d := range m.docs[space] {
		if matches(d, filter) {
			found = append(found, project(d, projection))
		}
	}
	found = found[min(number(get(c, "skip")), len(found)):]
	if limit := number(get(c, "limit")); limit > 0 {
		found = found[:min(limit, len(found))]
	}
	m.last++
	m.cursors[m.last] = found
	return m.batch(m.last, space, "firstBatch", number(get(c, "batchSize")))
}

// batch returns the next documents of a cursor; its end has the identifier 0.
func (m *Mongo) batch(id int64, space, field string, n int) bson.D {
	left, known := m.cursors[id]
	if !known {
		return failure(43, "cursor not found")
	}
	if n == 0 || n >= len(left) {
		n = len(left)
		delete(m.cursors, id)
	} else {
		m.cursors[id] = left[n:]
	}
	if _, open := m.cursors[id]; !open {
		id = 0
	}
	batch := bson.A{}
	for _, d := range left[:n] {
		batch = append(batch, d)
	}
	return append(bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: space}, {Key: field, Value: batch}}}}, fine...)
}

// matches compares fields; numbers of different types are equal if their values
// are.
func matches(d, filter bson.D) bool {
	for _, f := range filter {
		have := get(d, f.Key)
		choice := bson.A{f.Value}
		if op, ok := f.Value.(bson.D); ok && len(op) == 1 && op[0].Key == "$in" {
			choice = op[0].Value.(bson.A)
		}
		hit := false
		for _, want := range choice {
			hit = hit || fmt.Sprintf("%v", want) == fmt.Sprintf("%v", have)
		}
		if !hit {
			return false
		}
	}
	return true
}

// project keeps the fields that a projection names, or leaves those out that
// are false or 0 in it.
func project(d, projection bson.D) bson.D {
	if len(projection) == 0 {
		return d
	}
	no := func(v any) bool { return v == false || v == int64(0) || v == int32(0) }
	leaves := no(projection[0].Value)
	out := bson.D{}
	for _, e := range d {
		v := get(projection, e.Key)
		if leaves && !(v != nil && no(v)) || !leaves && (v != nil || e.Key == "_id") {
			out = append(out, e)
		}
	}
	return out
}

// change is update with $set, and delete.
func (m *Mongo) change(space string, c bson.D) bson.D {
	list, _ := get(c, "updates").(bson.A)
	if list == nil {
		list, _ = get(c, "deletes").(bson.A)
	}
	n := 0
	for _, one := range list {
		q, _ := get(one.(bson.D), "q").(bson.D)
		u, _ := get(one.(bson.D), "u").(bson.D)
		var kept []bson.D
		for _, d := range m.docs[space] {
			if !matches(d, q) {
				kept = append(kept, d)
				continue
			}
			n++
			if u != nil {
				kept = append(kept, set(d, get(u, "$set").(bson.D)))
			}
		}
		m.docs[space] = kept
	}
	return append(bson.D{{Key: "n", Value: n}, {Key: "nModified", Value: n}}, fine...)
}

func set(d, changes bson.D) bson.D {
	out := append(bson.D{}, d...)
next:
	for _, c := range changes {
		for i := range out {
			if out[i].Key == c.Key {
				out[i].Value = c.Value
				continue next
			}
		}
		out = append(out, c)
	}
	return out
}

// scram is the server's side of one login. Owned by its connection.
type scram struct {
	user, password    string
	bare, first, salt string
	done              bool
}

const iterations = 4096

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (s *scram) step(c bson.D) bson.D {
	payload := string(get(c, "payload").(bson.Binary).Data)
	reply := func(text string, done bool) bson.D {
		return append(bson.D{{Key: "conversationId", Value: 1}, {Key: "done", Value: done}, {Key: "payload", Value: bson.Binary{Data: []byte(text)}}}, fine...)
	}
	field := func(name string) string {
		for f := range strings.SplitSeq(payload, ",") {
			if v, ok := strings.CutPrefix(f, name+"="); ok {
				return v
			}
		}
		return ""
	}
	if c[0].Key == "saslStart" {
		s.bare, s.salt = strings.TrimPrefix(payload, "n,,"), rand.Text()
		s.first = fmt.Sprintf("r=%s%s,s=%s,i=%d", field("r"), rand.Text(), base64.StdEncoding.EncodeToString([]byte(s.salt)), iterations)
		if field("n") != s.user {
			return failure(18, "Authentication failed.")
		}
		return reply(s.first, false)
	}
	if s.done {
		return reply("", true)
	}
	salted, err := pbkdf2.Key(sha256.New, s.password, []byte(s.salt), iterations, 32)
	if err != nil {
		return failure(18, err.Error())
	}
	without, _, _ := strings.Cut(payload, ",p=")
	message := s.bare + "," + s.first + "," + without
	key := mac(salted, "Client Key")
	stored := sha256.Sum256(key)
	signature := mac(stored[:], message)
	proof, _ := base64.StdEncoding.DecodeString(field("p"))
	for i := range proof {
		if i >= len(signature) || proof[i]^signature[i] != key[i] {
			return failure(18, "Authentication failed.")
		}
	}
	if len(proof) != len(key) {
		return failure(18, "Authentication failed.")
	}
	s.done = true
	return reply("v="+base64.StdEncoding.EncodeToString(mac(mac(salted, "Server Key"), message)), true)
}
