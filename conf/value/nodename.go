package value

import (
	"fmt"
	"strings"
)

// NodeName is the name of a broker: NAME@HOST. It stands in topics, labels and
// keys, so that it has no characters that mean something there.
type NodeName string

// UnmarshalText reads the written form.
func (n *NodeName) UnmarshalText(text []byte) error {
	name, host, ok := strings.Cut(string(text), "@")
	if !ok || name == "" || host == "" || strings.ContainsAny(string(text), "/+#\"'{}, \t") || strings.Contains(host, "@") {
		return fmt.Errorf("%q is not NAME@HOST, such as lunemq@192.168.1.10", text)
	}
	*n = NodeName(text)
	return nil
}

// MarshalText returns the written form.
func (n NodeName) MarshalText() ([]byte, error) { return []byte(n), nil }

// String returns the written form.
func (n NodeName) String() string { return string(n) }
