package dbtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a database server of one test. Owned by the test's goroutine.
type Server struct {
	Port     int
	User     string
	Password string
	Database string
	Certs    *Certs // of SQL servers, which offer TLS

	t       *testing.T
	dir     string
	program string
	args    []string
	cmd     *exec.Cmd
	waited  chan error // of cmd
	ready   []string   // a program that says whether the server serves; nil = one that listens does
}

// password is that of all servers.
const password = "s3cret"

// patience is how long a server may take to start.
const patience = 60 * time.Second

// Port returns a port below the ephemeral ones that nobody listens on.
func Port(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("dbtest: no port is free")
	return 0
}

// find returns the path of a program that need not be on PATH.
func find(t *testing.T, name string, globs ...string) string {
	t.Helper()
	for _, g := range globs {
		if found, _ := filepath.Glob(g); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	p, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("dbtest: %v; install the packages that .ci/packages names", err)
	}
	return p
}

// nobody makes a command run without privileges, which some servers demand.
func nobody(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		return
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	err = filepath.Walk(dir, func(p string, _ os.FileInfo, err error) error { return errors.Join(err, os.Lchown(p, uid, gid)) })
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// setup runs a program that prepares the server's files.
func (s *Server) setup(program string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = s.dir, []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + s.dir}
	nobody(s.t, cmd, s.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("dbtest: %s: %v\n%s", program, err, out)
	}
}

func (s *Server) file(name, text string) string {
	s.t.Helper()
	p := filepath.Join(s.dir, name)
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// Start starts the server, again after Stop, and waits until it listens.
func (s *Server) Start() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command(s.program, s.args...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, log, log
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + s.dir}
	nobody(s.t, s.cmd, s.dir)
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		s.t.Fatal(err)
	}
	cmd, waited := s.cmd, make(chan error, 1)
	s.waited = waited
	go func() { waited <- cmd.Wait() }()
	for deadline := time.Now().Add(patience); ; {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)))
		if err == nil {
			_ = c.Close()
			if s.ready == nil {
				return
			}
			if err = exec.Command(s.ready[0], s.ready[1:]...).Run(); err == nil {
				return
			}
		}
		select {
		case err := <-waited:
			waited <- err
			s.fail(fmt.Sprintf("it ended: %v", err))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.fail(err.Error())
		}
	}
}

func (s *Server) fail(why string) {
	s.t.Helper()
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	s.t.Fatalf("dbtest: %s: %s\n%s", s.program, why, text)
}

// Stop ends the server without mercy. It may be called again.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	s.signal(syscall.SIGKILL)
	<-s.waited
	s.cmd = nil
}

// Freeze has the server keep its connections and answer nothing, until Thaw.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

// signal signals the server and its descendants, which may have left its group.
func (s *Server) signal(sig syscall.Signal) {
	all := []int{s.cmd.Process.Pid}
	for i := 0; i < len(all); i++ {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		for _, l := range lists {
			text, _ := os.ReadFile(l)
			for _, f := range strings.Fields(string(text)) {
				if pid, err := strconv.Atoi(f); err == nil {
					all = append(all, pid)
				}
			}
		}
	}
	for _, pid := range all {
		_ = syscall.Kill(pid, sig)
	}
}

// begin makes a Server that ends with the test.
func begin(t *testing.T) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "dbtest") // the parent of t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{Port: Port(t), t: t, dir: dir, User: "lunemq", Password: password, Database: "postgres"}
	t.Cleanup(s.Stop)
	return s
}

// Postgres starts PostgreSQL.
func Postgres(t *testing.T) *Server {
	t.Helper()
	s := begin(t)
	s.Certs = NewCerts(t, s.dir)
	data := filepath.Join(s.dir, "data")
	s.setup(find(t, "initdb", "/usr/lib/postgresql/*/bin/initdb"), "-D", data, "-U", s.User, "--auth=scram-sha-256", "--pwfile="+s.file("password", s.Password), "--no-sync", "-E", "UTF8")
	s.program = find(t, "postgres", "/usr/lib/postgresql/*/bin/postgres")
	s.args = []string{"-D", data, "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=40",
		"-c", "ssl=on", "-c", "ssl_cert_file=" + s.Certs.Cert, "-c", "ssl_key_file=" + s.Certs.Key, "-c", "ssl_ca_file=" + s.Certs.CA}
	s.ready = []string{find(t, "pg_isready", "/usr/lib/postgresql/*/bin/pg_isready"), "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(s.Port)}
	s.Start()
	return s
}

// MariaDB starts MariaDB.
func MariaDB(t *testing.T) *Server {
	t.Helper()
	s := begin(t)
	s.Database = "vernemq_db"
	s.Certs = NewCerts(t, s.dir)
	data := filepath.Join(s.dir, "data")
	s.setup(find(t, "mariadb-install-db"), "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	first := s.file("init.sql", fmt.Sprintf("CREATE DATABASE IF NOT EXISTS %s;\nCREATE USER IF NOT EXISTS '%s'@'127.0.0.1' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO '%s'@'127.0.0.1';\n",
		s.Database, s.User, s.Password, s.User))
	s.program = find(t, "mariadbd", "/usr/sbin/mariadbd")
	s.args = []string{"--no-defaults", "--datadir=" + data, "--port=" + strconv.Itoa(s.Port), "--bind-address=127.0.0.1", "--socket=" + filepath.Join(s.dir, "socket"),
		"--pid-file=" + filepath.Join(s.dir, "pid"), "--skip-name-resolve", "--init-file=" + first, "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=16M",
		"--ssl-cert=" + s.Certs.Cert, "--ssl-key=" + s.Certs.Key, "--ssl-ca=" + s.Certs.CA}
	s.Start()
	return s
}

// Redis starts Redis.
func Redis(t *testing.T) *Server {
	t.Helper()
	s := begin(t)
	s.User = ""
	s.program = find(t, "redis-server")
	s.args = []string{"--port", strconv.Itoa(s.Port), "--bind", "127.0.0.1", "--requirepass", s.Password, "--save", "", "--dir", s.dir}
	s.Start()
	return s
}

// Memcached starts memcached.
func Memcached(t *testing.T) *Server {
	t.Helper()
	s := begin(t)
	s.program = find(t, "memcached")
	s.args = []string{"-l", "127.0.0.1", "-p", strconv.Itoa(s.Port), "-U", "0", "-m", "16"}
	s.Start()
	return s
}
