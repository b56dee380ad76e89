package metric

// Figures of the process and of Go's runtime stand where VerneMQ shows those
// of the Erlang machine; its names are kept where the meaning is the same.
var systemEntries = []Entry{
	{Name: "system_context_switches", Field: "ContextSwitches", Unit: "switches", keep: true, OID: "6.1", Help: "Context switches of the process, voluntary and not."},
	{Name: "system_gc_count", Field: "GCCount", Unit: "collections", keep: true, OID: "6.2", Help: "Garbage collections completed."},
	{Name: "system_io_in", Field: "IOIn", Unit: "bytes", keep: true, OID: "6.3", Help: "Bytes read by the process from sockets and files (Linux)."},
	{Name: "system_io_out", Field: "IOOut", Unit: "bytes", keep: true, OID: "6.4", Help: "Bytes written by the process to sockets and files (Linux)."},
	{Name: "system_runtime", Field: "Runtime", Unit: "milliseconds", keep: true, OID: "6.5", Help: "CPU time used by the process in milliseconds."},
	{Name: "system_wallclock", Field: "Wallclock", Unit: "milliseconds", keep: true, OID: "6.6", Help: "Time since the catalogue was made, at start, in milliseconds."},
	{Name: "system_run_queue", Field: "RunQueue", Kind: KindGauge, Unit: "goroutines", OID: "6.7", Help: "Goroutines that wait for a processor."},
	{Name: "system_process_count", Field: "ProcessCount", Kind: KindGauge, Unit: "goroutines", OID: "6.8", Help: "Goroutines."},
	{Name: "system_utilization", Field: "Utilization", Kind: KindGauge, Unit: "percent", OID: "6.9", Help: "Share of the usable processors that the process used since the snapshot before, in percent."},
	{Name: "vm_memory_total", Field: "MemoryTotal", Kind: KindGauge, Unit: "bytes", OID: "6.10", Help: "Bytes of memory mapped by Go's runtime."},
	{Name: "go_memory_objects_bytes", Field: "MemoryObjects", Kind: KindGauge, Unit: "bytes", OID: "6.11", Help: "Bytes of heap objects, live or not yet swept."},
	{Name: "go_memory_stacks_bytes", Field: "MemoryStacks", Kind: KindGauge, Unit: "bytes", OID: "6.12", Help: "Bytes of goroutine stacks."},
	{Name: "go_memory_released_bytes", Field: "MemoryReleased", Kind: KindGauge, Unit: "bytes", OID: "6.13", Help: "Bytes of heap given back to the operating system."},
	{Name: "go_memory_goal_bytes", Field: "MemoryGoal", Kind: KindGauge, Unit: "bytes", OID: "6.14", Help: "Heap size at which the running garbage collection should end."},
	{Name: "go_memory_freed_bytes", Field: "MemoryFreed", Unit: "bytes", keep: true, OID: "6.15", Help: "Bytes of heap objects freed by garbage collection."},
	{Name: "go_gc_cpu_microseconds", Field: "GCCPU", Unit: "microseconds", keep: true, OID: "6.16", Help: "CPU time spent on garbage collection in microseconds, as the runtime estimates it."},
	{Name: "process_resident_memory_bytes", Field: "Resident", Kind: KindGauge, Unit: "bytes", OID: "6.17", Help: "Resident memory of the process (Linux)."},
}
