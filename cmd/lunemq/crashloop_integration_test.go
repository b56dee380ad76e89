//go:build integration

package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/crashtest"
)

// victim is a lunemq that is killed with SIGKILL and started again on the same
// data.
type victim struct {
	t   *testing.T
	dir string
	d   *daemon
}

func (v *victim) Start() (string, error) {
	v.d = startDaemon(v.t, v.dir, "max_offline_messages=-1", "max_online_messages=-1", "log.console.level=error")
	return v.d.ready["tcp.default"], nil
}

// Kill ends the broker, which must not have ended by itself: what was lost would
// be all that is seen of it.
func (v *victim) Kill() {
	v.d.kill()
	if log := v.d.log.String(); strings.Contains(log, "panic:") || strings.Contains(log, "fatal error:") {
		v.t.Errorf("the broker ended by itself:\n%s", log)
	}
}

// TestCrashLoop kills a real process again and again. CRASHES says how
// often.
func TestCrashLoop(t *testing.T) {
	crashes := 5
	if s := os.Getenv("CRASHES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		crashes = n
	}
	v := &victim{t: t, dir: t.TempDir()}
	check, err := crashtest.Run(v, crashtest.Plan{Rounds: crashes, Publishers: 4, Subscribers: 3,
		Min: 200 * time.Millisecond, Max: 1200 * time.Millisecond, Drain: 60 * time.Second, Seed: uint64(time.Now().UnixNano()), CutOdds: 150})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range check.Verdict() {
		t.Error(bad)
	}
	t.Logf("%d kills, %d messages acknowledged, each delivered to 3 subscribers", crashes, check.Acks())
	if check.Acks() < 100*crashes {
		t.Errorf("only %d messages in %d rounds: the broker was hardly at work", check.Acks(), crashes)
	}
}
