package pebblestore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// Causes for which Open refuses a directory.
var (
	// ErrLocked: another process, or another store of this one, has it open.
	ErrLocked = errors.New("in use by another process")
	// ErrNewer: it was written by a newer version of LuneMQ.
	ErrNewer = errors.New("written by a newer version")
	// ErrDamaged: a file of it is missing or unreadable.
	ErrDamaged = errors.New("damaged")
)

// format is the version of keys and records; it changes when an older program
// would misread them, and Open brings a store to it from every earlier one.
// Records have versions of their own besides.
const format = 2

// versionFile says in the directory that it is a store, and of which format.
const (
	versionFile = "LUNEMQ-STORE"
	versionText = "LuneMQ store, format "
)

// Open opens the store in dir, or makes one there. The errors wrap ErrLocked,
// ErrNewer or ErrDamaged and name the directory and what to do.
func Open(dir string, o Options) (*Store, error) {
	o.setDefaults()
	if err := o.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("pebblestore: %s: %w", dir, err)
	}
	lock, err := pebble.LockDirectory(dir, o.FS)
	if err != nil {
		return nil, fmt.Errorf("pebblestore: %s is %w: stop that, or give this broker a data_dir of its own (%v)", dir, ErrLocked, err)
	}
	s := &Store{dir: dir, o: o, log: o.Log, lock: lock, known: newSessions(), waiting: &line{},
		work: make(chan struct{}, 1), closed: make(chan struct{}), committed: make(chan struct{}), finished: make(chan struct{}), ticked: make(chan struct{})}
	s.guard = newGuard(o.FS, s.closed, s.stalled)
	s.room.L, s.idle.L, s.finish.more.L = &s.mu, &s.mu, &s.finish.mu
	if err := s.open(); err != nil {
		lock.Close()
		return nil, err
	}
	s.guard.arm(s.fail)
	go s.commits()
	go s.finishes()
	go s.ticks()
	return s, nil
}

// open checks the directory, opens the database and reads what the committer
// must know.
func (s *Store) open() error {
	exists, err := s.inspect()
	if err != nil {
		return err
	}
	if s.db, err = s.openDB(exists); err != nil {
		return s.refuse(err)
	}
	if !exists { // once more: the first log of a database has an older format, in which damage looks like its end
		err := s.db.Close()
		if err == nil {
			s.db, err = s.openDB(true)
		}
		if err != nil {
			return fmt.Errorf("pebblestore: making a store in %s: %w", s.dir, err)
		}
	}
	if err := s.load(); err != nil {
		s.db.Close()
		if errors.Is(err, errMoving) {
			return fmt.Errorf("pebblestore: the store in %s: %w", s.dir, err)
		}
		return s.refuse(err)
	}
	return nil
}

// refuse says what to do about a store that cannot be read.
func (s *Store) refuse(err error) error {
	return fmt.Errorf("pebblestore: the store in %s is %w: restore it from a backup, or move the directory away to begin with an empty one: %w", s.dir, ErrDamaged, err)
}

// load checks the format in the database and reads numbers, marks and clock.
func (s *Store) load() error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	if _, err := s.o.FS.Stat(s.o.FS.PathJoin(s.dir, versionFile)); err != nil { // it vouches for the database, so it comes after it
		if err := s.writeVersion(); err != nil {
			return err
		}
	}
	var err error
	s.plan = newPlan(s.db, s.known)
	if err := s.plan.ids.read(s.db); err != nil {
		return err
	}
	if s.plan.doomed, err = readDoomed(s.db); err != nil {
		return err
	}
	n, err := readCounter(s.db, keyClock)
	s.newest.Store(int64(n))
	return err
}

// openDB opens the database; exists says that there must be one.
func (s *Store) openDB(exists bool) (db *pebble.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("%v", r)
		}
	}()
	o := &pebble.Options{
		FS: s.guard, Lock: s.lock, Logger: logger{s.log}, EventListener: listener(s.fail),
		CacheSize: s.o.CacheBytes, MemTableSize: uint64(s.o.MemTableBytes), MemTableStopWritesThreshold: 4,
		L0CompactionThreshold: 4, L0StopWritesThreshold: 24, LBaseMaxBytes: 64 << 20,
		MaxOpenFiles: s.o.MaxOpenFiles, FormatMajorVersion: pebble.FormatWALSyncChunks, ErrorIfNotExists: exists, ErrorIfExists: !exists,
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	o.Experimental.CompactionScheduler = newScheduler()
	o.EnsureDefaults()
	return pebble.Open(s.dir, o)
}

// inspect finds out, before anything is changed, whether dir holds a store
// that this program may open.
func (s *Store) inspect() (exists bool, err error) {
	text, err := s.readFile(versionFile)
	if err != nil {
		return false, err
	}
	if text != "" {
		n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(text, versionText)))
		if err != nil || !strings.HasPrefix(text, versionText) {
			return false, s.refuse(fmt.Errorf("%s says %q", versionFile, text))
		}
		if n > format {
			return false, fmt.Errorf("pebblestore: the store in %s has format %d, %w of LuneMQ than this one, which reads up to format %d: start that version, or move the directory away to begin with an empty store",
				s.dir, n, ErrNewer, format)
		}
	}
	d, err := pebble.Peek(s.dir, s.o.FS)
	if err != nil {
		return false, s.refuse(err)
	}
	if d.Exists {
		if err := s.checkManifest(d.ManifestFilename); err != nil {
			return false, s.refuse(err)
		}
		if text != "" {
			if err := s.checkLog(); err != nil {
				return false, s.refuse(err)
			}
		}
		return true, nil
	}
	if text != "" {
		return false, s.refuse(errors.New("its manifest is missing"))
	}
	names, err := s.o.FS.List(s.dir)
	if err != nil {
		return false, fmt.Errorf("pebblestore: %s: %w", s.dir, err)
	}
	for _, n := range names {
		if strings.HasSuffix(n, ".sst") || strings.HasPrefix(n, "MANIFEST-") {
			return false, s.refuse(fmt.Errorf("it holds %s, but neither %s nor a valid manifest", n, versionFile))
		}
	}
	return false, nil
}
