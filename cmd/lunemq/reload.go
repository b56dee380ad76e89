package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/lunemq/lunemq/broker"
	"github.com/lunemq/lunemq/broker/admin/httpapi"
	"github.com/lunemq/lunemq/conf"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// serveHTTP serves h on ln until ctx ends.
func (s *server) serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) {
	s.http.Add(1)
	go func() {
		defer s.http.Done()
		if err := httpapi.Serve(ctx, ln, h); err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
			s.log.Error("http listener ended", "address", ln.Addr().String(), "err", err)
		}
	}()
}

// reload reads the configuration and the files it names again. With an error
// everything stays as it was.
func (s *server) reload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	schema, err := conf.New(sections()...)
	var next *conf.Result
	if err == nil {
		next, err = schema.Load(s.res.Sources())
	}
	if err == nil {
		err = next.Err()
	}
	if err == nil {
		if err = s.adopt(next); err != nil {
			err = errors.New(strings.Join(explain(next, err), " | "))
		}
	}
	file := s.res.Sources().File
	if err != nil {
		s.broker.Metrics.ConfigReloadErrors.Inc(1)
		s.log.Error("configuration not reloaded, the old one stays in force", "err", err)
		s.broker.Alarms.Raise(alarm.ConfigReloadFailed, file, "the configuration before stays in force: "+err.Error())
		return
	}
	s.broker.Alarms.Clear(alarm.ConfigReloadFailed, file)
	s.broker.Metrics.ConfigReloads.Inc(1)
}

// adopt puts a checked configuration in force. Called with s.mu held.
func (s *server) adopt(next *conf.Result) error {
	changes := conf.Changes(s.res, next)
	s.lua.adopt(next)
	if err := s.broker.Reload(conf.Section[broker.Config](next), changedKeys(changes)); err != nil {
		s.lua.adopt(s.res)
		return err
	}
	for _, c := range conf.Outlines(changes) {
		if c.Reload == "restart" {
			s.log.Warn("a changed key takes effect only after a restart", "key", c.Key, "value", c.New)
			continue
		}
		s.log.Info("configuration changed", "key", c.Key, "old", c.Old, "new", c.New, "for", c.Reload)
	}
	s.res = next
	cfg := s.config()
	s.log.apply(cfg.Log)
	s.keys.Apply(keysConfig(cfg.Admin))
	return nil
}

func changedKeys(changes []conf.Change) map[string]string {
	m := map[string]string{}
	for _, c := range changes {
		m[c.Key] = c.New
	}
	return m
}

// stop ends the broker within shutdown_timeout.
func (s *server) stop() int {
	s.mu.Lock()
	limit := s.config().ShutdownTimeout
	s.mu.Unlock()
	s.log.Info("lunemq stops")
	err := s.broker.Stop(limit)
	s.http.Wait()
	if err != nil {
		s.log.Error("not stopped cleanly", "err", err)
		return 1
	}
	s.log.Info("lunemq has stopped")
	return 0
}
