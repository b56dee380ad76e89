package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Scopes are what an API key may be good for, one per module of the HTTP
// listener.
func Scopes() []string { return []string{"status", "mgmt", "metrics", "health", "api2", "httppub"} }

// Errors of Keys.Check.
var (
	ErrKeyUnknown = errors.New("admin: API key is unknown")
	ErrKeyScope   = errors.New("admin: API key is not for this scope")
	ErrKeyExpired = errors.New("admin: API key has expired")
)

// KeysConfig holds the limits of new API keys.
type KeysConfig struct {
	MinLength int // bytes a key must have at least, 0 = no limit (min_apikey_length)
	MaxDays   int // days a key may live at most, 0 = no limit (max_apikey_expiry_days)
}

// Key is what is kept of an API key. The key itself is not: it cannot be shown
// again.
type Key struct {
	ID      string    `json:"id"`   // first 12 hexadecimal digits of Hash
	Hash    string    `json:"hash"` // SHA-256 of the key, hexadecimal
	Scope   string    `json:"scope"`
	Expires time.Time `json:"expires,omitzero"` // zero = never
}

// Keys are the API keys of a node, one entry per key and scope, kept in a JSON
// file. Safe for concurrent use; its lock is a leaf, held while the file is
// written, so Check may wait for a disk while an operator changes keys.
type Keys struct {
	path   string
	random io.Reader

	mu     sync.RWMutex
	config KeysConfig
	keys   []Key
}

type keyFile struct {
	Version int   `json:"version"`
	Keys    []Key `json:"keys"`
}

// OpenKeys reads the keys of a file; one that does not exist holds none and is
// made with the first key, mode 0600. random is crypto/rand.Reader. Errors: a
// file that cannot be read, is not JSON or of a later version.
func OpenKeys(path string, config KeysConfig, random io.Reader) (*Keys, error) {
	k := &Keys{path: path, config: config, random: random}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, fmt.Errorf("admin: read API keys: %w", err)
	}
	var f keyFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("admin: API keys in %s: %w", path, err)
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("admin: API keys in %s have version %d, this broker knows 1", path, f.Version)
	}
	k.keys = f.Keys
	return k, nil
}

// Apply sets the limits of keys made from now on.
func (k *Keys) Apply(config KeysConfig) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.config = config
}

// Create makes a key of 32 random bytes, in base64url without padding, for
// each of the scopes, and returns it; it is not stored and cannot be had
// again. expires zero means never. Errors as Add.
func (k *Keys) Create(now time.Time, scopes []string, expires time.Time) (string, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(k.random, raw); err != nil {
		return "", fmt.Errorf("admin: make API key: %w", err)
	}
	key := base64.RawURLEncoding.EncodeToString(raw)
	return key, k.Add(now, key, scopes, expires)
}

// Add stores a key of the operator's own. The error of an unknown scope, of a
// key that is empty, too short or contains ":" (basic authentication could not
// carry it), and of an expiry that has passed or lies too far ahead, wraps
// ErrUsage. Nothing is stored on error.
func (k *Keys) Add(now time.Time, key string, scopes []string, expires time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.permit(now, key, scopes, expires); err != nil {
		return err
	}
	hash := hashKey(key)
	keys := slices.Clone(k.keys)
	for _, s := range scopes {
		keys = slices.DeleteFunc(keys, func(e Key) bool { return e.Hash == hash && e.Scope == s })
		keys = append(keys, Key{ID: hash[:12], Hash: hash, Scope: s, Expires: expires.UTC()})
	}
	return k.replace(keys)
}

func (k *Keys) permit(now time.Time, key string, scopes []string, expires time.Time) error {
	if key == "" || len(key) < k.config.MinLength {
		return fmt.Errorf("%w: key has %d bytes, min_apikey_length is %d", ErrUsage, len(key), max(k.config.MinLength, 1))
	}
	if strings.Contains(key, ":") {
		return fmt.Errorf("%w: key must not contain \":\"", ErrUsage)
	}
	if len(scopes) == 0 {
		return fmt.Errorf("%w: no scope given; valid: %s", ErrUsage, strings.Join(Scopes(), ", "))
	}
	for _, s := range scopes {
		if !slices.Contains(Scopes(), s) {
			return fmt.Errorf("%w: unknown scope %q%s", ErrUsage, s, suggest(s, Scopes()))
		}
	}
	if !expires.IsZero() && !expires.After(now) {
		return fmt.Errorf("%w: expires=%s has passed", ErrUsage, cell(expires))
	}
	if days := k.config.MaxDays; days > 0 {
		if last := now.AddDate(0, 0, days); expires.IsZero() || expires.After(last) {
			return fmt.Errorf("%w: expires= must be at most %s (max_apikey_expiry_days is %d)", ErrUsage, cell(last), days)
		}
	}
	return nil
}

// Delete removes a key, given itself or by ID, from one scope, "" for all.
// It returns the number of entries removed.
func (k *Keys) Delete(keyOrID, scope string) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	hash := hashKey(keyOrID)
	keys := slices.DeleteFunc(slices.Clone(k.keys), func(e Key) bool {
		return (e.Hash == hash || e.ID == keyOrID) && (scope == "" || e.Scope == scope)
	})
	n := len(k.keys) - len(keys)
	if n == 0 {
		return 0, nil
	}
	return n, k.replace(keys)
}

// List returns all entries in the order they were made.
func (k *Keys) List() []Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return slices.Clone(k.keys)
}

// Check returns nil if the key is good for the scope now, else ErrKeyUnknown,
// ErrKeyScope or ErrKeyExpired. Its time does not depend on how much of the
// key is right.
func (k *Keys) Check(now time.Time, key, scope string) error {
	hash := []byte(hashKey(key))
	k.mu.RLock()
	defer k.mu.RUnlock()
	result := ErrKeyUnknown
	for _, e := range k.keys {
		if subtle.ConstantTimeCompare([]byte(e.Hash), hash) != 1 {
			continue
		}
		switch {
		case e.Scope != scope:
			if result == ErrKeyUnknown {
				result = ErrKeyScope
			}
		case e.expired(now):
			result = ErrKeyExpired
		default:
			return nil
		}
	}
	return result
}

func (e *Key) expired(now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// replace writes the keys to a new file that takes the place of the old one,
// so that a crash leaves one or the other, and then puts them in force.
func (k *Keys) replace(keys []Key) error {
	data, err := json.MarshalIndent(keyFile{Version: 1, Keys: keys}, "", "  ")
	if err == nil {
		err = replaceFile(k.path, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("admin: write API keys: %w", err)
	}
	k.keys = keys
	return nil
}

func replaceFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
