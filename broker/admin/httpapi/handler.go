package httpapi

import (
	"net/http"
	"slices"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
)

// KeyChecker decides on API keys; *admin.Keys is one. Check returns nil if the
// key is good for the scope at that time. It is called concurrently, once per
// request, and must not block for long.
type KeyChecker interface {
	Check(now time.Time, key, scope string) error
}

// Route is a handler of another module.
type Route struct {
	Module  string // whose mode guards it
	Pattern string // of http.ServeMux, without method: "/metrics"
	Handler http.Handler
}

// Options are what a handler is made of.
type Options struct {
	Registry *admin.Registry
	Modules  Modules
	Keys     KeyChecker // may be nil if no module has the mode apikey
	Now      func() time.Time
	Health   Health
	// Status returns what /status.json answers, a value for encoding/json; nil
	// = 404.
	Status func() any
	Routes []Route
}

// Health holds the checks. Each returns the reasons why it fails, none when
// all is well; it is called concurrently and must not block. A nil check
// succeeds.
type Health struct {
	Ready     func() []string // the broker serves: store loaded, not shutting down, cluster ready
	Listeners func() []string // all configured listeners run
}

// New returns the handler of a listener. Safe for concurrent use.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	for _, r := range append(o.builtin(), o.Routes...) {
		mode, served := o.Modules[r.Module]
		if served {
			mux.Handle(r.Pattern, o.guard(r.Module, mode, r.Handler))
		}
	}
	return mux
}

// NewLocal returns the handler of the admin socket: all modules, without keys.
// The mode of the socket's file decides who may connect.
func NewLocal(o Options) http.Handler {
	o.Modules = Modules{}
	for _, r := range append(o.builtin(), o.Routes...) {
		o.Modules[r.Module] = NoAuth
	}
	return New(o)
}

// Serves reports whether a module has something to serve.
func (o Options) Serves(module string) bool {
	return slices.ContainsFunc(append(o.builtin(), o.Routes...), func(r Route) bool { return r.Module == module })
}

func (o Options) builtin() []Route {
	routes := []Route{
		{"mgmt", "/api/v1/", http.HandlerFunc(o.serveCommand)},
		{"health", "/health", check(o.Health.Ready, o.Health.Listeners)},
		{"health", "/health/ping", check()},
		{"health", "/health/ready", check(o.Health.Ready)},
		{"health", "/health/listeners", check(o.Health.Listeners)},
	}
	if o.Status != nil {
		routes = append(routes, Route{"status", "/status.json", http.HandlerFunc(o.serveStatus)})
	}
	return routes
}

// guard answers what must not reach h: preflights, and requests without a key
// that is good for the module. Cross-origin pages may read answers only where
// a key was given for it: with noauth, any page in an operator's browser could.
func (o Options) guard(module string, mode Mode, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if mode != NoAuth {
			w.Header().Set("Access-Control-Allow-Origin", "*") // never with credentials
		}
		if r.Method == http.MethodOptions {
			preflight(w, mode)
			return
		}
		if mode != NoAuth && !o.authorized(r, module) {
			w.Header().Set("WWW-Authenticate", `Basic realm="LuneMQ"`)
			answer(w, r, http.StatusUnauthorized, admin.Alert{"unauthorized: an API key with scope " + module + " is needed"})
			return
		}
		h.ServeHTTP(w, r)
	})
}

func preflight(w http.ResponseWriter, mode Mode) {
	if mode != NoAuth {
		w.Header().Set("Access-Control-Allow-Methods", "HEAD, GET, POST")
		w.Header().Set("Access-Control-Allow-Headers", "content-type, authorization, x-api-key")
		w.Header().Set("Access-Control-Max-Age", "1728000")
	}
	w.WriteHeader(http.StatusNoContent)
}

// authorized looks for the key in x-api-key, else in the user name of basic
// authentication.
func (o Options) authorized(r *http.Request, module string) bool {
	key := r.Header.Get("X-Api-Key")
	if key == "" {
		key, _, _ = r.BasicAuth()
	}
	return key != "" && o.Keys != nil && o.Keys.Check(o.Now(), key, module) == nil
}
