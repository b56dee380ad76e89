package httpapi

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"github.com/lunemq/lunemq/broker/admin"
)

// failedTable is the kind of result of a table that shows a failure.
const failedTable = "failed"

// answer writes a result, as JSON unless the client accepts plain text first:
// "Accept: text/plain" gets tables with borders, with the parameter style=bold
// bold headers. X-LuneMQ-Result tells clients that do not read on whether it is
// a table, a text, an alert, or a table that shows a failure. An error of writing
// is the client's going away.
func answer(w http.ResponseWriter, r *http.Request, status int, result admin.Result) {
	w.Header().Set("Cache-Control", "no-store")
	first, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	media, params, _ := mime.ParseMediaType(first)
	kind := result.Type()
	if t, ok := result.(admin.Table); ok && t.Failed {
		kind = failedTable
	}
	w.Header().Set("X-LuneMQ-Result", kind)
	if media == "text/plain" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_ = admin.WriteText(w, result, params["style"] == "bold")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = admin.WriteJSON(w, result)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// check answers 200 {"status":"OK"}, or 503 {"status":"DOWN","reasons":[...]}
// when one of the checks has reasons.
func check(checks ...func() []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var reasons []string
		for _, f := range checks {
			if f != nil {
				reasons = append(reasons, f()...)
			}
		}
		if len(reasons) > 0 {
			writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "DOWN", "reasons": reasons})
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"status": "OK"})
	})
}

func (o Options) serveStatus(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, o.Status())
}
