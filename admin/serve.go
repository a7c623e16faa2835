package admin

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// request is a request that was admitted, with its path taken apart.
type request struct {
	*http.Request
	w http.ResponseWriter
	// path are the segments of the path, Konnect's prefix left out.
	path []string
	// prefix is Konnect's, or empty.
	prefix string
	// authorised tells that the request came with a token.
	authorised bool
}

// reveals reports whether credentials are shown: to a client with the token that
// asks for them.
func (r *request) reveals() bool {
	return r.authorised && r.URL.Query().Get("export") == "secrets"
}

// answer is what a request comes to. A nil body is none.
type answer struct {
	status int
	body   any
}

func ok(body any) (answer, *failure) { return answer{http.StatusOK, body}, nil }

// Handler serves the API over what is in force.
func (a *API) Handler(live Live) http.Handler {
	a.live.Store(&live)
	return http.HandlerFunc(a.serve)
}

func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	req, f := a.admitted(w, r)
	var ans answer
	if f == nil {
		if !a.slots.take(r.Context()) {
			return
		}
		defer a.slots.free()
		ans, f = a.route(req)
	}
	if f != nil {
		ans = answer{f.status, f.body()}
	}
	a.count(req, ans.status)
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Server", "semlb")
	if ans.status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="semlb"`)
	}
	if ans.body == nil {
		w.WriteHeader(ans.status)
		return
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(ans.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(toJSON(ans.body, "")) // the client is gone
	}
}

// admitted takes a request's path apart and asks the guard.
func (a *API) admitted(w http.ResponseWriter, r *http.Request) (*request, *failure) {
	req := &request{Request: r, w: w}
	path := strings.Trim(r.URL.EscapedPath(), "/")
	if path != "" {
		for _, segment := range strings.Split(path, "/") {
			name, err := url.PathUnescape(segment)
			if err != nil || !utf8.ValidString(name) {
				return req, notFound()
			}
			req.path = append(req.path, name)
		}
	}
	if p := req.path; len(p) >= 4 && p[0] == "v2" && p[1] == "control-planes" && p[3] == "core-entities" {
		req.path = p[4:]
		req.prefix = "/v2/control-planes/" + url.PathEscape(p[2]) + "/core-entities"
	}
	var f *failure
	req.authorised, f = a.guard.admit(r, req.prefix != "")
	return req, f
}

// count counts and logs writes.
func (a *API) count(r *request, status int) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return
	}
	result := "applied"
	switch {
	case status >= http.StatusInternalServerError:
		result = "failed"
	case status >= http.StatusBadRequest:
		result = "refused"
	}
	collection := a.collection(r.path)
	a.writes.WithLabelValues(collection, result).Inc()
	a.options.Log.Info("admin write", "method", r.Method, "collection", collection, "result", result, "status", status)
}

// collection is the label of a path's last collection, out of a fixed set.
func (a *API) collection(path []string) string {
	for i := len(path) - 1; i >= 0; i-- {
		for _, k := range a.kinds {
			if i%2 == 0 && path[i] == k.path || i == 2 && path[i] == k.nested {
				return k.path
			}
		}
	}
	return "other"
}

// route answers a request.
func (a *API) route(r *request) (answer, *failure) {
	if r.Method == http.MethodOptions {
		r.w.Header().Set("Allow", "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE")
		return answer{status: http.StatusNoContent}, nil
	}
	if ans, f, known := a.information(r); known {
		return ans, f
	}
	if len(r.path) == 0 || len(r.path) > 4 {
		return answer{}, notFound()
	}
	k := a.kindAt(r.path[0], func(k *kind) string { return k.path })
	if k == nil {
		return answer{}, notFound()
	}
	if a.ReadOnly() && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return answer{}, a.readOnly(r, k)
	}
	switch len(r.path) {
	case 1:
		return a.collectionAnswer(r, k, nil)
	case 2:
		return a.entityAnswer(r, k, target{name: r.path[1]})
	default:
		return a.nested(r, k)
	}
}

// kindAt returns the kind with a name, or nil.
func (a *API) kindAt(name string, of func(*kind) string) *kind {
	for _, k := range a.kinds {
		if of(k) == name {
			return k
		}
	}
	return nil
}

// readOnly refuses a write as Kong does without a database.
func (a *API) readOnly(r *request, k *kind) *failure {
	verb := map[string]string{http.MethodPost: "create", http.MethodDelete: "remove"}[r.Method]
	if verb == "" {
		verb = "update"
	}
	return &failure{
		status: http.StatusMethodNotAllowed, code: codeUnsupported, name: "operation unsupported",
		message: "cannot " + verb + " '" + k.name + "' entities when not using a database: start semlb with --state FILE",
	}
}

// nested answers for what lies below an entity: a collection, one of its elements,
// or the entity that it refers to.
func (a *API) nested(r *request, parent *kind) (answer, *failure) {
	snapshot := a.current.Load()
	p, found := snapshot.state.find(parent, r.path[1])
	if !found {
		return answer{}, notFound()
	}
	if isMembership(parent, r.path[2]) {
		return a.membership(r, parent, p)
	}
	if child := a.kindAt(r.path[2], func(k *kind) string { return k.nested }); child != nil {
		ref, related := child.refTo(parent.name)
		if !related {
			return answer{}, notFound()
		}
		owner := &owner{field: ref.field, id: text(p, "id")}
		if len(r.path) == 3 {
			return a.collectionAnswer(r, child, owner)
		}
		return a.entityAnswer(r, child, target{name: r.path[3], owner: owner})
	}
	for _, ref := range parent.refs {
		if ref.field != r.path[2] || len(r.path) != 3 {
			continue
		}
		id := refID(p, ref.field)
		if id == "" {
			return answer{}, notFound()
		}
		if r.Method == http.MethodDelete || r.Method == http.MethodPost {
			return answer{}, notAllowed()
		}
		return a.entityAnswer(r, a.kinds[ref.kind], target{name: id})
	}
	return answer{}, notFound()
}
