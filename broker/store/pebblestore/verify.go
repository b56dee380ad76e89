package pebblestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	iofs "io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// cleanFile exists between Close and the next Open. It holds the number of the
// last commit, which then must be in the database: without it, a log that is
// damaged near its end looks like one that a crash cut short.
const cleanFile = "LUNEMQ-CLEAN"

// keyClean holds the number of the last orderly Close.
var keyClean = []byte("!clean")

// closeCleanly makes the last commit and says in a file that it was.
func (s *Store) closeCleanly() error {
	n, err := readCounter(s.db, keyClean)
	if err != nil {
		return err
	}
	v := binary.BigEndian.AppendUint64([]byte{codecVersion}, n+1)
	if err := s.db.Set(keyClean, v, pebble.Sync); err != nil {
		return err
	}
	if err := s.db.Flush(); err != nil { // nothing is left to be read from the log
		return err
	}
	return s.writeFile(cleanFile, strconv.FormatUint(n+1, 10))
}

// checkClean demands that the commit of an orderly Close is there, and forgets
// that there was one.
func (s *Store) checkClean() error {
	text, err := s.readFile(cleanFile)
	if err != nil || text == "" {
		return err
	}
	n, err := readCounter(s.db, keyClean)
	if err != nil {
		return err
	}
	if want, err := strconv.ParseUint(text, 10, 64); err != nil || want != n {
		return fmt.Errorf("%s says that it was closed in order for the %.20qth time, but its last commits are missing: it knows of %d", cleanFile, text, n)
	}
	if err := s.o.FS.Remove(s.o.FS.PathJoin(s.dir, cleanFile)); err != nil {
		return err
	}
	return s.syncDir()
}

// readFile returns the text of a small file of ours, empty if there is none.
func (s *Store) readFile(name string) (string, error) {
	f, err := s.o.FS.Open(s.o.FS.PathJoin(s.dir, name))
	if errors.Is(err, iofs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("pebblestore: %s: %w", s.dir, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return "", fmt.Errorf("pebblestore: %s: %s: %w", s.dir, name, err)
	}
	if len(b) == 0 {
		return "nothing", nil
	}
	return string(b), nil
}

// writeFile makes a small file, whole or not at all.
func (s *Store) writeFile(name, text string) error {
	fs := s.o.FS
	path := fs.PathJoin(s.dir, name)
	f, err := fs.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := fs.Rename(path+".new", path); err != nil {
		return err
	}
	return s.syncDir()
}

func (s *Store) syncDir() error {
	d, err := s.o.FS.OpenDir(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Layout of the manifest: blocks of chunks, each with a head of checksum 4,
// length 2, type 1; a chunk never crosses the end of a block.
const (
	logBlock  = 32 << 10
	chunkHead = 7
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkManifest refuses a manifest with an unreadable chunk that others follow.
// The database would take it for the end, which is right only where a crash
// cut the file short, and would then remove the tables it does not know. After
// an orderly Close no chunk may be unreadable.
func (s *Store) checkManifest(name string) error {
	f, err := s.o.FS.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	clean, err := s.readFile(cleanFile)
	if err != nil {
		return err
	}
	for at := 0; at < len(b); {
		block := b[at:min(len(b), at-at%logBlock+logBlock)]
		if len(block) < chunkHead {
			at += len(block)
			continue
		}
		n := chunkHead + int(binary.LittleEndian.Uint16(block[4:]))
		if n <= len(block) && binary.LittleEndian.Uint32(block) == checksum(block[6:n]) {
			at += n
			continue
		}
		if clean != "" {
			n = 0
		}
		if after := b[at+min(n, len(block)):]; len(bytes.TrimLeft(after, "\x00")) > 0 {
			return fmt.Errorf("%s is unreadable at byte %d of %d", name, at, len(b))
		}
		return nil
	}
	return nil
}

// checkLog refuses a store that was not closed in order and has no log: one is
// always being written, and the database would not miss it.
func (s *Store) checkLog() error {
	clean, err := s.readFile(cleanFile)
	if err != nil || clean != "" {
		return err
	}
	names, err := s.o.FS.List(s.dir)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".log") }) {
		return errors.New("it was not closed in order, and the log of its last commits is missing (NUMBER.log)")
	}
	return nil
}

// checksum is that of a chunk: CRC-32C, masked as in LevelDB's logs.
func checksum(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}
