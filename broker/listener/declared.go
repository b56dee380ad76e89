package listener

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/lunemq/lunemq/conf/value"
)

// Declared is one listener of the configuration. Immutable.
type Declared struct {
	Spec   Spec    // without limits and callbacks
	Client *Client // nil for HTTP
	HTTP   *HTTP   // nil for MQTT
}

// Declared returns all listeners of the configuration, by kind and name.
func (c *Config) Declared() []Declared {
	var list []Declared
	add := func(d Declared) {
		d.Spec.Refresh, d.Spec.Timeout = c.Refresh, c.ConnectTimeout
		if d.Spec.WebSocket != nil {
			d.Spec.WebSocket.MaxFrame = int64(c.MaxFrame)
		}
		list = append(list, d)
	}
	for name, l := range sorted(c.TCP) {
		add(Declared{Spec: l.Spec(name), Client: &l.Client})
	}
	for name, l := range sorted(c.SSL) {
		add(Declared{Spec: l.Spec(name), Client: &l.Client})
	}
	for name, l := range sorted(c.WS) {
		add(Declared{Spec: l.Spec(name), Client: &l.Client})
	}
	for name, l := range sorted(c.WSS) {
		add(Declared{Spec: l.Spec(name), Client: &l.Client})
	}
	for name, l := range sorted(c.HTTP) {
		add(Declared{Spec: l.spec("http."+name, "http"), HTTP: &l})
	}
	for name, l := range sorted(c.HTTPS) {
		s := l.spec("https."+name, "https")
		s.TLS = &l.TLS
		add(Declared{Spec: s, HTTP: &l.HTTP})
	}
	return list
}

// sorted yields a map's entries by name.
func sorted[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}

// ModuleNames returns what an HTTP listener may be told to serve.
func ModuleNames() []string {
	f, _ := reflect.TypeFor[HTTP]().FieldByName("Modules")
	return strings.Split(f.Tag.Get("enum"), ",")
}

// Find returns the declared listener of a name such as "tcp.default".
func (c *Config) Find(name string) (Declared, bool) {
	list := c.Declared()
	i := slices.IndexFunc(list, func(d Declared) bool { return d.Spec.Name == name })
	if i < 0 {
		return Declared{}, false
	}
	return list[i], true
}

// CheckConfig reports what no single key shows.
func (c *Config) CheckConfig(report func(key, text, remedy string)) {
	seen := map[string]string{}
	for _, d := range c.Declared() {
		key, a := "listener."+d.Spec.Name, d.Spec.Address
		if other, ok := seen[a.String()]; ok && (a.Path != "" || a.Port != 0) {
			report(key, `"`+a.String()+`" is the address of `+other+" too", "give each listener an address of its own")
		}
		if seen[a.String()] == "" {
			seen[a.String()] = key
		}
		if d.Spec.TLS != nil {
			d.Spec.TLS.check(key, report)
		}
		if d.Spec.WebSocket != nil {
			d.Spec.WebSocket.check(key, report)
		}
	}
}

// CheckFiles reads the files that TLS needs and returns what is wrong with
// them, as a *value.KeyError each.
func (c *Config) CheckFiles() (errs []error) {
	for _, d := range c.Declared() {
		if d.Spec.TLS == nil {
			continue
		}
		if _, err := load(*d.Spec.TLS, d.Spec.Identity); err != nil {
			errs = append(errs, named(d.Spec.Name, err))
		}
	}
	return errs
}

// named adds a listener's name to an error about its files and to the key that
// the error is about.
func named(name string, err error) error {
	key, k := "listener."+name, (*value.KeyError)(nil)
	if errors.As(err, &k) {
		key, err = key+"."+k.Key, k.Err
	}
	return &value.KeyError{Key: key, Err: fmt.Errorf("listener: %s: %w", name, err)}
}
