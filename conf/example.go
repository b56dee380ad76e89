package conf

import "io"

// WriteExample is a placeholder until the generator follows.
func WriteExample(w io.Writer, sections ...any) error { _, err := New(sections...); return err }
