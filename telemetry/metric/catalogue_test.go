package metric

import (
	"flag"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metrics "github.com/rcrowley/go-metrics"
)

// reference52 are the metrics of VerneMQ that have a meaning in a broker
// without a cluster. Left out: the Erlang machine's reductions, words reclaimed
// and memory by kind (go_memory_* and process_* stand there), the deprecated
// mqtt_connack_*_sent that are always 0, and the metadata_* of Plumtree.
// cluster_*, netsplit_* and plugins' come with what counts them.
const reference52 = `
socket_open socket_close socket_close_timeout socket_error bytes_received bytes_sent
queue_setup queue_initialized_from_storage queue_teardown queue_message_in queue_message_out
queue_message_drop queue_message_expired queue_message_unhandled
client_expired router_matches_local router_matches_remote
system_context_switches system_gc_count system_io_in system_io_out system_runtime system_wallclock
mqtt_connect_received mqtt_publish_received mqtt_subscribe_received mqtt_unsubscribe_received mqtt_pingreq_received
mqtt_puback_received mqtt_pubrec_received mqtt_pubrel_received mqtt_pubcomp_received mqtt_disconnect_received
mqtt_auth_received mqtt_auth_sent mqtt_connack_sent
mqtt_publish_sent mqtt_suback_sent mqtt_unsuback_sent mqtt_pingresp_sent
mqtt_puback_sent mqtt_pubrec_sent mqtt_pubrel_sent mqtt_pubcomp_sent mqtt_disconnect_sent
mqtt_publish_auth_error mqtt_subscribe_auth_error mqtt_invalid_msg_size_error mqtt_publish_error
mqtt_subscribe_error mqtt_unsubscribe_error mqtt_puback_invalid_error mqtt_pubcomp_invalid_error
client_keepalive_expired mqtt_pubrec_invalid_error
router_subscriptions router_memory retain_messages retain_memory queue_processes
active_mqtt_connections active_mqttws_connections total_active_connections
system_run_queue system_process_count system_utilization vm_memory_total
storage_read_microseconds storage_write_microseconds storage_delete_microseconds storage_scan_microseconds`

func TestEntries_EveryInstrumentOnce(t *testing.T) {
	count := map[string]int{}
	for _, e := range Entries() {
		count[e.Field]++
	}
	for _, of := range []reflect.Type{reflect.TypeFor[Broker](), reflect.TypeFor[Gauges](), reflect.TypeFor[process]()} {
		for i := range of.NumField() {
			f := of.Field(i)
			if !f.IsExported() {
				continue
			}
			if count[f.Name] != 1 {
				t.Errorf("%s.%s is declared %d times, want once", of.Name(), f.Name, count[f.Name])
			}
			delete(count, f.Name)
		}
	}
	if len(count) > 0 {
		t.Errorf("declared without an instrument, or for two: %v", count)
	}
}

func TestEntries_NamesAndNumbers(t *testing.T) {
	name, oid := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`), regexp.MustCompile(`^[1-9][0-9]?\.[1-9][0-9]*$`)
	names, oids := map[string]bool{}, map[string]bool{}
	for _, e := range Entries() {
		if !name.MatchString(e.Name) || names[e.Name] {
			t.Errorf("%q is not a name of its own", e.Name)
		}
		if !oid.MatchString(e.OID) || oids[e.OID] {
			t.Errorf("%s: %q is not an OID of its own", e.Name, e.OID)
		}
		if e.Unit == "" || !strings.HasSuffix(e.Help, ".") {
			t.Errorf("%s: lacks a unit or a help sentence", e.Name)
		}
		names[e.Name], oids[e.OID] = true, true
	}
	for _, want := range strings.Fields(reference52) {
		if !names[want] {
			t.Errorf("%s is missing", want)
		}
	}
}

var rewrite = flag.Bool("rewrite", false, "append new metrics to testdata/oids.txt")

// Published numbers never move: a line of testdata/oids.txt is never changed
// or removed, a new metric appends one.
func TestEntries_NumbersStay(t *testing.T) {
	const file = "testdata/oids.txt"
	published, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	present := map[string]bool{}
	for _, e := range Entries() {
		line := e.OID + " " + e.Name + " " + e.Kind.String() + " " + e.Unit
		present[line] = true
		if slices.Contains(strings.Split(string(published), "\n"), line) {
			continue
		}
		if !*rewrite {
			t.Errorf("%q is not in %s (go test -rewrite appends it)", line, file)
			continue
		}
		published = append(published, line+"\n"...)
	}
	for line := range strings.Lines(string(published)) {
		if line = strings.TrimSpace(line); line != "" && !present[line] {
			t.Errorf("%q was published and is gone", line)
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, published, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCatalogue_RowsMatchDeclaration(t *testing.T) {
	c := NewCatalogue(NewBroker(), &Gauges{})
	s := c.Snapshot(time.Unix(1000, 0))
	byName, seen := map[string]Entry{}, map[string]bool{}
	for _, e := range Entries() {
		byName[e.Name] = e
	}
	for _, r := range s.Rows {
		if seen[r.OID] {
			t.Errorf("%s %v: OID %s is used twice", r.Name, r.Labels, r.OID)
		}
		seen[r.OID] = true
		for _, l := range r.Labels {
			if l.Value == "" || !slices.Contains(byName[r.Name].Labels, l.Name) {
				t.Errorf("%s: label %v is empty or not declared", r.Name, l)
			}
		}
	}
	for i, sr := range c.series {
		kind := KindGauge
		switch {
		case sr.hist != nil:
			kind = KindHistogram
		case sr.clear != nil || sr.entry.keep:
			kind = KindCounter
		}
		if kind != sr.row.Kind {
			t.Errorf("%s: declared as %s, the instrument is a %s", s.Rows[i].Name, sr.row.Kind, kind)
		}
	}
}

func TestCatalogue_LabelSets(t *testing.T) {
	s := NewCatalogue(NewBroker(), &Gauges{}).Snapshot(time.Unix(1000, 0))
	f := func(name, label, want string) {
		t.Helper()
		var got []string
		for _, r := range s.Rows {
			if r.Name == name && r.Label(label) != "" {
				got = append(got, r.Label("mqtt_version")+":"+r.Label(label))
			}
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s, %s:\n got %s\nwant %s", name, label, g, want)
		}
	}
	f("mqtt_puback_sent", "reason_code", "5:success 5:no_matching_subscribers 5:unspecified_error 5:impl_specific_error "+
		"5:not_authorized 5:topic_name_invalid 5:packet_id_in_use 5:quota_exceeded 5:payload_format_invalid 5:other")
	f("mqtt_pubrel_received", "reason_code", "5:success 5:packet_id_not_found 5:other")
	f("mqtt_auth_sent", "reason_code", "5:success 5:continue_authentication 5:reauthenticate 5:other")
	f("mqtt_auth_sent", "mqtt_version", "5:5 5:5 5:5 5:5")
	f("mqtt_connack_sent", "return_code", "4:success 4:unsupported_protocol_version 4:client_identifier_not_valid "+
		"4:server_unavailable 4:bad_username_or_password 4:not_authorized")
	f("mqtt_connect_received", "mqtt_version", "4:4 5:5")
}

func TestCatalogue_Register(t *testing.T) {
	b, r := NewBroker(), metrics.NewRegistry()
	c := NewCatalogue(b, &Gauges{RetainMessages: func() int64 { return 3 }})
	if err := c.Register(r); err != nil {
		t.Fatal(err)
	}
	b.MQTTPublishReceived.V5.Inc(2)
	if in, ok := r.Get("mqtt_publish_received.5").(metrics.Counter); !ok || in.Count() != 2 {
		t.Errorf("mqtt_publish_received.5: got %v", in)
	}
	if in, ok := r.Get("retain_messages").(metrics.Gauge); !ok || in.Value() != 3 {
		t.Errorf("retain_messages: got %v", in)
	}
	if _, ok := r.Get("storage_write_microseconds").(metrics.Histogram); !ok {
		t.Error("storage_write_microseconds is not a histogram")
	}
	if err := c.Register(r); err == nil {
		t.Error("registering twice: got no error")
	}
}
