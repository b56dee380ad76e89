package alarm

// Severity says how soon somebody must look.
type Severity uint8

// The severities.
const (
	Warning  Severity = iota // it will get worse, or a change is not in force
	Critical                 // clients are refused, or messages are not taken
)

// String returns "warning" or "critical".
func (s Severity) String() string { return [...]string{"warning", "critical"}[s] }

// Name names an alarm. Only the constants below exist.
type Name uint8

// The alarms. A name, once published, keeps its meaning.
const (
	StoreFailing Name = iota
	DiskLow
	MemoryHigh
	MemorySevere
	ClockDoubt
	ConfigReloadFailed
	ACLReloadFailed
	PasswdReloadFailed
	CertificateReloadFailed
	CertificateExpiring
	CertificateExpired
	ScriptFailed
	names // how many
)

// Entry declares one alarm. Immutable.
type Entry struct {
	Text     string // the name in all outlets, words separated by underscores
	Severity Severity
	Subject  string // what the subject of the alarm is, "" when it has none
	Help     string // what it means, when it ends
}

// entries is the catalogue.
var entries = [names]Entry{
	StoreFailing:            {"store_failing", Critical, "", "The store could not write. What rests on it is not acknowledged until a write succeeds; after a failed fsync that takes a restart."},
	DiskLow:                 {"disk_low", Critical, "folder", "Less than min_free_disk is left. Nothing more is stored or acknowledged for durable sessions until there is space."},
	MemoryHigh:              {"memory_high", Warning, "", "Over 80 % of memory_limit are in use: queues of durable sessions leave memory. Ends below 75 %."},
	MemorySevere:            {"memory_severe", Critical, "", "Over 90 % of memory_limit are in use: publishers are read more slowly, new clients are refused. Ends below 85 %."},
	ClockDoubt:              {"clock_doubt", Warning, "", "At the start the clock stood before the newest time in the store, or more than a day after it. Nothing expires for a minute; then the clock is believed."},
	ConfigReloadFailed:      {"config_reload_failed", Warning, "file", "A reload failed, the configuration before stays in force. Ends with a reload that succeeds."},
	ACLReloadFailed:         {"acl_reload_failed", Warning, "file", "The access control file cannot be used as it is now, the rules before stay in force. Ends when it is mended."},
	PasswdReloadFailed:      {"passwd_reload_failed", Warning, "file", "The password file cannot be used as it is now, the users before stay in force. Ends when it is mended."},
	CertificateReloadFailed: {"certificate_reload_failed", Warning, "listener", "The files of a listener's certificate cannot be used as they are now, those before stay in force. Ends when they are mended."},
	CertificateExpiring:     {"certificate_expiring", Warning, "listener", "A listener's certificate ends within 14 days. Ends when another is in force."},
	CertificateExpired:      {"certificate_expired", Critical, "listener", "A listener's certificate has ended: clients that check it turn away. Ends when another is in force."},
	ScriptFailed:            {"script_failed", Warning, "script", "A script cannot be loaded as it is now, the version before, if any, stays in force. Ends when it is mended or removed."},
}

// Entry returns what is declared about n.
func (n Name) Entry() Entry { return entries[n] }

// String returns the name in all outlets: "store_failing".
func (n Name) String() string { return entries[n].Text }

// Names returns all names in the order of the catalogue.
func Names() []Name {
	list := make([]Name, names)
	for i := range list {
		list[i] = Name(i)
	}
	return list
}
