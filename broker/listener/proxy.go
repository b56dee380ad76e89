package listener

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/pires/go-proxyproto"
)

// Proxy says whether a proxy stands before the listener that names the client
// in a header before the client's bytes. Who can connect to such a listener can
// say that he is anybody.
type Proxy struct {
	Header  bool `key:"proxy_protocol" default:"off" reload:"live" doc:"Demands a PROXY header, version 1 or 2, on each connection and takes the client's address from it. Only the proxy may reach such a listener."`
	UseName bool `key:"proxy_protocol_use_cn_as_username" default:"on" reload:"live" doc:"The common name in the PROXY header, of the certificate that the proxy has verified, is the client's username, whatever CONNECT says. Plugins are asked all the same. No effect on HTTP."`
}

// Bounds of a header's length in bytes.
const (
	minV1 = len("PROXY UNKNOWN\r\n")
	maxV1 = 107
	fixV2 = 16   // of version 2 without addresses and further values
	maxV2 = 4096 // of the rest
)

var (
	errNoHeader  = errors.New("no PROXY header (proxy_protocol = on demands one)")
	errLongProxy = errors.New("the PROXY header is too long")
)

// introduced takes a PROXY header. The command LOCAL and the family UNKNOWN say
// that the proxy speaks for itself; it keeps its own address.
//
// Spec: the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt)
// §2.
func (e *entry) introduced(o Proxy) error {
	h, err := readHeader(e.conn)
	if err != nil {
		return fmt.Errorf("proxy protocol: %w", err)
	}
	if h.Command.IsLocal() {
		return nil
	}
	if from, _, ok := h.TCPAddrs(); ok {
		if limit := e.rename(addrPort(from)); limit != Admitted {
			return limit
		}
	}
	if o.UseName {
		if e.peer.Identity, err = commonName(h); err != nil {
			return fmt.Errorf("proxy protocol: %w", err)
		}
	}
	return nil
}

// commonName returns the name in the client's certificate, "" when the proxy
// tells of none or has not verified it. The version of TLS, which belongs
// there, may be missing. The layout of the value, with further values behind:
//
//	client  1 byte   what the client has done
//	verify  4 bytes  0 = its certificate is good
//
// Spec: proxy-protocol.txt §2.2.6.
func commonName(h *proxyproto.Header) (string, error) {
	const fixed = 5
	values, err := h.TLVs()
	for _, v := range values {
		if v.Type != proxyproto.PP2_TYPE_SSL {
			continue
		}
		if len(v.Value) < fixed {
			return "", proxyproto.ErrMalformedTLV
		}
		if binary.BigEndian.Uint32(v.Value[1:]) != 0 {
			return "", nil
		}
		inner, err := proxyproto.SplitTLVs(v.Value[fixed:])
		for _, i := range inner {
			if i.Type == proxyproto.PP2_SUBTYPE_SSL_CN {
				if len(i.Value) == 0 || !utf8.Valid(i.Value) {
					return "", proxyproto.ErrMalformedTLV
				}
				return string(i.Value), err
			}
		}
		return "", err
	}
	return "", err
}

// readHeader reads a PROXY header and not a byte beyond it, so that the socket
// may be used as it is afterwards. What cannot become one ends it at once.
func readHeader(r io.Reader) (*proxyproto.Header, error) {
	b := make([]byte, 0, maxV1)
	for len(b) < minV1 {
		n, err := r.Read(b[len(b):minV1])
		b = b[:len(b)+n]
		switch {
		case !begins(b, proxyproto.SIGV1) && !begins(b, proxyproto.SIGV2):
			return nil, errNoHeader
		case err == io.EOF:
			return nil, fmt.Errorf("%w: %w", errNoHeader, err)
		case err != nil:
			return nil, err
		}
	}
	read := func(n int) error {
		at := len(b)
		b = append(b, make([]byte, n)...)
		_, err := io.ReadFull(r, b[at:])
		return err
	}
	if begins(b, proxyproto.SIGV1) {
		for !bytes.HasSuffix(b, []byte{'\n'}) {
			if len(b) == maxV1 {
				return nil, errLongProxy
			}
			if err := read(1); err != nil {
				return nil, err
			}
		}
	} else {
		if err := read(fixV2 - len(b)); err != nil {
			return nil, err
		}
		n := int(binary.BigEndian.Uint16(b[fixV2-2:]))
		if n > maxV2 {
			return nil, errLongProxy
		}
		if err := read(n); err != nil {
			return nil, err
		}
	}
	return proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(b), len(b)))
}

// begins reports whether b can be, or is, what begins with signature.
func begins(b, signature []byte) bool {
	n := min(len(b), len(signature))
	return bytes.Equal(b[:n], signature[:n])
}
