package store

import (
	"errors"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Session is the record of a durable session: all that outlives a connection
// except its messages and packet identifiers.
type Session struct {
	Key           mqtt.SessionKey
	Username      string
	Subscriptions []mqtt.Subscription // as read; PutSession ignores them, see Batch.AddSession
	Expiry        time.Duration       // session expiry interval; Forever = never
	Offline       time.Time           // when the connection ended; zero while connected
	Will          *mqtt.Will          // delayed will still to be published, nil = none
	WillDue       time.Time
}

// Forever is the session expiry interval that never ends.
const Forever = time.Duration(1<<63 - 1)

// Entry is one message of a session's queue as kept on disk.
type Entry struct {
	mqtt.Queued
	PacketID uint16 // stored identifier of a message in flight, 0 = not sent, or QoS 1 and perhaps sent
	Released bool   // PUBREC was received: PUBREL is to be repeated, not PUBLISH
}

// OpKind says what an Op does.
type OpKind uint8

// Kinds of Op, with the fields each uses beside Key.
const (
	PutSession         OpKind = iota + 1 // Session, without its Subscriptions: these stay as they are
	DeleteSession                        // and all its subscriptions, entries and identifiers
	PutSubscription                      // Subscription: made, or changed if the session has one to its Filter and ShareName
	DeleteSubscription                   // Subscription (Filter, ShareName)
	Append                               // Entry; ignored if its number is in the queue
	Assign                               // Entry.Number, Entry.PacketID: the message is in flight under this identifier
	Release                              // Entry.Number: PUBREC received; Entry.PacketID, 0 = as assigned
	Complete                             // Entry.Number: acknowledged or dropped
	PutInbound                           // PacketID: an inbound QoS 2 message was accepted
	DropInbound                          // PacketID: its PUBREL was received
	PutRetained                          // Message
	DropRetained                         // Message (Mountpoint, Topic)
)

// Op is one change.
type Op struct {
	Kind OpKind
	// Lazy says that no promise rests on this change, whatever Batch.Sync says:
	// a store with too little space left takes it although it refuses the rest.
	Lazy     bool
	Key      mqtt.SessionKey
	Session  *Session
	Entry    Entry
	PacketID uint16
	Message  *mqtt.Message
	// Subscription is not changed while the store may need it, that is until
	// done is called.
	Subscription *mqtt.Subscription
}

// Batch collects changes that are committed together. Owned by whoever builds
// it until Commit; the zero value is empty.
type Batch struct {
	Ops []Op
	// Sync says that a promise to a client rests on this batch: done is called
	// only when it is in stable storage.
	Sync bool

	ticket *mqtt.Ticket
}

// Ticket is that of messages whose Append is in the batch.
func (b *Batch) Ticket() *mqtt.Ticket {
	if b.ticket == nil {
		b.ticket = new(mqtt.Ticket)
	}
	return b.ticket
}

// Submit commits the batch and lets go of what its ticket holds. Whoever waits
// for messages behind the ticket is to be flushed afterwards.
func (b *Batch) Submit(c Committer, done func(error)) {
	t := b.ticket
	if t == nil {
		c.Commit(b, done)
		return
	}
	b.ticket = nil
	c.Commit(b, func(err error) {
		t.Submitted() // before anybody is told, if the store is that quick
		t.Settled()
		done(err)
	})
	t.Submitted()
}

// Add appends one change.
func (b *Batch) Add(op Op) { b.Ops = append(b.Ops, op) }

// AddSession appends a session's record and all its subscriptions.
func (b *Batch) AddSession(r *Session) {
	b.Add(Op{Kind: PutSession, Key: r.Key, Session: r})
	for i := range r.Subscriptions {
		b.Add(Op{Kind: PutSubscription, Key: r.Key, Subscription: &r.Subscriptions[i]})
	}
}

// Empty reports whether there is nothing to commit.
func (b *Batch) Empty() bool { return len(b.Ops) == 0 }

// Reset empties the batch for reuse and forgets its references.
func (b *Batch) Reset() {
	clear(b.Ops)
	b.Ops, b.Sync = b.Ops[:0], false
}

// ErrFull is the error of a commit refused because too little space is left.
var ErrFull = errors.New("store: too little disk space is left (min_free_disk)")

// Committer makes batches permanent, in the order of the calls.
type Committer interface {
	// Commit takes the changes of b (b may be reset when it returns) and calls
	// done exactly once, perhaps before it returns and from any goroutine,
	// with nil when they are in force (in stable storage if b.Sync) or with
	// the error that prevented it; then none of them is, unless the store
	// itself failed: then only opening it again tells. done functions are
	// called in the order of Commit while the store works, must not block, and
	// may commit. Commit does not wait for the disk, but may wait while too
	// many bytes of other batches are ahead of it. Ops of a session that is not
	// in the store, and those of an entry that is not in its queue, are ignored.
	Commit(b *Batch, done func(error))
	// Refuses returns the error that keeps a batch with Sync from being
	// committed at present, nil if none is known; Commit may fail even so.
	// grows says that the batch stores something new. It is asked for each
	// message, before what cannot be taken back: it loads an atomic value or
	// two and does not wait.
	Refuses(grows bool) error
}

// Reader reads what was committed. It may block for the disk.
type Reader interface {
	// Sessions calls f for each durable session, with its subscriptions in no
	// order, until f returns false.
	Sessions(f func(*Session) bool) error
	// Queue calls f for the entries of one session in the order of Number,
	// beginning behind after, until f returns false. It ends with inbound
	// QoS 2 identifiers in no order.
	Queue(key mqtt.SessionKey, after uint64, f func(Entry) bool) (inbound []uint16, err error)
	// Retained calls f for each retained message until f returns false.
	Retained(f func(*mqtt.Message) bool) error
}

// QueueReader reads one session's queue from its first entry, as Reader.Queue
// does.
type QueueReader func(f func(Entry) bool) (inbound []uint16, err error)

// Loader reads what a broker needs at its start. It may block for the disk.
type Loader interface {
	// Session returns the record of one durable session with its
	// subscriptions in no order, nil if there is none.
	// The caller must not change it.
	Session(key mqtt.SessionKey) (*Session, error)
	// Load calls f for each durable session of the moment of the call, in the
	// order of Sessions, until f returns false. queue is valid during f, need
	// not be called, and costs next to nothing when the queue is empty; it sees
	// the queue as it was at the call of Load or later.
	Load(f func(r *Session, queue QueueReader) bool) error
	// Count returns the number of durable sessions. It may read them all.
	Count() (int, error)
}

// Store is what the broker is composed with.
type Store interface {
	Committer
	Reader
	Loader
	// Close commits what was taken and gives everything back.
	Close() error
}
