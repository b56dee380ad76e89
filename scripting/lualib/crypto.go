package lualib

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// digests are the hash functions by the names scripts use.
var digests = map[string]func() hash.Hash{
	"md5": md5.New, "sha": sha1.New, "sha1": sha1.New,
	"sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	"sha3_224": func() hash.Hash { return sha3.New224() }, "sha3_256": func() hash.Hash { return sha3.New256() },
	"sha3_384": func() hash.Hash { return sha3.New384() }, "sha3_512": func() hash.Hash { return sha3.New512() },
}

var (
	cryptoData      = Param{"data", "string", "bytes"}
	cryptoAlgorithm = Param{"algorithm", "string", "md5, sha, sha224, sha256, sha384, sha512, sha3_224, sha3_256, sha3_384 or sha3_512"}
)

var cryptoModule = Module{
	Name: "crypto", Doc: "Digests and encodings. Results of hash and hmac are raw bytes.",
	Functions: []Function{
		{Name: "hash", Params: []Param{cryptoAlgorithm, cryptoData}, Returns: "string", Doc: "Returns the digest of data as raw bytes."},
		{Name: "hmac", Params: []Param{cryptoAlgorithm, {"key", "string", "secret bytes"}, cryptoData}, Returns: "string",
			Doc: "Returns the HMAC (RFC 2104) of data as raw bytes."},
		{Name: "equal", Params: []Param{{"a", "string", "bytes"}, {"b", "string", "bytes"}}, Returns: "boolean",
			Doc: "Compares two strings in a time that does not depend on where they differ."},
		{Name: "random", Params: []Param{{"n", "integer", "how many bytes, 1 to 1024"}}, Returns: "string", Doc: "Returns random bytes fit for secrets."},
		{Name: "hex", Params: []Param{cryptoData}, Returns: "string", Doc: "Returns data as lower-case hexadecimal digits."},
		{Name: "base64_encode", Params: []Param{cryptoData}, Returns: "string", Doc: "Returns data in base64 (RFC 4648 section 4) with padding."},
		{Name: "base64_decode", Params: []Param{{"text", "string", "base64, padded or not"}}, Returns: "string?", Doc: "Returns the bytes, nil if the text is no base64."},
		{Name: "base64url_encode", Params: []Param{cryptoData}, Returns: "string", Doc: "Returns data in base64url (RFC 4648 section 5) without padding."},
		{Name: "base64url_decode", Params: []Param{{"text", "string", "base64url, padded or not"}}, Returns: "string?", Doc: "Returns the bytes, nil if the text is no base64url."},
	},
	open: func(b *binding) map[string]lua.LGFunction {
		digest := func(L *lua.LState, name string) func() hash.Hash {
			h := digests[name]
			if h == nil {
				L.RaiseError("crypto: there is no algorithm %q, there are %s", clip(name), strings.Join(slices.Sorted(maps.Keys(digests)), " "))
			}
			return h
		}
		push := func(L *lua.LState, h hash.Hash, data string) int {
			b.state.Spend(L, len(data)/16)
			b.state.Charge(L, len(data)+costString+h.Size())
			h.Write([]byte(data))
			L.Push(lua.LString(h.Sum(nil)))
			return 1
		}
		return map[string]lua.LGFunction{
			"hash": func(L *lua.LState) int { return push(L, digest(L, text(L, 1))(), text(L, 2)) },
			"hmac": func(L *lua.LState) int {
				b.state.Charge(L, len(text(L, 2)))
				return push(L, hmac.New(digest(L, text(L, 1)), []byte(text(L, 2))), text(L, 3))
			},
			"equal": func(L *lua.LState) int {
				b.state.Charge(L, len(text(L, 1))+len(text(L, 2))) // their copies
				L.Push(lua.LBool(subtle.ConstantTimeCompare([]byte(text(L, 1)), []byte(text(L, 2))) == 1))
				return 1
			},
			"random": func(L *lua.LState) int {
				n := int(L.Get(1).(lua.LNumber))
				if n < 1 || n > 1024 {
					L.RaiseError("crypto.random: n is %d, want 1 to 1024", n)
				}
				out := make([]byte, n)
				_, _ = rand.Read(out) // never fails
				L.Push(Text(L, b.state, out))
				return 1
			},
			"hex": func(L *lua.LState) int {
				b.state.Charge(L, 5*len(text(L, 1))+costString) // a copy, digits, their string
				L.Push(lua.LString(hex.EncodeToString([]byte(text(L, 1)))))
				return 1
			},
			"base64_encode": b.encode(base64.StdEncoding), "base64_decode": b.decode(base64.RawStdEncoding),
			"base64url_encode": b.encode(base64.RawURLEncoding), "base64url_decode": b.decode(base64.RawURLEncoding),
		}
	},
}

func (b *binding) encode(e *base64.Encoding) lua.LGFunction {
	return func(L *lua.LState) int {
		data := text(L, 1)
		b.state.Charge(L, 4*len(data)+costString)
		L.Push(lua.LString(e.EncodeToString([]byte(data))))
		return 1
	}
}

func (b *binding) decode(e *base64.Encoding) lua.LGFunction {
	return func(L *lua.LState) int {
		data := text(L, 1)
		b.state.Charge(L, 2*len(data)+costString)
		out, err := e.DecodeString(strings.TrimRight(data, "="))
		if err != nil {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(lua.LString(out))
		return 1
	}
}

// clip shortens what goes into an error.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
