package listener

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/gobwas/ws"
)

// masked returns frames as a client sends them.
func masked(frames ...ws.Frame) []byte {
	var b []byte
	for i, f := range frames {
		f = ws.MaskFrameWith(f, [4]byte{byte(i), 0xa5, 0x5a, 0xff})
		b = append(b, ws.MustCompileFrame(f)...)
	}
	return b
}

func frame(op ws.OpCode, fin bool, p string) ws.Frame { return ws.NewFrame(op, fin, []byte(p)) }

// twin takes frames apart in the simplest way, whole frames from one slice.
func twin(input []byte, limit int64) (payload, controls []byte, code ws.StatusCode) {
	r := bytes.NewReader(input)
	open := false
	for {
		h, err := ws.ReadHeader(r)
		if errors.Is(err, ws.ErrHeaderLengthMSB) {
			return payload, controls, ws.StatusProtocolError
		}
		if err != nil {
			return payload, controls, 0
		}
		state := ws.StateServerSide
		if open {
			state |= ws.StateFragmented
		}
		switch {
		case ws.CheckHeader(h, state) != nil:
			return payload, controls, ws.StatusProtocolError
		case h.OpCode == ws.OpText:
			return payload, controls, ws.StatusUnsupportedData
		case h.Length > limit:
			return payload, controls, ws.StatusMessageTooBig
		}
		p, _ := io.ReadAll(io.LimitReader(r, h.Length))
		ws.Cipher(p, h.Mask, 0)
		if !h.OpCode.IsControl() {
			payload = append(payload, p...)
			open = !h.Fin
		}
		if int64(len(p)) < h.Length {
			return payload, controls, 0
		}
		if h.OpCode.IsControl() {
			controls = append(append(controls, byte(h.OpCode), byte(len(p))), p...)
			if h.OpCode == ws.OpClose {
				return payload, controls, ws.StatusNormalClosure
			}
		}
	}
}

// taken decodes input in portions of the given size.
func taken(input []byte, portion int, limit int64) (payload, controls []byte, code ws.StatusCode) {
	f := frames{max: limit}
	f.control = func(op ws.OpCode, p []byte) error {
		controls = append(append(controls, byte(op), byte(len(p))), p...)
		if op == ws.OpClose {
			return io.EOF
		}
		return nil
	}
	for rest := bytes.Clone(input); len(rest) > 0; {
		part := rest[:min(portion, len(rest))]
		rest = rest[len(part):]
		n, err := f.decode(part)
		payload = append(payload, part[:n]...)
		var r *refusal
		switch {
		case errors.As(err, &r):
			return payload, controls, r.code
		case err != nil:
			return payload, controls, ws.StatusNormalClosure
		}
	}
	return payload, controls, 0
}

func compare(t *testing.T, input []byte, portion int) {
	t.Helper()
	const limit = 1000
	p, c, code := taken(input, portion, limit)
	wantP, wantC, wantCode := twin(input, limit)
	if !bytes.Equal(p, wantP) || !bytes.Equal(c, wantC) || code != wantCode {
		t.Errorf("% x in portions of %d:\n got %q, %q, %d\nwant %q, %q, %d", input, portion, p, c, code, wantP, wantC, wantCode)
	}
}

var samples = [][]byte{
	masked(frame(ws.OpBinary, true, "hello")),
	masked(frame(ws.OpBinary, false, "he"), frame(ws.OpPing, true, "now"), frame(ws.OpContinuation, false, ""), frame(ws.OpContinuation, true, "llo"), frame(ws.OpBinary, true, "again")),
	masked(frame(ws.OpBinary, true, string(bytes.Repeat([]byte("x"), 126))), frame(ws.OpBinary, true, string(bytes.Repeat([]byte("y"), 999)))),
	masked(frame(ws.OpBinary, true, string(bytes.Repeat([]byte("z"), 1001)))),
	masked(frame(ws.OpBinary, true, string(bytes.Repeat([]byte("z"), 70000)))),
	masked(frame(ws.OpBinary, true, "a"), frame(ws.OpText, true, "text")),
	masked(frame(ws.OpContinuation, true, "of nothing")),
	masked(frame(ws.OpBinary, false, "a"), frame(ws.OpBinary, true, "in between")),
	masked(frame(ws.OpPing, false, "in pieces")),
	masked(frame(ws.OpPing, true, string(bytes.Repeat([]byte("p"), 126)))),
	masked(frame(3, true, "reserved")),
	masked(frame(ws.OpClose, true, "\x03\xe8bye"), frame(ws.OpBinary, true, "after")),
	ws.MustCompileFrame(frame(ws.OpBinary, true, "not masked")),
	{0xc2, 0x80, 0, 0, 0, 0}, // RSV1
	{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4},
	{0x82},
}

func TestFrames(t *testing.T) {
	for _, s := range samples {
		for _, portion := range []int{1, 2, 3, 7, 1 << 20} {
			compare(t, s, portion)
		}
	}
}

func FuzzFrames(f *testing.F) {
	for i, s := range samples {
		f.Add(s, i)
	}
	f.Fuzz(func(t *testing.T, input []byte, portion int) { compare(t, input, max(portion, 1)) })
}

func TestFrames_Allocs(t *testing.T) {
	whole := masked(frame(ws.OpBinary, true, "hello"))
	p := make([]byte, len(whole))
	f := frames{max: 100}
	if n := testing.AllocsPerRun(1000, func() {
		copy(p, whole)
		_, _ = f.decode(p)
	}); n != 0 {
		t.Errorf("decode allocates %v times", n)
	}
}
