package value

import (
	"fmt"
	"strconv"
	"strings"
)

// NoPort is the Port of an Address that was written without one.
const NoPort = -1

// Address is where to listen or to connect: host and port, or the path of a
// Unix socket. Written 127.0.0.1:1883, localhost:1883, [::1]:1883, :1883 (all
// interfaces) or local:/run/mqtt.sock:0; the port may be absent where a key
// has a default one. It is comparable; the zero value is no address.
type Address struct {
	Host string // without brackets; "" is all interfaces
	Port int    // 0 lets the system choose, NoPort when none was written
	Path string // of a Unix socket; then Host is "" and Port 0
}

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a == Address{} }

// Network returns "unix" or "tcp", as net.Listen takes it.
func (a Address) Network() string {
	if a.Path != "" {
		return "unix"
	}
	return "tcp"
}

// HostPort returns the path, or host:port as net.Listen and net.Dial take it;
// without a port, port 0.
func (a Address) HostPort() string {
	if a.Path != "" {
		return a.Path
	}
	return a.host() + ":" + strconv.Itoa(max(a.Port, 0))
}

// WithPort returns the address with port where none was written.
func (a Address) WithPort(port int) Address {
	if a.Port == NoPort {
		a.Port = port
	}
	return a
}

// String returns the written form.
func (a Address) String() string {
	switch {
	case a.Path != "":
		return "local:" + a.Path + ":0"
	case a.IsZero():
		return ""
	case a.Port == NoPort:
		return a.host()
	}
	return a.HostPort()
}

// MarshalText returns String.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText parses the written form; empty text is the zero value.
func (a *Address) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" {
		*a = Address{}
		return nil
	}
	if path, ok := strings.CutPrefix(s, "local:"); ok {
		path = strings.TrimSuffix(path, ":0")
		if path == "" || strings.ContainsAny(path, "\x00") {
			return addressError(s, "the path is missing")
		}
		*a = Address{Path: path}
		return nil
	}
	host, port, err := splitHostPort(s)
	if err != nil {
		return err
	}
	*a = Address{Host: host, Port: port}
	return nil
}

// host returns the host, in brackets where a colon in it needs them.
func (a Address) host() string {
	if strings.Contains(a.Host, ":") {
		return "[" + a.Host + "]"
	}
	return a.Host
}

func splitHostPort(s string) (host string, port int, err error) {
	rest := ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, addressError(s, "the closing bracket is missing")
		}
		host, rest = s[1:end], s[end+1:]
		if strings.Count(host, ":") < 2 || strings.Trim(zoneless(host), "0123456789abcdefABCDEF:.") != "" {
			return "", 0, addressError(s, "no IPv6 address between the brackets")
		}
	} else {
		if strings.Count(s, ":") > 1 {
			return "", 0, addressError(s, "an IPv6 address needs brackets")
		}
		host, rest = s, ""
		if colon := strings.IndexByte(s, ':'); colon >= 0 {
			host, rest = s[:colon], s[colon:]
		}
		if why := badHost(host); why != "" {
			return "", 0, addressError(s, why)
		}
	}
	if rest == "" {
		return host, NoPort, nil
	}
	n, err := digits(strings.TrimPrefix(rest, ":"))
	if err != nil || n > 65535 || rest[0] != ':' {
		return "", 0, addressError(s, "the port is not a number from 0 to 65535")
	}
	return host, int(n), nil
}

// badHost says what is wrong with a host name or IPv4 address, or "".
func badHost(host string) string {
	for _, r := range host {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '.' && r != '-' && r != '_' {
			return fmt.Sprintf("%q cannot stand in a host name", r)
		}
	}
	if host == "" || strings.Trim(host, "0123456789.") != "" {
		return ""
	}
	parts := strings.Split(host, ".")
	if len(parts) == 1 {
		return "the host is missing, write for instance 0.0.0.0:" + host
	}
	for _, p := range parts {
		if n, err := digits(p); err != nil || n > 255 || len(parts) != 4 {
			return "not an IPv4 address"
		}
	}
	return ""
}

func zoneless(host string) string {
	host, _, _ = strings.Cut(host, "%")
	return host
}

func addressError(s, why string) error {
	return fmt.Errorf("value: %q is not an address (%s); accepted: HOST:PORT, [IPV6]:PORT or local:/PATH:0", s, why)
}
