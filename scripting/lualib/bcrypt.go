package lualib

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"
	"strconv"

	lua "github.com/yuin/gopher-lua"
	"golang.org/x/crypto/blowfish" //lint:ignore SA1019 bcrypt is defined by it
)

var bcryptModule = Module{
	Name: "bcrypt", Waits: true, Doc: "Hashes passwords slowly. As many at a time as bcrypt.pool_size says; others wait.",
	Functions: []Function{
		{Name: "gen_salt", Returns: "string", Doc: "Returns a new salt with the cost of bcrypt.default_log_rounds."},
		{Name: "hashpw", Params: []Param{{"password", "string", "clear text, of which the first 72 bytes count"}, {"salt", "string", "from gen_salt, or an earlier hash ($2a$, $2b$ or $2y$)"}},
			Returns: "string", Doc: "Returns the hash. It equals an earlier hash given as salt if the password is the same."},
	},
	open: func(b *binding) map[string]lua.LGFunction {
		return map[string]lua.LGFunction{
			"gen_salt": func(L *lua.LState) int {
				L.Push(Text(L, b.state, b.hasher.salt()))
				return 1
			},
			"hashpw": func(L *lua.LState) int {
				b.state.Charge(L, 8<<10)
				ctx, cancel := b.state.Context()
				defer cancel()
				out, err := b.hasher.hash(ctx, text(L, 1), text(L, 2))
				if err != nil {
					L.RaiseError("bcrypt.hashpw: %s", err.Error())
				}
				L.Push(lua.LString(out))
				return 1
			},
		}
	},
}

// BcryptWorkers is how many hashes are made at a time; 0 = half as many as there
// are processors, so that a rush of clients leaves the others theirs.
type BcryptWorkers int

// UnmarshalText reads a number from 1 to 1024, or auto.
func (w *BcryptWorkers) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*w = 0
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > 1024 {
		return fmt.Errorf("want auto or a whole number from 1 to 1024, got %q", text)
	}
	*w = BcryptWorkers(n)
	return nil
}

// MarshalText is the opposite of UnmarshalText.
func (w BcryptWorkers) MarshalText() ([]byte, error) {
	if w == 0 {
		return []byte("auto"), nil
	}
	return strconv.AppendInt(nil, int64(w), 10), nil
}

func (w BcryptWorkers) count() int {
	if w == 0 {
		return max(1, runtime.GOMAXPROCS(0)/2)
	}
	return int(w)
}

// hasher makes bcrypt hashes, a bounded number at a time. Safe for concurrent
// use.
//
// The algorithm is here and not x/crypto/bcrypt, which takes no salt and cannot
// be interrupted.
type hasher struct {
	slots  chan struct{}
	rounds int // binary logarithm
}

func newHasher(workers, rounds int) *hasher {
	return &hasher{make(chan struct{}, workers), rounds}
}

// bcrypt64 is base64 with an alphabet of its own.
var bcrypt64 = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)

// Shape of a salt, $2a$12$ with 22 digits, to which a hash adds 31.
const (
	prefixLen, saltLen, hashLen = 7, 22, 31
	minRounds, maxRounds        = 4, 31
)

func (h *hasher) salt() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	return fmt.Sprintf("$2a$%02d$%s", h.rounds, bcrypt64.EncodeToString(raw))
}

// parseSalt reads a salt or a hash.
func parseSalt(s string) (rounds int, raw []byte, err error) {
	bad := fmt.Errorf("the salt is none: want $2a$NN$ and 22 digits as bcrypt.gen_salt returns them, or a hash")
	if len(s) != prefixLen+saltLen && len(s) != prefixLen+saltLen+hashLen || s[0] != '$' || s[1] != '2' || s[3] != '$' || s[6] != '$' {
		return 0, nil, bad
	}
	if s[2] != 'a' && s[2] != 'b' && s[2] != 'y' {
		return 0, nil, bad
	}
	rounds, err = strconv.Atoi(s[4:6])
	if err != nil || rounds < minRounds || rounds > maxRounds {
		return 0, nil, fmt.Errorf("the salt asks for 2^%s rounds, want 04 to 31", s[4:6])
	}
	if raw, err = bcrypt64.DecodeString(s[prefixLen : prefixLen+saltLen]); err != nil {
		return 0, nil, bad
	}
	return rounds, raw, nil
}

// hash waits for its turn and hashes; it ends with ctx.
func (h *hasher) hash(ctx context.Context, password, salt string) (string, error) {
	rounds, raw, err := parseSalt(salt)
	if err != nil {
		return "", err
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return "", fmt.Errorf("gave up waiting for one of %d workers: %w; see bcrypt.pool_size", cap(h.slots), ctx.Err())
	}
	sum, err := bcryptSum(ctx, password, rounds, raw)
	if err != nil {
		return "", err
	}
	return salt[:prefixLen+saltLen] + bcrypt64.EncodeToString(sum), nil
}

// maxPassword is how many bytes of a password count.
const maxPassword = 72

// bcryptSum is bcrypt without the encoding around it. It looks at ctx every few
// milliseconds.
func bcryptSum(ctx context.Context, password string, rounds int, salt []byte) ([]byte, error) {
	key := append([]byte(password[:min(len(password), maxPassword)]), 0)
	key = key[:min(len(key), maxPassword)]
	c, err := blowfish.NewSaltedCipher(key, salt)
	if err != nil {
		return nil, err
	}
	for i := range uint64(1) << rounds {
		if i%32 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("hashing with 2^%d rounds was cut short: %w", rounds, ctx.Err())
		}
		blowfish.ExpandKey(key, c)
		blowfish.ExpandKey(salt, c)
	}
	text := []byte("OrpheanBeholderScryDoubt")
	for i := 0; i < len(text); i += 8 {
		for range 64 {
			c.Encrypt(text[i:i+8], text[i:i+8])
		}
	}
	return text[:23], nil // as all others do
}
