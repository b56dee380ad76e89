package broker_test

import (
	"strings"
	"testing"

	"github.com/lunemq/lunemq/broker/brokertest"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// TestReady_Store: a broker that can store nothing is not ready.
func TestReady_Store(t *testing.T) {
	alarms := new(alarm.List)
	b := brokertest.Start(t, brokertest.Options{Alarms: alarms})
	for _, n := range []alarm.Name{alarm.StoreFailing, alarm.DiskLow} {
		alarms.Raise(n, "", "planted")
		if why := strings.Join(b.Ready(), " "); why != n.String()+": planted" {
			t.Errorf("not ready because of %q", why)
		}
		alarms.Clear(n, "")
		if why := b.Ready(); len(why) > 0 {
			t.Error(why)
		}
	}
}
