package server

import (
	"cmp"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"semlb/access"
	"semlb/router"
	"semlb/wire"
)

// exchange is one request of one hop: what Envoy sent of it.
type exchange struct {
	id      string // x-request-id
	call    call
	headers []*corev3.HeaderValue
	// attributes describe the route that Envoy matched.
	attributes map[string]string
	metadata   map[string]*structpb.Struct
	body       []byte
	bodiless   bool
	// longest is the longest body that is accepted, in bytes.
	longest int64
	// captures are the named groups of the path of the Kong route that matched.
	captures map[string]string

	// snapshot is the configuration by which the request was admitted, match what chooses
	// its instance, and verdict what plugins that guard say of it.
	snapshot *Snapshot
	match    Match
	verdict  access.Verdict

	// probes are those of the request's plan, acquired from router.
	probes []router.Probe
	router Router
}

func newExchange(h *extprocv3.HttpHeaders, attributes map[string]*structpb.Struct) *exchange {
	x := &exchange{headers: h.GetHeaders().GetHeaders(), attributes: make(map[string]string), bodiless: h.GetEndOfStream()}
	for _, ofFilter := range attributes {
		for name, value := range ofFilter.GetFields() {
			x.attributes[name] = value.GetStringValue()
		}
	}
	x.id = x.header("x-request-id")
	return x
}

func (x *exchange) acquiredProbes(r Router, probes []router.Probe) { x.router, x.probes = r, probes }

// releaseProbes gives back the probes of a plan that its request does not follow.
func (x *exchange) releaseProbes() {
	for _, probe := range x.probes {
		x.router.ReleaseProbe(probe)
	}
	x.probes = nil
}

// header is the first value of a header, by its lower-case name, or "". Envoy's
// names are in lower case already; the values are the client's bytes.
func (x *exchange) header(name string) string {
	v, _ := x.lookup(name)
	return v
}

func (x *exchange) lookup(name string) (string, bool) {
	for _, h := range x.headers {
		if h.GetKey() == name {
			if raw := h.GetRawValue(); len(raw) > 0 {
				return string(raw), true
			}
			return h.GetValue(), true
		}
	}
	return "", false
}

// values are those of a header, by its lower-case name.
func (x *exchange) values(name string) []string {
	var all []string
	for _, h := range x.headers {
		if h.GetKey() == name {
			all = append(all, cmp.Or(string(h.GetRawValue()), h.GetValue()))
		}
	}
	return all
}

// headerList is the members of a header that is a list, which may be repeated.
func (x *exchange) headerList(name string) []string {
	var all []string
	for _, value := range x.values(name) {
		all = append(all, list(value)...)
	}
	return all
}

// path is the client's path in normal form, without the query.
func (x *exchange) path() string {
	path, _, _ := strings.Cut(x.header(":path"), "?")
	normal, _ := wire.NormalPath(path) // checkHead has refused the others
	return normal
}

// query is the client's query string, without "?".
func (x *exchange) query() string {
	_, query, _ := strings.Cut(x.header(":path"), "?")
	return query
}
