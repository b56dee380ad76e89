package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lunemq/lunemq/broker/admin"
)

// maxBody is the greatest body of a POST in bytes.
const maxBody = 1 << 20

// serveCommand runs the command that the path names. Malformed calls are
// answered with 400; a command that fails is answered with 200 and an alert,
// as VerneMQ does.
func (o Options) serveCommand(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost}, r.Method) {
		w.Header().Set("Allow", "HEAD, GET, POST, OPTIONS")
		answer(w, r, http.StatusMethodNotAllowed, admin.Alert{"method " + r.Method + " is not allowed"})
		return
	}
	tokens, err := tokensOf(w, r)
	var call *admin.Call
	if err == nil {
		call, err = o.Registry.Parse(tokens)
	}
	if err != nil {
		answer(w, r, http.StatusBadRequest, admin.Alert{err.Error()})
		return
	}
	changes := call.Command != nil && call.Command.Changes
	if changes && r.Method == http.MethodHead {
		w.Header().Set("Allow", "GET, POST, OPTIONS")
		answer(w, r, http.StatusMethodNotAllowed, admin.Alert{"HEAD does not change state"})
		return
	}
	if changes && crossOrigin(r) {
		answer(w, r, http.StatusForbidden, admin.Alert{"forbidden: a page of another origin may change state with the header x-api-key only"})
		return
	}
	if call.JSON {
		r.Header.Del("Accept")
	}
	result, err := o.Registry.Execute(r.Context(), call)
	switch {
	case errors.Is(err, admin.ErrUsage):
		answer(w, r, http.StatusBadRequest, admin.Alert{err.Error()})
	case err != nil:
		answer(w, r, http.StatusOK, admin.Alert{err.Error()})
	default:
		answer(w, r, http.StatusOK, result)
	}
}

// aliases are paths that mean others, by their first word: alone, and as the
// beginning of a longer one.
var aliases = map[string]struct{ alone, prefix string }{
	"cluster":   {"cluster show", "cluster"},
	"sessions":  {"session show", "session"},
	"listeners": {"listener show", "listener"},
	"plugins":   {"plugin show", "plugin"},
}

// tokensOf returns the call as the command line would have it: the words of
// the path, then what the query and a form in the body say, in their order.
// Errors are those of malformed escapes and bodies.
func tokensOf(w http.ResponseWriter, r *http.Request) ([]string, error) {
	var tokens []string
	for _, s := range strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/api/v1/"), "/") {
		word, err := url.PathUnescape(s)
		if err != nil {
			return nil, fmt.Errorf("httpapi: path %q: %w", s, err)
		}
		if word != "" {
			tokens = append(tokens, word)
		}
	}
	if len(tokens) > 0 {
		if a, ok := aliases[tokens[0]]; ok {
			if len(tokens) == 1 {
				tokens = strings.Fields(a.alone)
			} else {
				tokens[0] = a.prefix
			}
		}
	}
	tokens, err := appendForm(tokens, r.URL.RawQuery)
	if err != nil || r.Method != http.MethodPost {
		return tokens, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("httpapi: read body: %w", err)
	}
	if len(body) == 0 {
		return tokens, nil
	}
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/x-www-form-urlencoded" {
		return nil, fmt.Errorf("httpapi: content type %q is not application/x-www-form-urlencoded", t)
	}
	return appendForm(tokens, string(body))
}

// appendForm appends one token per pair of a form; unlike url.ParseQuery it
// keeps their order and tells "--flag" from "--flag=".
func appendForm(tokens []string, form string) ([]string, error) {
	for pair := range strings.SplitSeq(form, "&") {
		if pair == "" {
			continue
		}
		token, err := url.QueryUnescape(pair)
		if err != nil {
			return nil, fmt.Errorf("httpapi: query %q: %w", pair, err)
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

// crossOrigin reports whether a browser says that a page of another origin
// sent the request, without the header x-api-key, which such a page can only
// set if it has a key of its own.
func crossOrigin(r *http.Request) bool {
	if r.Header.Get("X-Api-Key") != "" {
		return false
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site != "same-origin" && site != "none"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}
