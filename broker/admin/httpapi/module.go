package httpapi

import "strings"

// Mode says how requests to a module are authenticated.
type Mode string

// Modes, as http_module.NAME.auth.mode spells them.
const (
	NoAuth Mode = "noauth"
	APIKey Mode = "apikey" // a key whose scope is the module
)

// Modules say which modules a listener serves and how; a module that is absent
// answers 404. The names are the scopes of API keys: status, mgmt, metrics,
// health, api2, httppub.
type Modules map[string]Mode

// DefaultModules returns what a listener serves that says nothing else.
func DefaultModules() Modules {
	return Modules{"metrics": NoAuth, "mgmt": APIKey, "status": NoAuth, "health": NoAuth, "api2": APIKey}
}

// moduleNames are the names of modules in http_modules, without "vmq_".
var moduleNames = map[string]string{
	"metrics_http": "metrics", "http_mgmt_api": "mgmt", "mgmt_api": "mgmt", "status_http": "status",
	"health_http": "health", "http_v2_api": "api2", "v2_api": "api2", "http_pub": "httppub", "pub": "httppub",
}

// ModuleByName returns the module that http_modules means by a name, VerneMQ's
// ("vmq_http_mgmt_api") or the scope itself ("mgmt").
func ModuleByName(name string) (module string, ok bool) {
	short := strings.TrimPrefix(name, "vmq_")
	if m, ok := moduleNames[short]; ok {
		return m, true
	}
	for _, m := range moduleNames {
		if m == name {
			return m, true
		}
	}
	return "", false
}

// DefaultMode returns the mode of a module for which none is configured:
// noauth for metrics, status and health, apikey for all others.
func DefaultMode(module string) Mode {
	if m, ok := DefaultModules()[module]; ok {
		return m
	}
	return APIKey
}
