package broker

import (
	"log/slog"

	"github.com/lunemq/lunemq/telemetry/alarm"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// observeAlarms has alarms logged and counted.
func observeAlarms(l *alarm.List, log *slog.Logger, m *metric.Broker) {
	l.Observe(alarm.Log(log))
	l.Observe(func(e alarm.Event) {
		if e.Change == alarm.Raised {
			m.AlarmsRaised.Inc(1)
		}
	})
}
