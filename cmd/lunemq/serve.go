package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/broker/admin/httpapi"
	"github.com/lunemq/lunemq/broker/listener"
	"github.com/lunemq/lunemq/broker/pressure"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/store/memstore"
	"github.com/lunemq/lunemq/broker/store/pebblestore"
	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// server is one run of the broker with everything around it.
type server struct {
	process
	log    *logging
	broker *broker.Broker
	keys   *admin.Keys
	lua    luaPlugin

	mu  sync.Mutex // of res: a reload and the command set exclude each other
	res *conf.Result

	http sync.WaitGroup
	ends []func() // undone in reverse order
}

// serve runs the broker until ctx ends.
func serve(ctx context.Context, reload <-chan os.Signal, p process) int {
	o, status, ok := p.parse("serve")
	if !ok {
		return status
	}
	res, err := p.load(o)
	if err != nil {
		fmt.Fprintln(p.stderr, "lunemq:", err)
		return 1
	}
	errs, _, err := conf.Report(p.stderr, res.Problems)
	if errs > 0 || err != nil {
		fmt.Fprintf(p.stderr, "lunemq: not started: %d errors in the configuration\n", errs)
		return 1
	}
	s := &server{process: p, res: res}
	defer s.undo()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.start(ctx); err != nil {
		for _, text := range explain(res, err) {
			fmt.Fprintln(p.stderr, "lunemq: not started:", text)
		}
		return 1
	}
	for {
		select {
		case <-reload:
			s.reload()
		case <-ctx.Done():
			return s.stop()
		}
	}
}

func (s *server) config() *broker.Config { return conf.Section[broker.Config](s.res) }

// start brings everything up and prints the ready line.
func (s *server) start(ctx context.Context) error {
	cfg := s.config()
	var err error
	if s.log, err = openLog(cfg.Log, s.stderr); err != nil {
		return err
	}
	s.later(s.log.close)
	if err := s.folders(cfg); err != nil {
		return err
	}
	if s.keys, err = admin.OpenKeys(filepath.Join(cfg.DataDir, "apikeys.json"), keysConfig(cfg.Admin), rand.Reader); err != nil {
		return err
	}
	alarms := new(alarm.List)
	kept, err := s.openStore(cfg, alarms)
	if err != nil {
		return err
	}
	watch := pressure.New(&cfg.Pressure, cfg.DataDir, alarms)
	s.later(watch.Close)
	sockets := broker.NewEngine(0, func(err error, stack []byte) { s.log.Error("panic", "err", err, "stack", string(stack)) })
	s.lua.adopt(s.res)
	b, err := broker.New(cfg, broker.Parts{Extensions: append(compiledIn(), &s.lua), Log: s.log.Logger, Store: kept, Engine: sockets, Keys: s.keys, Pressure: watch, Alarms: alarms})
	if err != nil {
		_ = kept.Close()
		return err
	}
	s.broker = b
	s.log.Info("lunemq starts", "version", version, "node", cfg.NodeName.String(), "data_dir", cfg.DataDir)
	ready, err := b.Open()
	if err != nil {
		_ = b.Stop(cfg.ShutdownTimeout)
		return err
	}
	web, err := s.administration(ctx, cfg)
	if err != nil {
		_ = b.Stop(cfg.ShutdownTimeout)
		return err
	}
	if err := s.load(ctx, cfg); err != nil {
		_ = b.Stop(cfg.ShutdownTimeout)
		return err
	}
	b.SetReady()
	fmt.Fprintln(s.stdout, strings.Join(append(append([]string{"ready"}, ready...), web...), " "))
	return nil
}

// loadingGC is GOGC while durable sessions are read.
const loadingGC = 400

// load reads durable sessions back while clients connect already. A stop waits
// for that up to shutdown_timeout, since wills may wait for their subscribers.
func (s *server) load(ctx context.Context, cfg *broker.Config) error {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		defer time.AfterFunc(cfg.ShutdownTimeout, cancel).Stop()
		<-patient.Done()
	})()
	// Nearly all that is allocated meanwhile stays: little is gained by looking
	// for garbage as often as later.
	if usual := debug.SetGCPercent(loadingGC); usual < 0 || usual > loadingGC {
		debug.SetGCPercent(usual)
	} else {
		defer debug.SetGCPercent(usual)
	}
	return s.broker.Load(patient)
}

// openStore opens the store that persistence.engine names.
func (s *server) openStore(cfg *broker.Config, alarms *alarm.List) (store.Store, error) {
	c := conf.Section[pebblestore.Config](s.res)
	if c.Engine == "memory" {
		s.log.Warn("durable sessions and retained messages are kept in memory only and end with this process", "key", "persistence.engine")
		return memstore.New(), nil
	}
	o := pebblestore.Options{Sync: c.Sync, Log: s.log.Logger, Stalled: func(err error) {
		if err != nil {
			alarms.Raise(alarm.StoreFailing, "", err.Error())
		} else {
			alarms.Clear(alarm.StoreFailing, "")
		}
	}}
	if limit, reserve := pressure.Descriptors(); limit > 0 { // fewer than are kept for it
		o.MaxOpenFiles = min(1000, max(32, reserve-64))
	}
	return pebblestore.Open(filepath.Join(cfg.DataDir, "store"), o)
}

// folders makes the folders of data and socket, and locks the data against a
// second process.
func (s *server) folders(cfg *broker.Config) error {
	for _, dir := range []string{cfg.DataDir, filepath.Dir(cfg.Admin.Socket)} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("data_dir and admin.socket need folders that can be made: %w", err)
		}
	}
	unlock, err := lockFolder(cfg.DataDir)
	if err != nil {
		return err
	}
	s.later(unlock)
	return nil
}

func (s *server) later(f func()) { s.ends = append(s.ends, f) }

func (s *server) undo() {
	for i := len(s.ends) - 1; i >= 0; i-- {
		s.ends[i]()
	}
}

func keysConfig(a broker.AdminConfig) admin.KeysConfig {
	return admin.KeysConfig{MinLength: a.MinKey, MaxDays: a.MaxExpiry}
}

// administration serves the admin socket and the HTTP listeners; it returns
// their parts of the ready line.
func (s *server) administration(ctx context.Context, cfg *broker.Config) (ready []string, err error) {
	commands := admin.NewRegistry()
	if err := commands.Add(s.commands()...); err != nil {
		return nil, err
	}
	if err := commands.Add(commands.HelpCommands()...); err != nil {
		return nil, err
	}
	o := httpapi.Options{Registry: commands, Keys: s.keys, Now: time.Now,
		Health: httpapi.Health{Ready: s.broker.Ready, Listeners: s.broker.DownListeners}}
	local, err := httpapi.ListenUnix(cfg.Admin.Socket, 0o660)
	if err != nil {
		return nil, err
	}
	s.serveHTTP(ctx, local, httpapi.NewLocal(o))
	return s.broker.OpenWeb(func(w broker.Web) error {
		if w.Started {
			if err := built(o, w.Modules); err != nil {
				return err
			}
		}
		at := o
		at.Modules = modules(&cfg.Listeners, w.HTTP)
		s.serveHTTP(ctx, w, bounded(w.RequestLimits, httpapi.New(at)))
		return nil
	})
}

// built refuses modules that nothing is served for.
func built(o httpapi.Options, names []string) error {
	for _, name := range names {
		switch m, ok := httpapi.ModuleByName(name); {
		case !ok:
			return fmt.Errorf("%w: --http_modules: there is no module %q", admin.ErrUsage, name)
		case !o.Serves(m):
			return fmt.Errorf("--http_modules: the module %q is not built yet: nothing would answer", name)
		}
	}
	return nil
}

// bounded refuses requests whose line or headers are longer than a listener
// allows. What is longer than 16 kB in all never gets that far.
func bounded(limits listener.RequestLimits, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Method)+len(r.RequestURI)+len(r.Proto)+2 > limits.Line {
			http.Error(w, "the request line is too long", http.StatusRequestURITooLong)
			return
		}
		for name, values := range r.Header {
			for _, v := range values {
				if len(v) > limits.Value {
					http.Error(w, "the header "+name+" is too long", http.StatusRequestHeaderFieldsTooLarge)
					return
				}
			}
		}
		h.ServeHTTP(w, r)
	})
}

// modules returns what an HTTP listener serves: what it says itself, else what
// is said for all.
func modules(all *listener.Config, h listener.HTTP) httpapi.Modules {
	names := h.Modules
	if len(names) == 0 {
		names = all.HTTPModules
	}
	served := httpapi.Modules{}
	for _, name := range names {
		if m, ok := httpapi.ModuleByName(name); ok {
			served[m] = httpapi.DefaultMode(m)
		}
	}
	for _, modes := range []map[string]listener.HTTPModule{all.HTTPAuth, h.Auth} {
		for name, mode := range modes {
			if m, ok := httpapi.ModuleByName(name); ok && mode.Auth != "" && served[m] != "" {
				served[m] = httpapi.Mode(mode.Auth)
			}
		}
	}
	return served
}
