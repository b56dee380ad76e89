package conn

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/pressure"
	"github.com/lunemq/lunemq/broker/registry"
	"github.com/lunemq/lunemq/broker/router"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// Settings are what a reload may replace for all connections at once.
type Settings struct {
	Session        *session.Config // for new connections
	AllowAnonymous bool
	ConnectTimeout time.Duration // until CONNECT is complete
}

// Server is what all connections share. Its fields are set before the first
// connection and not changed.
type Server struct {
	Router   *router.Router
	Registry *registry.Registry
	Store    store.Committer
	Kept     store.Reader
	Metrics  *metric.Broker
	Log      *slog.Logger
	Settings *atomic.Pointer[Settings]
	Pressure *pressure.Watch // nil = none
	Gate     *Gate           // nil = open
	// Fetch brings a client's session out of the store while the gate is shut;
	// ends says that the connection may end it. It may block for the disk, and
	// where others must be there first for as long as that takes.
	Fetch func(key mqtt.SessionKey, ends bool) error
	// Chain returns the global chain in force, for wills and observers.
	Chain func() *hook.Chain

	// Connected counts accepted connections, ConnectedWS those of them that came
	// over WebSocket.
	Connected, ConnectedWS atomic.Int64
	parts                  parts
	tasks                  sync.WaitGroup // workers, loaders, and what follows the end of a connection
}

// Wait waits for what connections have left to be done after their end. To be
// called when the engine is closed and before the store is.
func (s *Server) Wait() { s.tasks.Wait() }

// Door is a listener as its connections see it. Immutable.
type Door struct {
	Info       hook.ListenerInfo
	Mountpoint string
	Versions   []int // allowed level bytes: 3, 4, 5, 131, 132
	Anonymous  bool  // allow_anonymous_override
	WebSocket  bool  // of its connections, for counting
	Lifetime   time.Duration
	// Chain returns the chain in force for the listener.
	Chain func() *hook.Chain
}

// count counts a connection of the door that is accepted (1) or gone (-1).
func (s *Server) count(d *Door, n int64) {
	s.Connected.Add(n)
	if d.WebSocket {
		s.ConnectedWS.Add(n)
	}
}

// buffer is an output buffer between uses: a connection has one only while it
// has something to send.
type buffer struct{ b []byte }

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 4096)} }}

// maxPooled is the largest buffer kept for others, in bytes.
const maxPooled = 128 << 10

// PublishWill routes a will, which was authorised when its client connected.
func (s *Server) PublishWill(now time.Time, info *hook.Client, w *mqtt.Will) {
	m := *w.Message
	if w.Expiry > 0 {
		m.Expires = now.Add(w.Expiry)
	}
	s.Inject(now, info, &m, true)
}

// Inject routes a message that comes from no connection: a will, or one of
// the broker itself (info nil). It bypasses authorisation. While the gate is
// shut the message waits, and has no copies yet.
func (s *Server) Inject(now time.Time, info *hook.Client, m *mqtt.Message, will bool) (copies int) {
	if s.Gate.before(func() { s.inject(time.Now(), info, m, will) }) {
		return 0
	}
	return s.inject(now, info, m, will)
}

func (s *Server) inject(now time.Time, info *hook.Client, m *mqtt.Message, will bool) (copies int) {
	b := router.Batch{Untold: true}
	copies = s.Router.Publish(now, m, &b)
	if !b.Store.Empty() {
		b.Store.Submit(s.Store, s.committed)
	}
	b.Flush(now, s.Router)
	if info != nil {
		s.Chain().OnPublish(&hook.Publish{Client: info, Message: m, Will: will})
	}
	return copies
}

// storeCode is what a client is told of a failed commit.
func storeCode(err error) mqtt.ReasonCode {
	if errors.Is(err, store.ErrFull) {
		return mqtt.QuotaExceeded
	}
	return mqtt.ImplementationSpecificError
}

// committed takes the result of a commit that no client waits for.
func (s *Server) committed(err error) {
	if err != nil {
		s.Metrics.StoreErrors.Inc(1)
		s.Log.Error("store: commit failed", "err", err)
	}
}
