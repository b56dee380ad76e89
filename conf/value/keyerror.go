package value

// KeyError is an error about what a configuration key names, such as a file.
// It has the text of Err; whoever knows the configuration can say where the key
// is written. Immutable.
type KeyError struct {
	Key string // of the whole configuration, or below that of its listener
	Err error
}

// Error returns the text of Err.
func (e *KeyError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *KeyError) Unwrap() error { return e.Err }
