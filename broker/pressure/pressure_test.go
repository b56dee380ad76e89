package pressure

import (
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

func watch(t *testing.T) (w *Watch, used *int64, free *int64) {
	t.Helper()
	used, free = new(int64), new(int64)
	*free = 50 << 30
	w = &Watch{alarms: new(alarm.List), dir: "/data", stop: make(chan struct{}),
		memory: func() int64 { return *used }, total: func() int64 { return 0 },
		disk: func(string) (int64, int64, error) { return *free, 100 << 30, nil }}
	var cfg Config
	for _, x := range []struct {
		to   interface{ UnmarshalText([]byte) error }
		text string
	}{{&cfg.Memory, "1000MB"}, {&cfg.MinFree, "5%"}} {
		if err := x.to.UnmarshalText([]byte(x.text)); err != nil {
			t.Fatal(err)
		}
	}
	w.cfg.Store(&cfg)
	w.limit.Store(int64(cfg.Memory.Of(value.ByteSize(0))))
	return w, used, free
}

func TestWatch_Levels(t *testing.T) {
	w, used, _ := watch(t)
	var told []Level
	w.OnLevel(func(l Level) { told = append(told, l) })
	last := 1 << 30
	for _, c := range []struct {
		mb   int64
		want Level
	}{{100, Normal}, {801, High}, {901, Severe}, {940, Severe}, {970, Severe}, {999, Severe}, {850, High}, {10, Normal}} {
		*used = c.mb << 20
		w.sample()
		if w.Level() != c.want {
			t.Errorf("at %d MB: %v, want %v", c.mb, w.Level(), c.want)
		}
		if a := w.Allowance(); c.want == Severe {
			if a == 0 || a >= last {
				t.Errorf("at %d MB: allowance %d after %d", c.mb, a, last)
			}
			last = a
		} else if a != 0 {
			t.Errorf("at %d MB: allowance %d", c.mb, a)
		}
	}
	if len(told) != 4 {
		t.Errorf("told %v", told)
	}
}

func TestWatch_Disk(t *testing.T) {
	w, _, free := watch(t)
	for _, c := range []struct {
		gb   int64
		want bool
	}{{50, false}, {4, true}, {6, false}} {
		*free = c.gb << 30
		w.sample()
		if w.LowDisk() != c.want || (w.alarms.Len() > 0) != c.want {
			t.Errorf("%d GB free of 100: low %v, %v", c.gb, w.LowDisk(), w.alarms.Active())
		}
	}
}

func TestMachine(t *testing.T) {
	if machineMemory() <= 0 {
		t.Error("no memory")
	}
	if free, size, err := diskSpace(t.TempDir()); err != nil || free <= 0 || size < free {
		t.Error(free, size, err)
	}
	free := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(free)
	if rss, used := resident(), inUse(); runtime.GOOS == "linux" && rss < 4<<20 || used+int64(free[0].Value.Uint64()) < rss/10*9 {
		t.Errorf("%d of %d resident bytes are in use", used, rss)
	}
}

// TestWatch_Alarms: an alarm begins with its level and ends 5 % below it.
func TestWatch_Alarms(t *testing.T) {
	w, used, _ := watch(t)
	for _, c := range []struct {
		mb   int64
		want string
	}{{100, ""}, {799, ""}, {801, "memory_high"}, {760, "memory_high"}, {749, ""}, {760, ""}, {901, "memory_severe memory_high"},
		{860, "memory_severe memory_high"}, {849, "memory_high"}, {10, ""}} {
		*used = c.mb << 20
		w.sample()
		var got []string
		for _, a := range w.alarms.Active() {
			got = append(got, a.Name.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("at %d MB: %v, want %s", c.mb, w.alarms.Active(), c.want)
		}
	}
	*used = 801 << 20
	w.sample()
	if text := w.alarms.Active()[0].Text; text != "over 80 % of memory_limit (1000 MB) are in use" {
		t.Error(text)
	}
	w.limit.Store(0)
	w.sample()
	if w.alarms.Len() > 0 {
		t.Error("an alarm without a limit")
	}
}

// TestWatch_Sleeps: while nobody sends, samples are rare; the first that sends
// is looked at at once.
func TestWatch_Sleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var samples atomic.Int64
		w := &Watch{stop: make(chan struct{}), wake: make(chan struct{}, 1), memory: func() int64 { samples.Add(1); return 0 },
			total: func() int64 { return 1 << 30 }, disk: func(string) (int64, int64, error) { return 1 << 40, 1 << 41, nil }}
		w.cfg.Store(&Config{})
		w.done.Go(w.run)
		count := func(d time.Duration) int64 {
			samples.Store(0)
			<-time.After(d)
			synctest.Wait()
			return samples.Load()
		}
		count(2 * time.Second)
		if n := count(time.Minute); n > 7 {
			t.Errorf("%d samples in an idle minute", n)
		}
		w.Allowance()
		synctest.Wait()
		if n := samples.Load(); n == 0 {
			t.Error("no sample when a client sends")
		}
		samples.Store(0)
		for range 10 {
			w.Allowance()
			<-time.After(time.Second)
		}
		if n := samples.Load(); n < 9 {
			t.Errorf("%d samples in ten seconds of input", n)
		}
		close(w.stop)
		w.done.Wait()
	})
}

// TestHold: what has come since the last sample counts at once, until a sample
// has seen it.
func TestHold(t *testing.T) {
	w, used, _ := watch(t)
	*used = 800 << 20
	w.sample()
	w.Hold(40 << 20)
	if w.Allowance() != 0 {
		t.Error("slow at 880 of 1000 MB")
	}
	w.Hold(20 << 20)
	if w.Allowance() == 0 {
		t.Error("not slow at 920 of 1000 MB")
	}
	if w.sample(); w.Allowance() != 0 {
		t.Error("what the sample has seen counts twice")
	}
	w.Took(90 << 20)
	if w.Allowance() != 0 {
		t.Error("slow at 890 of 1000 MB")
	}
	w.Took(20 << 20)
	if w.Allowance() == 0 {
		t.Error("not slow at 910 of 1000 MB")
	}
	if w.sample(); w.Allowance() != 0 {
		t.Error("what the sample has seen counts twice")
	}
	w.Hold(-60 << 20)
	w.Took(120 << 20)
	if w.Allowance() != 0 {
		t.Error("slow at 860 of 1000 MB")
	}
	var none *Watch
	none.Hold(1)
	none.Took(1)
	if none.Allowance() != 0 {
		t.Error("slow without a watch")
	}
}

// TestTook_Rouses: samples come with what is taken in, not with the clock.
func TestTook_Rouses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, used, _ := watch(t)
		w.wake = make(chan struct{}, 1)
		w.done.Go(w.run)
		defer w.Close()
		begin := time.Now()
		for range 200 { // 1000 MB, faster than any clock
			if w.Allowance() > 0 {
				break
			}
			*used += 5 << 20
			w.Took(5 << 20)
			synctest.Wait()
		}
		if !time.Now().Equal(begin) {
			t.Fatal("time has passed")
		}
		if n, _ := w.Memory(); w.Level() != Severe || n > 920<<20 {
			t.Errorf("%d MB at %v", n>>20, w.Level())
		}
	})
}

// TestRelieve: a shortage is told after each sample that finds one, more urgently
// if that did not help, and with that garbage is collected.
func TestRelieve(t *testing.T) {
	w, used, _ := watch(t)
	var told []Shortage
	forced, ends, now := 0, true, time.Now()
	w.collect = func(all bool) bool {
		if all {
			forced++
		}
		return all
	}
	w.OnShort(func(x Shortage) bool {
		told = append(told, x)
		return ends
	})
	const mb = 1 << 20
	for _, c := range []struct {
		mb     int64
		ends   bool
		want   Shortage
		forced int
	}{
		{940, true, Shortage{}, 0},
		{960, true, Shortage{Stopped: 60 * mb}, 0},
		{960, true, Shortage{Stopped: 120 * mb}, 1},
		{960, false, Shortage{Stopped: 240 * mb}, 1},
		{1000, false, Shortage{Stopped: 400 * mb, Any: 80 * mb}, 0},
		{900, true, Shortage{}, 0},
		{960, true, Shortage{Stopped: 60 * mb}, 0},
	} {
		*used, told, forced, ends = c.mb*mb, nil, 0, c.ends
		now = now.Add(hurried)
		w.sample()
		short := w.relieve(now)
		w.relieve(now.Add(hurried / 2)) // what it has ended is still on its way out
		want := c.want != (Shortage{})
		switch {
		case short != want || len(told) != map[bool]int{true: 1}[want]:
			t.Errorf("%d MB: short %v, told %v", c.mb, short, told)
		case want && (told[0].Stopped>>20 != c.want.Stopped>>20 || told[0].Any>>20 != c.want.Any>>20):
			t.Errorf("%d MB: told %d and %d MB, want %d and %d", c.mb, told[0].Stopped>>20, told[0].Any>>20, c.want.Stopped>>20, c.want.Any>>20)
		}
		if forced != c.forced {
			t.Errorf("%d MB: %d forced collections, want %d", c.mb, forced, c.forced)
		}
	}
}

// TestRelieve_Stuck: a shortage that lasts although nobody is to blame, because
// all wait in the middle of their packets, ends somebody as well.
func TestRelieve_Stuck(t *testing.T) {
	w, used, _ := watch(t)
	var told []Shortage
	ends := false
	w.OnShort(func(x Shortage) bool {
		told = append(told, x)
		return ends
	})
	const mb = 1 << 20
	*used = 960 * mb
	w.sample()
	begin := time.Now()
	any := func(after time.Duration) int64 {
		t.Helper()
		told = nil
		if w.relieve(begin.Add(after)); len(told) != 1 {
			t.Fatalf("told %v", told)
		}
		return told[0].Any >> 20
	}
	if n := any(0); n != 0 {
		t.Errorf("at once %d MB", n)
	}
	if n := any(patience - time.Second); n != 0 {
		t.Errorf("soon %d MB", n)
	}
	ends = true
	if n := any(patience); n != 60 {
		t.Errorf("at last %d MB", n)
	}
	if n := any(patience + time.Second); n != 0 {
		t.Errorf("once somebody was ended %d MB", n)
	}
}
