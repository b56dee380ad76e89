//go:build !unix

package listener

import "errors"

func duplicate(uintptr) (int, error) { return -1, errors.ErrUnsupported }
