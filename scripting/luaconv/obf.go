package luaconv

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Obfuscation hides passwords from what scripts print or log by accident. The
// key lives as long as the process, or comes from a secret that several
// processes share. Safe for concurrent use.
type Obfuscation struct{ aead cipher.AEAD }

// marker begins an obfuscated value.
const marker = "$obf$"

// NewObfuscation returns an Obfuscation; an empty secret stands for a random
// one.
func NewObfuscation(secret string) *Obfuscation {
	key := sha256.Sum256([]byte(secret))
	if secret == "" {
		_, _ = rand.Read(key[:])
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return &Obfuscation{aead}
}

// Encrypt obfuscates a value.
func (o *Obfuscation) Encrypt(v string) string {
	return marker + base64.RawStdEncoding.EncodeToString(o.aead.Seal(nil, nil, []byte(v), nil))
}

// Decrypt returns the clear text; a value that is not obfuscated, or by
// another key, comes back unchanged.
func (o *Obfuscation) Decrypt(v string) string {
	rest, ok := strings.CutPrefix(v, marker)
	if !ok {
		return v
	}
	raw, err := base64.RawStdEncoding.DecodeString(rest)
	if err != nil {
		return v
	}
	plain, err := o.aead.Open(nil, nil, raw, nil)
	if err != nil {
		return v
	}
	return string(plain)
}
