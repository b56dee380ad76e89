package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Limits of a connection. A client that sends its request slowly, or idles,
// does not hold a connection for longer.
const (
	headerTimeout   = 10 * time.Second
	readTimeout     = 30 * time.Second
	writeTimeout    = 5 * time.Minute // a command may take its time
	idleTimeout     = time.Minute
	shutdownTimeout = 5 * time.Second
	maxHeaderBytes  = 16 << 10
)

// Serve answers requests on ln until ctx ends; then it takes no new ones, lets
// those in progress end within 5 s, and returns nil. It closes ln. Its error
// is that of accepting. Unix sockets and TLS listeners are served alike.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: log.New(io.Discard, "", 0), // what clients do wrong is not the operator's business
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if s.Shutdown(grace) != nil {
			s.Close()
		}
	})
	err := s.Serve(ln)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	s.Close()
	return fmt.Errorf("httpapi: serve %s: %w", ln.Addr(), err)
}

// ListenUnix listens on a Unix socket with the given file mode (0600, 0660).
// The socket is made in a folder that nobody else may enter and renamed into
// place, so that it never exists with another mode. A socket left behind by a
// dead process is replaced; one that answers is an error. Closing the listener
// removes the file.
func ListenUnix(path string, mode os.FileMode) (net.Listener, error) {
	fail := func(err error) (net.Listener, error) {
		return nil, fmt.Errorf("httpapi: listen on %s: %w", path, err)
	}
	if i, err := os.Lstat(path); err == nil && i.Mode().Type() != os.ModeSocket {
		return fail(errors.New("a file that is not a socket is in the way"))
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return fail(errors.New("another process listens there"))
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s") // mode 0700
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	hidden := filepath.Join(dir, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return fail(err)
	}
	ln.SetUnlinkOnClose(false)
	if err = os.Chmod(hidden, mode); err == nil {
		err = os.Rename(hidden, path)
	}
	var made os.FileInfo
	if err == nil {
		made, err = os.Lstat(path)
	}
	if err != nil {
		ln.Close()
		return fail(err)
	}
	return &socket{UnixListener: ln, addr: net.UnixAddr{Name: path, Net: "unix"}, made: made}, nil
}

// socket removes its file when closed, unless another took its place.
type socket struct {
	*net.UnixListener
	addr net.UnixAddr
	made os.FileInfo
}

func (s *socket) Addr() net.Addr { return &s.addr }

func (s *socket) Close() error {
	err := s.UnixListener.Close()
	if now, statErr := os.Lstat(s.addr.Name); err == nil && statErr == nil && os.SameFile(s.made, now) {
		os.Remove(s.addr.Name)
	}
	return err
}
