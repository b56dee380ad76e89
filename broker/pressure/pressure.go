package pressure

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// Config are the limits. Immutable.
type Config struct {
	_ struct{} `doc:"Memory and disk"`

	Memory  value.Share `key:"memory_limit" default:"70%" reload:"live" doc:"Memory the whole broker may use, in bytes or as a share of what the machine or its cgroup has. From 90 % of it on, publishers are read more slowly, those that send most first, and new connections are refused; from 95 % on, clients that hold much and do not move are ended; at 100 %, or when that does not help within 5 s, those that hold most."`
	MinFree value.Share `key:"min_free_disk" default:"5%" reload:"live" doc:"Space to be left free where data_dir lies, in bytes or as a share of the disk, of which at least 1GB. Below it QoS 1 and 2 messages for durable sessions are refused; retained messages of QoS 0 are stored down to half of it."`
}

// floor is the least that a share of the disk stands for.
const floor = 1 << 30

// Level is how near the memory limit is.
type Level int32

// Levels of memory use.
const (
	Normal Level = iota
	High         // 80 %: nothing is kept in memory that is also on disk
	Severe       // 90 %: publishers are slowed down, new clients refused
)

// Watch samples memory and disk. Safe for concurrent use.
type Watch struct {
	alarms *alarm.List
	dir    string
	cfg    atomic.Pointer[Config]
	stop   chan struct{}
	done   sync.WaitGroup

	busy   atomic.Bool   // a client has sent something since the last sample
	asleep atomic.Bool   // the next sample is idle away
	wake   chan struct{} // room for one

	used, limit atomic.Int64
	held        atomic.Int64 // bytes of input that waits for more
	counted     atomic.Int64 // of these, what is part of used
	taken       atomic.Int64 // bytes that have come in, ever
	seen        atomic.Int64 // of these, what is part of used
	level       atomic.Int32
	free        atomic.Int64
	lowDisk     atomic.Bool
	fullDisk    atomic.Bool
	onLevel     atomic.Pointer[func(Level)]
	onShort     atomic.Pointer[func(Shortage) bool]
	ended       atomic.Bool // what it ended is garbage that was not looked for
	rounds      int         // how often in a row it ended somebody; run's
	again       time.Time   // when it may be told next; run's
	shortSince  time.Time   // when the shortage began, or somebody was ended last; run's
	lastUsed    int64       // at the last shortage; run's

	// What the machine says, replaced in tests.
	memory  func() (used int64)
	collect func(all bool) bool // makes memory tell the truth, nil = nothing
	total   func() int64
	disk    func(dir string) (free, size int64, err error)
}

// interval is the time between two samples while clients send, and idle while
// nobody does: then there is little that could use memory.
const (
	interval = time.Second
	idle     = 10 * time.Second
	hurried  = interval / 4 // while memory is short
)

// New starts to watch; Close ends it. dir is where the disk is looked at;
// alarms, which may be nil, tells the operator.
func New(cfg *Config, dir string, alarms *alarm.List) *Watch {
	w := &Watch{alarms: alarms, dir: dir, stop: make(chan struct{}), wake: make(chan struct{}, 1), memory: inUse, collect: collect, total: machineMemory, disk: diskSpace}
	w.Apply(cfg)
	w.done.Go(w.run)
	return w
}

// Apply puts other limits in force and tells Go's collector.
func (w *Watch) Apply(cfg *Config) {
	w.cfg.Store(cfg)
	limit := int64(cfg.Memory.Of(value.ByteSize(w.total())))
	w.limit.Store(limit)
	if limit > 0 {
		debug.SetMemoryLimit(limit)
	}
	w.sample()
}

// Close ends the watching.
func (w *Watch) Close() {
	close(w.stop)
	w.done.Wait()
}

func (w *Watch) run() {
	next := time.NewTimer(interval)
	defer next.Stop()
	disk := time.Now()
	for {
		select {
		case <-next.C:
		case <-w.wake:
		case <-w.stop:
			return
		}
		w.sampleMemory()
		now := time.Now()
		if now.Sub(disk) >= interval { // it is not what may grow within less
			disk = now
			w.sampleDisk()
		}
		short := w.relieve(now)
		calm := !w.busy.Swap(false) && w.Level() == Normal
		w.asleep.Store(calm)
		switch {
		case calm:
			next.Reset(idle)
		case short:
			next.Reset(hurried)
		default:
			next.Reset(interval)
		}
	}
}

// noteInput says that a client has sent something.
func (w *Watch) noteInput() {
	if !w.busy.Load() {
		w.busy.Store(true)
	}
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		w.rouse()
	}
}

// rouse asks for a sample.
func (w *Watch) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Hold says that n bytes of input more, or less, wait in memory for the rest of
// their packets. They count at once: between two samples many may come.
func (w *Watch) Hold(n int64) {
	if w == nil || n == 0 {
		return
	}
	grown := w.held.Add(n) - w.counted.Load()
	w.grown(max(grown, -grown))
}

// Took says that about n bytes have come in, or were put where they wait. They
// count as used until a sample has looked at what became of them, and rouse one:
// so the limit holds however fast they come.
func (w *Watch) Took(n int) {
	if w == nil || n <= 0 {
		return
	}
	w.grown(w.taken.Add(int64(n)) - w.seen.Load())
}

// Samples come at least once for each 64th of the limit that memory may have
// grown by, or once per minStep bytes if that is less.
const minStep = 1 << 20

// grown asks for a sample if n bytes are too many to go on without.
func (w *Watch) grown(n int64) {
	if limit := w.limit.Load(); limit > 0 && n > max(limit/64, minStep) {
		w.rouse()
	}
}

// estimate is what is in use, as far as it is known without a sample.
func (w *Watch) estimate() int64 {
	grown := w.held.Load() - w.counted.Load()
	if grown > 0 {
		grown *= 2 // buffers double
	}
	return w.used.Load() + grown + max(0, w.taken.Load()-w.seen.Load())
}

// Shares of the limit, in percent: from short on it is not enough to slow
// clients down, those that hold much and do not move must go, until used is
// below ample; from 100 on others too, until used is below over.
const (
	ample = 90
	short = 95
	over  = 98
)

// patience is how long a shortage may last that slowing down does not end: if all
// wait in the middle of their packets, nobody's memory comes back.
const patience = 5 * time.Second

// Shortage is by how much more memory is used than can be borne by slowing
// clients down.
type Shortage struct {
	Stopped int64 // bytes to be freed by ending those that do not move
	Any     int64 // of these, what others are to free if those do not; 0 = they may stay
}

// OnShort sets who is told of a shortage after each sample that finds one. f
// runs in the watch's own goroutine and reports whether it has ended somebody.
func (w *Watch) OnShort(f func(Shortage) bool) { w.onShort.Store(&f) }

// relieve tells of a shortage, and reports whether there is one. What several
// hold counts for each of them: if what was asked for did not help, the next
// time twice as much is asked for. To help takes a moment, and to look for who
// could, among many clients, must not become all that is done.
func (w *Watch) relieve(now time.Time) bool {
	used, limit := w.used.Load(), w.limit.Load()
	if limit <= 0 || used < limit/100*short {
		w.rounds, w.shortSince, w.lastUsed = 0, time.Time{}, 0
		return false
	}
	if w.shortSince.IsZero() {
		w.shortSince = now
	}
	f := w.onShort.Load()
	if f == nil || now.Before(w.again) {
		return true
	}
	if used < w.lastUsed { // what was done helps
		w.rounds = 0
	}
	w.lastUsed = used
	x := Shortage{Stopped: (used - limit/100*ample) << w.rounds}
	switch {
	case used >= limit:
		x.Any = (used - limit/100*over) << w.rounds
	case now.Sub(w.shortSince) >= patience: // all are slowed down, and none can finish
		x.Any = used - limit/100*ample
	}
	begin := time.Now()
	if (*f)(x) {
		w.ended.Store(true)
		w.shortSince = now
		w.rounds = min(w.rounds+1, 10)
	}
	w.again = now.Add(max(hurried, 10*time.Since(begin)))
	return true
}

// sample looks once and reports changes.
func (w *Watch) sample() {
	w.sampleMemory()
	w.sampleDisk()
}

func (w *Watch) sampleMemory() {
	held, taken, limit := w.held.Load(), w.taken.Load(), w.limit.Load()
	used := w.memory()
	if limit > 0 && used >= limit/10*9 && w.collect != nil && w.collect(w.ended.Swap(false)) {
		held, taken = w.held.Load(), w.taken.Load()
		used = w.memory()
	}
	w.saw(used, held, taken)
	w.ring(alarm.MemoryHigh, 80, used, limit)
	w.ring(alarm.MemorySevere, 90, used, limit)
}

// saw takes what a sample has found, in which so much of what was held and taken
// is counted.
func (w *Watch) saw(used, held, taken int64) {
	w.counted.Store(held)
	w.seen.Store(taken)
	w.used.Store(used)
	level := Normal
	switch limit := w.limit.Load(); {
	case limit <= 0:
	case used >= limit/10*9:
		level = Severe
	case used >= limit/10*8:
		level = High
	}
	if old := Level(w.level.Swap(int32(level))); old != level {
		if f := w.onLevel.Load(); f != nil {
			(*f)(level)
		}
	}
}

// hysteresis is how far below its threshold, in percent of the limit, an alarm
// about memory ends, so that it does not come and go with every collection.
const hysteresis = 5

// ring raises an alarm from percent of the limit on.
func (w *Watch) ring(name alarm.Name, percent, used, limit int64) {
	switch {
	case limit <= 0 || used < limit/100*(percent-hysteresis):
		w.alarms.Clear(name, "")
	case used >= limit/10*(percent/10): // as the levels are
		w.alarms.Raise(name, "", fmt.Sprintf("over %d %% of memory_limit (%d MB) are in use", percent, limit>>20))
	}
}

func (w *Watch) sampleDisk() {
	cfg := w.cfg.Load()
	free, size, err := w.disk(w.dir)
	if err != nil {
		return
	}
	w.free.Store(free)
	need := int64(cfg.MinFree.Of(value.ByteSize(size)))
	if cfg.MinFree.Bytes == 0 && cfg.MinFree.Percent > 0 {
		need = max(need, floor)
	}
	low := free < need
	w.lowDisk.Store(low)
	w.fullDisk.Store(free < need/2)
	if !low {
		w.alarms.Clear(alarm.DiskLow, w.dir)
		return
	}
	w.alarms.Raise(alarm.DiskLow, w.dir, fmt.Sprintf("less than %d MB (min_free_disk) are free: nothing is acknowledged that must be stored; below half of it nothing more is stored at all", need>>20))
}

// OnLevel sets who is told of changes; f must not block.
func (w *Watch) OnLevel(f func(Level)) { w.onLevel.Store(&f) }

// Level returns the present level.
func (w *Watch) Level() Level {
	if w == nil {
		return Normal
	}
	return Level(w.level.Load())
}

// Memory returns the bytes in use and the limit, 0 for none.
func (w *Watch) Memory() (used, limit int64) { return w.used.Load(), w.limit.Load() }

// FreeDisk is how many bytes were free where data_dir lies, at the last look.
func (w *Watch) FreeDisk() int64 { return w.free.Load() }

// FullDisk reports whether less than half of min_free_disk is left.
func (w *Watch) FullDisk() bool { return w != nil && w.fullDisk.Load() }

// LowDisk reports whether less than min_free_disk is left.
func (w *Watch) LowDisk() bool { return w != nil && w.lowDisk.Load() }

// Allowance is how many bytes one connection may send per second at the
// present level; 0 = any number. The nearer the limit, the fewer, so that those
// who send most are slowed down first. It is to be asked whenever a client has
// sent something.
func (w *Watch) Allowance() int {
	if w == nil {
		return 0
	}
	w.noteInput()
	used, limit := w.estimate(), w.limit.Load()
	if limit <= 0 || used < limit/10*9 {
		return 0
	}
	switch percent := used * 100 / limit; {
	case percent < 93:
		return 256 << 10
	case percent < 96:
		return 32 << 10
	case percent < 99:
		return 4 << 10
	}
	return 512
}

// String returns the level in words.
func (l Level) String() string { return [...]string{"normal", "high", "severe"}[l] }

// Still returns a Watch that takes no samples, for tests: of limit bytes used
// ones are in use, and what Hold and Took say.
func Still(used, limit int64) *Watch {
	w := new(Watch)
	w.cfg.Store(new(Config))
	w.limit.Store(limit)
	w.Say(used)
	return w
}

// Say is the sample of a Still Watch.
func (w *Watch) Say(used int64) { w.saw(used, w.held.Load(), w.taken.Load()) }
