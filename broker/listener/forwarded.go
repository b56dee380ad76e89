package listener

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Forwarded says which proxies are believed when they name the client in HTTP
// headers.
type Forwarded struct {
	On      bool      `key:"proxy_xff_support" default:"off" reload:"live" doc:"Takes the client's address from the header X-Forwarded-For, its first entry. Connections must then come from proxy_xff_trusted_intermediate; others are refused."`
	Trusted []Network `key:"proxy_xff_trusted_intermediate" sep:";" reload:"live" doc:"Addresses of trusted proxies or their networks (10.0.0.0/8), with semicolons between."`
	UseName bool      `key:"proxy_xff_use_cn_as_username" default:"off" reload:"live" doc:"The header proxy_xff_cn_header, which a trusted proxy sets, is the username, whatever CONNECT says. Plugins are asked all the same. Needs proxy_xff_support."`
	// NameHeader is compared without regard to case.
	NameHeader string `key:"proxy_xff_cn_header" default:"x-ssl-client-cn" reload:"live" doc:"Header with the common name of the client's certificate."`
}

// check reports what no single key shows.
func (f *Forwarded) check(key string, report func(key, text, remedy string)) {
	if f.On && len(f.Trusted) == 0 {
		report(key+".proxy_xff_support", "proxy_xff_support = on without proxy_xff_trusted_intermediate lets nobody in", "name the trusted proxies")
	}
	if f.UseName && !f.On {
		report(key+".proxy_xff_use_cn_as_username", "proxy_xff_use_cn_as_username = on without proxy_xff_support would believe everybody", "set proxy_xff_support = on and name the trusted proxies")
	}
}

// trusts reports whether a connection comes from a trusted proxy.
func (f *Forwarded) trusts(peer netip.Addr) bool {
	return slices.ContainsFunc(f.Trusted, func(n Network) bool { return n.prefix.Contains(peer.WithZone("")) })
}

// client returns the client's address by the word of a proxy: the first entry
// of the header's lines, with port 0 when it has none; ok is false when it is
// no address.
func client(lines []string) (a netip.AddrPort, ok bool) {
	first, _, _ := strings.Cut(lines[0], ",")
	first = strings.TrimSpace(first)
	if a, err := netip.ParseAddrPort(first); err == nil {
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), true
	}
	ip, err := netip.ParseAddr(strings.Trim(first, "[]"))
	return netip.AddrPortFrom(ip.Unmap(), 0), err == nil
}

// Network is an address or a network, written 10.0.0.1 or 10.0.0.0/8.
type Network struct{ prefix netip.Prefix }

// UnmarshalText parses the written form.
func (n *Network) UnmarshalText(text []byte) error {
	s := string(text)
	if p, err := netip.ParsePrefix(s); err == nil {
		n.prefix = p.Masked()
		return nil
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return fmt.Errorf("listener: %q is neither an address nor a network; accepted: 10.0.0.1 or 10.0.0.0/8", s)
	}
	ip = ip.Unmap()
	n.prefix = netip.PrefixFrom(ip, ip.BitLen())
	return nil
}

// MarshalText returns the written form.
func (n Network) MarshalText() ([]byte, error) {
	if n.prefix.IsSingleIP() {
		return n.prefix.Addr().MarshalText()
	}
	return n.prefix.MarshalText()
}
