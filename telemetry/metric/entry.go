package metric

// Kind says how a metric's value moves.
type Kind uint8

// Kinds of metrics.
const (
	KindCounter   Kind = iota // rises until the process ends or it is reset
	KindGauge                 // rises and falls
	KindHistogram             // a Distribution
)

// String returns "counter", "gauge" or "histogram".
func (k Kind) String() string { return [...]string{"counter", "gauge", "histogram"}[k] }

// Entry declares one metric. Immutable.
type Entry struct {
	// Name is the metric's name in all outlets, VerneMQ's where it has one;
	// words are separated by underscores.
	Name string
	// Field is the instrument: the name of a field of Broker or Gauges, or of
	// the figures that the package reads from the process itself.
	Field string
	Kind  Kind
	Unit  string // what one unit is: "packets", "bytes", "microseconds"
	// Labels are the names of the labels that rows of this metric may carry.
	Labels []string
	Help   string
	// OID is the suffix below the enterprise's objects, AREA.NUMBER. Areas: 1
	// sockets, 2 mqtt, 3 queue, 4 router, 5 retain, 6 system, 7 store, 8 hooks
	// and files, 9 balance, 13 scripts; 16 alarms; reserved: 10 cluster,
	// 11 bridges, 12 webhooks, 14 listeners, 15 outlets. Once published it never changes its
	// meaning; a number of a removed metric is not given again.
	OID string
	// codes are the reason codes that the standard permits for the packet.
	codes []uint8
	// keep: "metrics reset" leaves it alone.
	keep bool
}

var (
	byVersion = []string{"mqtt_version"}
	byReason  = []string{"mqtt_version", "reason_code"}
	byReturn  = []string{"mqtt_version", "reason_code", "return_code"}
)

// Entries returns the declarations of all metrics, ordered by area and number.
func Entries() []Entry {
	var all []Entry
	for _, area := range [][]Entry{
		socketEntries, mqttEntries, queueEntries, routerEntries, retainEntries,
		systemEntries, storeEntries, hookEntries, balanceEntries, scriptEntries, alarmEntries,
	} {
		all = append(all, area...)
	}
	return all
}
