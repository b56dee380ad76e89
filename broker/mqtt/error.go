package mqtt

import "fmt"

// Error is the error that crosses package borders: Code is what the client may
// be told, Op and Err are for the operator. Immutable.
type Error struct {
	Op   string     // package and action, such as "packet: publish"
	Code ReasonCode // for CONNACK, DISCONNECT or an acknowledgement
	Err  error      // cause with the offending input, may be nil
}

// Errorf makes an Error whose cause is the formatted text.
func Errorf(op string, code ReasonCode, format string, args ...any) *Error {
	return &Error{Op: op, Code: code, Err: fmt.Errorf(format, args...)}
}

// Error returns "op: cause (reason_code)".
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Op + ": " + e.Code.String()
	}
	return e.Op + ": " + e.Err.Error() + " (" + e.Code.String() + ")"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
