package listener

import (
	"net/netip"
	"sync"
)

// Refusal is why a connection was closed at once.
type Refusal uint8

// The reasons.
const (
	Admitted    Refusal = iota
	TooMany             // global_max_connections is reached
	TooManyOfIP         // max_connections_per_ip is reached
	Scarce              // the file descriptors left are for others
)

// String returns the key that set the limit.
func (r Refusal) String() string {
	return [...]string{"admitted", "global_max_connections", "max_connections_per_ip", "file descriptors (RLIMIT_NOFILE)"}[r]
}

// Error makes a refusal the cause of a handshake's end.
func (r Refusal) Error() string { return "listener: limit reached: " + r.String() }

// Limits count the connections of several listeners. Safe for concurrent use;
// nil admits everything.
type Limits struct {
	mu           sync.Mutex // no other lock is taken under it
	total, perIP int        // 0 is unlimited
	open         int
	byIP         map[netip.Addr]int
}

// NewLimits returns limits on all connections and on those of one IP address;
// 0 is unlimited. Unix sockets have no address and count only in total.
func NewLimits(total, perIP int) *Limits {
	return &Limits{total: total, perIP: perIP, byIP: map[netip.Addr]int{}}
}

// Set changes the limits. Connections that are open stay.
func (m *Limits) Set(total, perIP int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total, m.perIP = total, perIP
}

// Open returns how many connections are open.
func (m *Limits) Open() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open
}

// enter counts a connection from ip unless a limit is reached. Addresses are
// counted even while perIP is 0, so that Set finds them.
func (m *Limits) enter(ip netip.Addr) Refusal {
	if m == nil {
		return Admitted
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.total > 0 && m.open >= m.total:
		return TooMany
	case m.perIP > 0 && m.byIP[ip] >= m.perIP && ip.IsValid():
		return TooManyOfIP
	}
	m.open++
	if ip.IsValid() {
		m.byIP[ip]++
	}
	return Admitted
}

// move counts a connection under another address, unless that has too many;
// then it stays as it is.
func (m *Limits) move(from, to netip.Addr) Refusal {
	if m == nil || from == to {
		return Admitted
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if to.IsValid() {
		if m.perIP > 0 && m.byIP[to] >= m.perIP {
			return TooManyOfIP
		}
		m.byIP[to]++
	}
	if m.byIP[from]--; m.byIP[from] <= 0 {
		delete(m.byIP, from)
	}
	return Admitted
}

// leave takes back what enter counted.
func (m *Limits) leave(ip netip.Addr) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open--
	if m.byIP[ip]--; m.byIP[ip] <= 0 {
		delete(m.byIP, ip)
	}
}
