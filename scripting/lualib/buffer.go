package lualib

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/sandbox"
)

// buffer is output that grows. Memory is charged before it is allocated, old and
// new while it moves: room raises an error when there is none left. Owned by the
// call.
type buffer struct {
	L *lua.LState
	s *sandbox.State
	b []byte
}

// firstRoom is what a buffer begins with, in bytes.
const firstRoom = 64

// room makes place for n bytes more, which then may be appended to b.
func (w *buffer) room(n int) {
	if cap(w.b)-len(w.b) >= n {
		return
	}
	size := max(firstRoom, 2*cap(w.b), len(w.b)+n)
	w.s.Charge(w.L, size)
	grown := make([]byte, len(w.b), size)
	copy(grown, w.b)
	w.b = grown
}

// text appends v.
func (w *buffer) text(v string) {
	w.room(len(v))
	w.b = append(w.b, v...)
}

// value makes a string of what was written.
func (w *buffer) value() lua.LValue { return Text(w.L, w.s, w.b) }
