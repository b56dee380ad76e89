package admin

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/telemetry/metric"
)

func TestMetrics(t *testing.T) {
	b := metric.NewBroker()
	now := time.Unix(1000, 0)
	r := NewRegistry()
	c := metric.NewCatalogue(b, &metric.Gauges{RetainMessages: func() int64 { return 7 }})
	if err := r.Add(MetricsCommands(c, func() time.Time { return now })...); err != nil {
		t.Fatal(err)
	}
	b.MQTTPubackSent.V4.Inc(1)
	b.MQTTPubackSent.For(0x00).Inc(2)
	b.MQTTPubackSent.For(0x97).Inc(4)
	b.StorageRead.Update(500)
	f := func(line string, has []string, lacks ...string) {
		t.Helper()
		got, err := run(r, line)
		if err != nil {
			t.Fatal(err)
		}
		text := "\n" + string(got.(Text)) + "\n"
		for _, h := range has {
			if !strings.Contains(text, "\n"+h+"\n") {
				t.Errorf("%s: lacks %q", line, h)
			}
		}
		for _, l := range lacks {
			if strings.Contains(text, l) {
				t.Errorf("%s: has %q", line, l)
			}
		}
	}
	f("metrics show", []string{
		"counter.mqtt_puback_sent = 7", "gauge.retain_messages = 7", "counter.socket_open = 0",
		"histogram.storage_read_microseconds_count = 1", "histogram.storage_read_microseconds_sum = 500",
		"histogram.storage_read_microseconds_bucket_100 = 0", "histogram.storage_read_microseconds_bucket_1000 = 1",
		"histogram.storage_read_microseconds_bucket_infinity = 1",
	}, "#", "{")
	f("metrics show -d --aggregate=false", []string{
		"# PUBACK packets sent.\ncounter.mqtt_puback_sent{mqtt_version=4} = 1",
		"counter.mqtt_puback_sent{mqtt_version=5,reason_code=quota_exceeded} = 4",
	})
	f("metrics show --mqtt_version=5", []string{"counter.mqtt_puback_sent = 6"}, "socket_open")
	f("metrics show --mqtt_version=4,5", []string{"counter.mqtt_puback_sent = 7"}, "socket_open")
	f("metrics show --reason_code=quota_exceeded,not_authorized --mqtt_version=5", []string{"counter.mqtt_puback_sent = 4"}, "mqtt_connect_received")
	f("metrics reset", []string{"Done"})
	f("metrics show", []string{"counter.mqtt_puback_sent = 0", "gauge.retain_messages = 7"})
}

// The names in telemetry/metric, which must not know broker/mqtt, are its.
func TestMetrics_ReasonNamesAreMQTTs(t *testing.T) {
	s := metric.NewCatalogue(metric.NewBroker(), &metric.Gauges{}).Snapshot(time.Unix(1, 0))
	checked := 0
	for _, r := range s.Rows {
		name := r.Label("reason_code")
		if name == "" || name == "other" {
			continue
		}
		code, err := strconv.Atoi(r.OID[strings.LastIndexByte(r.OID, '.')+1:])
		got, ok := mqtt.ParseReasonCode(name)
		if err != nil || !ok || int(got) != code {
			t.Errorf("%s: %s is code %d here and %d in broker/mqtt (%v)", r.Name, name, code, got, err)
		}
		checked++
	}
	if checked < 100 {
		t.Errorf("checked only %d rows", checked)
	}
}
