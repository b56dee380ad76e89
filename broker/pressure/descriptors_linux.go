package pressure

import "syscall"

// Descriptors returns how many file descriptors this process may have, and how
// many of these are to be kept from connections, for the store and for files:
// 64 and 5 %. Go has raised the limit as far as it may. 0 = not known.
func Descriptors() (limit, reserve int) {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil || r.Cur == 0 {
		return 0, 0
	}
	limit = int(min(r.Cur, 1<<30))
	return limit, min(64+limit/20, limit/2)
}
