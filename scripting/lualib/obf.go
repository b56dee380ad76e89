package lualib

import (
	lua "github.com/yuin/gopher-lua"
)

var obfModule = Module{
	Name: "obf", Doc: "Hides passwords from logs: auth_on_register gets them obfuscated.",
	Functions: []Function{
		{Name: "encrypt", Params: []Param{{"value", "string", "clear text"}}, Returns: "string", Doc: "Returns the obfuscated value."},
		{Name: "decrypt", Params: []Param{{"value", "string", "obfuscated value"}}, Returns: "string",
			Doc: "Returns the clear text; a value that is not obfuscated comes back unchanged. nil is an error."},
	},
	open: func(b *binding) map[string]lua.LGFunction {
		return map[string]lua.LGFunction{
			"encrypt": func(L *lua.LState) int {
				v := L.CheckString(1)
				b.state.Charge(L, 6*len(v)+256) // copy, cipher text, base64 of it, twice, with a marker
				L.Push(lua.LString(b.Secrets.Encrypt(v)))
				return 1
			},
			"decrypt": func(L *lua.LState) int {
				v := L.CheckString(1)
				b.state.Charge(L, 4*len(v)+costString) // copy, cipher text, clear text, its string
				L.Push(lua.LString(b.Secrets.Decrypt(v)))
				return 1
			},
		}
	},
}
