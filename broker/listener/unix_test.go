package listener

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/conf/value"
)

// socketPath returns a path short enough for a socket, in a new directory.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "l")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func TestUnix(t *testing.T) {
	path := socketPath(t)
	l, arrivals := opened(t, "local:"+path+":0", nil)
	dial(t, l)
	a := next(t, arrivals)
	if a.peer.Remote != (netip.AddrPort{}) || a.peer.Local != (netip.AddrPort{}) {
		t.Errorf("got %v", a.peer)
	}
	l.Pause()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the file outlives the pause: %v", err)
	}
	if err := l.Resume(); err != nil {
		t.Fatal(err)
	}
	dial(t, l)
	next(t, arrivals)
	counts(t, l, 2, 2)
	l.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the file outlives the listener: %v", err)
	}
}

// A file left by a process that is gone is replaced.
func TestUnix_StaleFile(t *testing.T) {
	path := socketPath(t)
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
	l, arrivals := opened(t, "local:"+path+":0", nil)
	dial(t, l)
	next(t, arrivals)
}

// A socket in use, and whatever is no socket, is left alone.
func TestUnix_FileInUse(t *testing.T) {
	path := socketPath(t)
	first, arrivals := opened(t, "local:"+path+":0", nil)
	plain := path + "p"
	if err := os.WriteFile(plain, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{path: "somebody listens there", plain: "is not a socket"} {
		_, err := Open(Spec{Name: "tcp.second", Address: value.Address{Path: p}}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	next(t, arrivals) // of the attempt to see whether anybody listens
	dial(t, first)
	next(t, arrivals)
	if b, err := os.ReadFile(plain); err != nil || string(b) != "precious" {
		t.Errorf("got %q, %v", b, err)
	}
}
