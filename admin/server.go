package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
)

// server admits requests, routes them, and writes the responses.
type server struct {
	guard  guard
	slots  *semaphore.Weighted
	mux    *http.ServeMux
	kinds  kinds
	writes *prometheus.CounterVec
	log    *slog.Logger
}

// request is a request that was admitted.
type request struct {
	*http.Request
	access
	w http.ResponseWriter
}

// access is what is known of a request before it is routed.
type access struct {
	// path are the segments of the path, without Konnect's prefix.
	path []string
	// prefix is Konnect's prefix, or empty.
	prefix string
	// authorised is set if the request came with a token.
	authorised bool
}

// accessKey is the key of an access in a request's context.
type accessKey struct{}

// reveals reports whether credentials are shown: to a client with the token that asks
// for them.
func (r *request) reveals() bool {
	return r.authorised && r.URL.Query().Get("export") == "secrets"
}

// response is a status and a body. A nil body is none.
type response struct {
	status int
	body   any
}

func ok(body any) (response, error) { return response{http.StatusOK, body}, nil }

// handler answers a request. Its error is an *apiError.
type handler func(*request) (response, error)

// ServeHTTP admits a request and routes it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := s.admit(r)
	if err != nil {
		s.respond(w, r, a, response{}, err)
		return
	}
	if s.slots.Acquire(r.Context(), 1) != nil {
		return // the client is gone
	}
	defer s.slots.Release(1)
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE")
		s.respond(w, r, a, response{status: http.StatusNoContent}, nil)
		return
	}
	if slices.Contains(a.path, "") || a.prefix != "" && len(a.path) == 0 {
		s.respond(w, r, a, response{}, notFound())
		return
	}
	s.mux.ServeHTTP(w, a.routable(r))
}

// handle registers a handler for a pattern of net/http's mux.
func (s *server) handle(pattern string, h handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		a, _ := r.Context().Value(accessKey{}).(access)
		resp, err := h(&request{Request: r, access: a, w: w})
		s.respond(w, r, a, resp, err)
	})
}

// admit splits the path of a request, and refuses requests that the client may not make.
func (s *server) admit(r *http.Request) (access, error) {
	var a access
	if path := strings.Trim(r.URL.EscapedPath(), "/"); path != "" {
		for segment := range strings.SplitSeq(path, "/") {
			name, err := url.PathUnescape(segment)
			if err != nil || !utf8.ValidString(name) {
				return a, notFound()
			}
			a.path = append(a.path, name)
		}
	}
	if p := a.path; len(p) >= 4 && p[0] == "v2" && p[1] == "control-planes" && p[3] == "core-entities" {
		a.path = p[4:]
		a.prefix = "/v2/control-planes/" + url.PathEscape(p[2]) + "/core-entities"
	}
	var err error
	a.authorised, err = s.guard.admit(r, a.prefix != "")
	return a, err
}

// routable returns the request with the path that the mux routes: without Konnect's
// prefix and the slashes around it. The mux would redirect a path that is not clean, which
// Kong does not do.
func (a access) routable(r *http.Request) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), accessKey{}, a))
	r.URL = &url.URL{Path: "/" + strings.Join(a.path, "/"), RawPath: "/" + escaped(a.path), RawQuery: r.URL.RawQuery}
	return r
}

// escaped returns segments as a path without a slash at its start.
func escaped(segments []string) string {
	list := make([]string, len(segments))
	for i, segment := range segments {
		list[i] = url.PathEscape(segment)
		if segment == "." || segment == ".." {
			list[i] = strings.ReplaceAll(segment, ".", "%2E")
		}
	}
	return strings.Join(list, "/")
}

// respond counts a request and writes its response, or the error if there is one.
func (s *server) respond(w http.ResponseWriter, r *http.Request, a access, resp response, err error) {
	if err != nil {
		resp = errorResponse(err)
	}
	s.count(r.Method, a.path, resp.status)
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Server", "semlb")
	if resp.status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="semlb"`)
	}
	if resp.body == nil {
		w.WriteHeader(resp.status)
		return
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(resp.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(toJSON(resp.body, "")) // the client may be gone
	}
}

func errorResponse(err error) response {
	e := &apiError{status: http.StatusInternalServerError, message: "An unexpected error occurred"}
	errors.As(err, &e)
	return response{e.status, e.body()}
}

// count counts and logs writes.
func (s *server) count(method string, path []string, status int) {
	if method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions {
		return
	}
	result := "applied"
	switch {
	case status >= http.StatusInternalServerError:
		result = "failed"
	case status >= http.StatusBadRequest:
		result = "refused"
	}
	collection := s.kinds.collection(path)
	s.writes.WithLabelValues(collection, result).Inc()
	s.log.Info("admin write", "method", method, "collection", collection, "result", result, "status", status)
}

// collection returns the label of the last collection in a path. The labels are a closed
// set.
func (ks kinds) collection(path []string) string {
	for i, segment := range slices.Backward(path) {
		if k := ks.find(func(k *kind) bool { return i%2 == 0 && segment == k.path || i == 2 && segment == k.nested }); k != nil {
			return k.path
		}
	}
	return "other"
}
