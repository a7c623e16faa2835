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

// request is a request with what is known of it before it is routed.
type request struct {
	*http.Request
	w http.ResponseWriter
	// path are the segments of the path, without Konnect's prefix.
	path []string
	// prefix is Konnect's prefix, or empty.
	prefix string
	// authorised is set if the request came with a token.
	authorised bool
	// allow lists the methods of the path, for the response to another one.
	allow string
}

// requestKey is the key of a *request in the context of its http.Request.
type requestKey struct{}

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
	req := &request{Request: r, w: w}
	if err := s.admit(req); err != nil {
		s.respond(req, response{}, err)
		return
	}
	if s.slots.Acquire(r.Context(), 1) != nil {
		return // the client is gone
	}
	defer s.slots.Release(1)
	switch {
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE")
		s.respond(req, response{status: http.StatusNoContent}, nil)
	case slices.Contains(req.path, "") || req.prefix != "" && len(req.path) == 0:
		s.respond(req, response{}, notFound())
	default:
		s.mux.ServeHTTP(w, req.routable())
	}
}

// handle registers a handler for a pattern of net/http's mux.
func (s *server) handle(pattern string, h handler) {
	s.mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
		req, _ := r.Context().Value(requestKey{}).(*request)
		req.Request = r // has the values of the wildcards
		resp, err := h(req)
		s.respond(req, resp, err)
	})
}

// admit splits the path of a request, and refuses requests that the client may not make.
func (s *server) admit(r *request) error {
	if err := r.splitPath(); err != nil {
		return err
	}
	var err error
	r.authorised, err = s.guard.admit(r.Request, r.prefix != "")
	return err
}

// splitPath sets the segments of the path and Konnect's prefix.
func (r *request) splitPath() error {
	path := strings.Trim(r.URL.EscapedPath(), "/")
	if path == "" {
		return nil
	}
	for segment := range strings.SplitSeq(path, "/") {
		name, err := url.PathUnescape(segment)
		if err != nil || !utf8.ValidString(name) {
			return notFound()
		}
		r.path = append(r.path, name)
	}
	if p := r.path; len(p) >= 4 && p[0] == "v2" && p[1] == "control-planes" && p[3] == "core-entities" {
		r.prefix, r.path = "/"+escape(p[:4]), p[4:]
	}
	return nil
}

// routable returns the request with the path that the mux routes: without Konnect's
// prefix and the slashes around it. The mux would redirect a path that is not clean, which
// Kong does not do.
func (r *request) routable() *http.Request {
	routed := r.WithContext(context.WithValue(r.Context(), requestKey{}, r))
	routed.URL = &url.URL{Path: "/" + strings.Join(r.path, "/"), RawPath: "/" + escape(r.path), RawQuery: r.URL.RawQuery}
	return routed
}

// escape returns segments as a path, without a slash at its start.
func escape(segments []string) string {
	list := make([]string, len(segments))
	for i, segment := range segments {
		list[i] = url.PathEscape(segment)
		if segment == "." || segment == ".." {
			list[i] = strings.ReplaceAll(segment, ".", "%2E") // the mux resolves dots
		}
	}
	return strings.Join(list, "/")
}

// respond counts a request and writes its response, or the error if there is one.
func (s *server) respond(r *request, resp response, err error) {
	if err != nil {
		resp = errorResponse(err)
	}
	s.count(r.Method, r.path, resp.status)
	header := r.w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Server", "semlb")
	if resp.status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="semlb"`)
	}
	if resp.status == http.StatusMethodNotAllowed {
		header.Set("Allow", r.allow) // required, RFC 9110, section 15.5.6
	}
	if resp.body == nil {
		r.w.WriteHeader(resp.status)
		return
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	r.w.WriteHeader(resp.status)
	if r.Method != http.MethodHead {
		_, _ = r.w.Write(toJSON(resp.body, "")) // the client may be gone
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
