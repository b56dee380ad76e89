package auth

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
)

// hash is how a password is kept. Immutable.
type hash struct {
	iterations int // of PBKDF2; 0 = one round of SHA-512 over password and salt
	salt       []byte
	sum        [sha512.Size]byte
}

// maxIterations bounds what one registration may cost: about 5 s of a core.
const maxIterations = 10_000_000

// HashPassword returns "$6$SALT$HASH", as vmq-passwd and mosquitto_passwd 1.x
// write it: the salt and SHA-512 of password and salt, both in base64. The salt
// should be 12 random bytes.
func HashPassword(password, salt []byte) string {
	h := hash{salt: salt}
	h.sum = h.of(password)
	return "$6$" + base64.StdEncoding.EncodeToString(salt) + "$" + base64.StdEncoding.EncodeToString(h.sum[:])
}

// matches compares in a time that does not depend on where they differ.
func (h *hash) matches(password []byte) bool {
	sum := h.of(password)
	return subtle.ConstantTimeCompare(sum[:], h.sum[:]) == 1
}

// of hashes a password with the salt and cost of h.
func (h *hash) of(password []byte) (sum [sha512.Size]byte) {
	if h.iterations > 0 {
		key, err := pbkdf2.Key(sha512.New, string(password), h.salt, h.iterations, len(sum))
		if err != nil {
			panic("auth: PBKDF2 with checked parameters: " + err.Error())
		}
		copy(sum[:], key)
		return sum
	}
	return sha512.Sum512(append(password[:len(password):len(password)], h.salt...))
}

// parseHash reads $6$SALT$HASH or $7$ITERATIONS$SALT$HASH. The faults do not
// quote it.
func parseHash(s string) (h hash, f *fault) {
	again := "set the password again with lunemq passwd"
	fields := strings.Split(s, "$") // the first one is empty
	switch {
	case len(fields) == 4 && fields[1] == "6":
	case len(fields) == 5 && fields[1] == "7":
		n, err := strconv.Atoi(fields[2])
		if err != nil || n < 1 || n > maxIterations {
			return h, &fault{"the iterations of $7$ are not a number from 1 to " + strconv.Itoa(maxIterations), again}
		}
		h.iterations = n
	case len(fields) > 1 && (fields[1] == "6" || fields[1] == "7"):
		return h, &fault{"the hash does not look like $6$SALT$HASH or $7$ITERATIONS$SALT$HASH", again}
	default:
		return h, &fault{"the kind of hash is neither $6$ nor $7$", again}
	}
	salt, err := base64.StdEncoding.DecodeString(fields[len(fields)-2])
	if err != nil || len(salt) == 0 {
		return h, &fault{"the salt is not base64", again}
	}
	sum, err := base64.StdEncoding.DecodeString(fields[len(fields)-1])
	if err != nil || len(sum) != len(h.sum) {
		return h, &fault{"the hash is not 64 bytes in base64", again}
	}
	h.salt = salt
	copy(h.sum[:], sum)
	return h, nil
}
