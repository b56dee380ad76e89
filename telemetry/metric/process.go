package metric

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// process holds the figures of the process itself as of the last refresh; the
// catalogue's lock guards it. Units are those of the catalogue.
type process struct {
	ContextSwitches, GCCount, IOIn, IOOut, Runtime, Wallclock int64
	RunQueue, ProcessCount, Utilization                       int64
	MemoryTotal, MemoryObjects, MemoryStacks, MemoryReleased  int64
	MemoryGoal, MemoryFreed, GCCPU, Resident                  int64

	started, last time.Time
	lastCPU       time.Duration
	samples       []metrics.Sample
	targets       []*int64 // where samples go, in their order
}

// osFigures is what the operating system tells about the process.
type osFigures struct {
	cpu             time.Duration
	contextSwitches int64
	ioIn, ioOut     int64 // bytes
	resident        int64 // bytes
}

func newProcess() *process {
	p := &process{}
	for _, s := range []struct {
		name string
		to   *int64
	}{
		{"/gc/cycles/total:gc-cycles", &p.GCCount},
		{"/sched/goroutines:goroutines", &p.ProcessCount},
		{"/sched/goroutines/runnable:goroutines", &p.RunQueue},
		{"/memory/classes/total:bytes", &p.MemoryTotal},
		{"/memory/classes/heap/objects:bytes", &p.MemoryObjects},
		{"/memory/classes/heap/stacks:bytes", &p.MemoryStacks},
		{"/memory/classes/heap/released:bytes", &p.MemoryReleased},
		{"/gc/heap/goal:bytes", &p.MemoryGoal},
		{"/gc/heap/frees:bytes", &p.MemoryFreed},
		{"/cpu/classes/gc/total:cpu-seconds", &p.GCCPU},
	} {
		p.samples = append(p.samples, metrics.Sample{Name: s.name})
		p.targets = append(p.targets, s.to)
	}
	return p
}

// refresh reads all figures. The first call sets the start of Wallclock.
func (p *process) refresh(now time.Time) {
	metrics.Read(p.samples)
	for i, s := range p.samples {
		switch s.Value.Kind() {
		case metrics.KindUint64:
			*p.targets[i] = int64(s.Value.Uint64())
		case metrics.KindFloat64: // seconds
			*p.targets[i] = int64(s.Value.Float64() * 1e6)
		}
	}
	os := readOS()
	p.ContextSwitches, p.IOIn, p.IOOut, p.Resident = os.contextSwitches, os.ioIn, os.ioOut, os.resident
	p.Runtime = os.cpu.Milliseconds()
	if p.started.IsZero() {
		p.started, p.last, p.lastCPU = now, now, os.cpu
	}
	p.Wallclock = now.Sub(p.started).Milliseconds()
	if span := now.Sub(p.last) * time.Duration(runtime.GOMAXPROCS(0)); span > 0 {
		p.Utilization = min(int64(100*(os.cpu-p.lastCPU)/span), 100)
	}
	p.last, p.lastCPU = now, os.cpu
}
