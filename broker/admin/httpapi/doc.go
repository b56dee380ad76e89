// Package httpapi answers the admin commands and the health checks over HTTP,
// on HTTP listeners with API keys and on the admin socket without.
//
//	GET or POST /api/v1/WORD/WORD?key=value&--flag=value    module mgmt
//	GET /health, /health/ping, /health/ready, /health/listeners    module health
//	GET /status.json    module status
//
// Other modules (Prometheus, HTTP publish) are given as Routes and get the
// same authentication. The package knows no MQTT; what it asks the broker it
// asks through functions in Options.
//
// Spec: RFC 9110 (HTTP), RFC 7617 (basic authentication).
// Read first: handler.go.
package httpapi
