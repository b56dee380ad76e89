package pressure

import (
	"runtime"
	"runtime/metrics"
)

// inUse is the memory of the process that could not be given back at once: all
// that is resident, the program itself included, but what Go keeps free.
func inUse() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(s)
	mapped, free := int64(s[0].Value.Uint64()-s[1].Value.Uint64()), int64(s[2].Value.Uint64())
	return max(resident(), mapped) - free
}

// collect collects garbage if there is much of it, or with all in any case: near
// its limit Go waits for the limit with that, and what is garbage must not be
// taken for memory in use.
func collect(all bool) bool {
	if !all {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
		metrics.Read(s)
		objects, live := s[0].Value.Uint64(), s[1].Value.Uint64()
		if objects-min(live, objects) < objects/16 {
			return false
		}
	}
	runtime.GC()
	return true
}
